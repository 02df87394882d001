//! How long to wait for a charge, and how often to check it.

use std::time::Duration;

use crate::machine::Schedule;
use crate::values::new_charge::MAX_EXPIRY_SEC;

/// How long to wait for a charge, and how often to check it.
///
/// ```
/// use std::time::Duration;
/// use strike_core::{Schedule, Wait};
///
/// let at_most_30_s = Wait::at_most(Duration::from_secs(30));
/// assert_eq!(at_most_30_s, Duration::from_secs(30).into());
///
/// let until_expiry = Wait::until_expiry().schedule(Schedule::every(Duration::from_secs(5)));
/// assert_ne!(until_expiry, at_most_30_s);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Wait {
    pub(super) timeout: Duration,
    pub(super) grace: Duration,
    pub(super) max_failures: u32,
    pub(super) schedule: Schedule,
}

impl Wait {
    /// Waits until the invoice has expired and a grace period of one minute has passed.
    ///
    /// The wait never lasts longer than a week and one minute, whatever the invoice says.
    pub fn until_expiry() -> Self {
        let grace = Duration::from_secs(60);
        let timeout = Duration::from_secs(u64::from(MAX_EXPIRY_SEC)) + grace;
        Self { timeout, grace, max_failures: 10, schedule: Schedule::default() }
    }

    /// Waits for at most this long, and not beyond the invoice's expiry and the grace period.
    pub fn at_most(timeout: Duration) -> Self {
        Self { timeout, ..Self::until_expiry() }
    }

    /// Sets how often the charge is checked. The default is [`Schedule::default`].
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the grace period: how long after the invoice's expiry a payment is still awaited. The
    /// default is one minute.
    ///
    /// A payment that was started just before the expiry can arrive after it.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how many checks in a row may fail. One more failure ends the wait with its error. The
    /// default is 10.
    pub const fn max_failures(mut self, failures: u32) -> Self {
        self.max_failures = failures;
        self
    }
}

impl From<Duration> for Wait {
    /// Does the same as [`Wait::at_most`].
    fn from(timeout: Duration) -> Self {
        Self::at_most(timeout)
    }
}
