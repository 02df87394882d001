//! `Schedule`: how often a pending charge is polled.

use std::time::Duration;

/// The intervals between polls of a pending charge. They grow from a first interval to a longest
/// one.
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
    /// Starts with 1 s. Each interval is 25% longer than the one before, up to 60 s.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), growth_percent: 125, longest: Duration::from_secs(60) }
    }
}

impl Schedule {
    /// Creates a schedule that grows from `first` to `longest`.
    ///
    /// Each interval is `growth_percent` percent of the one before. Values below 100 count as 100.
    /// The shortest interval is 10 ms; it protects the server from a mistake.
    #[must_use]
    pub fn new(first: Duration, growth_percent: u32, longest: Duration) -> Self {
        let first = first.max(Duration::from_millis(10));
        Self { first, growth_percent: growth_percent.max(100), longest: longest.max(first) }
    }

    /// Creates a schedule with the same interval each time, at least 10 ms.
    #[must_use]
    pub fn every(wait: Duration) -> Self {
        Self::new(wait, 100, wait)
    }

    /// Returns the interval between the first poll and the second. The first poll has no delay.
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
