//! `Settings`: what a builder can set.

use std::time::Duration;

use strike_async::{Schedule, UnixMillis};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The settings of a desk.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) lease: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) create_timeout: Duration,
    pub(crate) handler_timeout: Duration,
    pub(crate) late_checks: Vec<Duration>,
    pub(crate) grace: Duration,
    pub(crate) schedule: Schedule,
    pub(crate) request_interval: Duration,
    pub(crate) max_in_flight: u32,
    pub(crate) max_held: u32,
}

impl Settings {
    /// Returns when to look for a late payment next, of an invoice with this expiry.
    pub(crate) fn next_late_check(&self, expires_at: UnixMillis, now: UnixMillis) -> Option<UnixMillis> {
        self.late_checks.iter().map(|after| expires_at.saturating_add(*after)).filter(|at| *at > now).min()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            poll_interval: Duration::from_secs(1),
            create_timeout: Duration::from_secs(30),
            handler_timeout: Duration::from_secs(30),
            late_checks: vec![10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR],
            grace: MINUTE,
            schedule: Schedule::default(),
            request_interval: Duration::from_millis(3),
            max_in_flight: 8,
            max_held: 100_000,
        }
    }
}
