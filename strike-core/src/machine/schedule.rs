//! How often a pending charge is checked.

use std::time::Duration;

/// The intervals at which a pending charge is checked. They start at a first interval and grow up
/// to a longest one.
///
/// ```
/// use std::time::Duration;
/// use strike_core::Schedule;
///
/// let schedule = Schedule::default();
/// assert_eq!(schedule.first_wait(), Duration::from_secs(1));
/// assert_eq!(schedule.next_wait(Duration::from_secs(1)), Duration::from_millis(1250));
/// assert_eq!(schedule.next_wait(Duration::from_secs(59)), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    first: Duration,
    growth_percent: u32,
    longest: Duration,
}

impl Default for Schedule {
    /// Returns a schedule that starts at 1 s and grows by 25 % with each check, up to 60 s.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), growth_percent: 125, longest: Duration::from_secs(60) }
    }
}

impl Schedule {
    /// Returns a schedule from `first` to `longest`. Each interval is `growth_percent` of the one
    /// before.
    ///
    /// A `growth_percent` below 100 counts as 100. No interval is shorter than 10 ms, so that a
    /// wrong unit does not flood the server with requests.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::Schedule;
    ///
    /// let doubling = Schedule::new(Duration::from_secs(2), 200, Duration::from_secs(30));
    /// assert_eq!(doubling.next_wait(Duration::from_secs(2)), Duration::from_secs(4));
    /// ```
    #[must_use]
    pub fn new(first: Duration, growth_percent: u32, longest: Duration) -> Self {
        let first = first.max(Duration::from_millis(10));
        Self { first, growth_percent: growth_percent.max(100), longest: longest.max(first) }
    }

    /// Returns a schedule with a fixed interval of at least 10 ms.
    #[must_use]
    pub fn every(wait: Duration) -> Self {
        Self::new(wait, 100, wait)
    }

    /// Returns the interval between the first and the second check.
    #[must_use]
    pub const fn first_wait(&self) -> Duration {
        self.first
    }

    /// Returns the interval that follows an interval of this length.
    #[must_use]
    pub fn next_wait(&self, wait: Duration) -> Duration {
        (wait.saturating_mul(self.growth_percent) / 100).clamp(self.first, self.longest)
    }
}
