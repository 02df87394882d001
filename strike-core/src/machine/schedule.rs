//! How often a pending charge is polled.

use std::time::Duration;

/// How far apart a charge is asked about while it is pending: from `first`, growing, up to `longest`.
///
/// ```
/// use std::time::Duration;
/// use strike_core::Schedule;
///
/// let usual = Schedule::default();
/// assert_eq!(usual.first_wait(), Duration::from_secs(1));
/// assert_eq!(usual.next_wait(Duration::from_secs(1)), Duration::from_millis(1250));
/// assert_eq!(usual.next_wait(Duration::from_secs(59)), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    first: Duration,
    growth_percent: u32,
    longest: Duration,
}

impl Default for Schedule {
    /// 1 s, a quarter longer each time, up to 60 s.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), growth_percent: 125, longest: Duration::from_secs(60) }
    }
}

impl Schedule {
    /// From `first` to `longest`, each wait `growth_percent` of the one before; less than 100 counts as 100.
    /// No wait is shorter than 10 ms, so that a slip does not become a flood.
    #[must_use]
    pub fn new(first: Duration, growth_percent: u32, longest: Duration) -> Self {
        let first = first.max(Duration::from_millis(10));
        Self { first, growth_percent: growth_percent.max(100), longest: longest.max(first) }
    }

    /// The same wait each time.
    #[must_use]
    pub fn every(wait: Duration) -> Self {
        Self::new(wait, 100, wait)
    }

    /// The wait before the second look; the first look is at once.
    #[must_use]
    pub const fn first_wait(&self) -> Duration {
        self.first
    }

    /// The wait that follows one of that length.
    #[must_use]
    pub fn next_wait(&self, wait: Duration) -> Duration {
        (wait.saturating_mul(self.growth_percent) / 100).clamp(self.first, self.longest)
    }
}
