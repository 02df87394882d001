//! A rest on the monotonic clock.

use std::time::Duration;

use crate::values::Now;

/// A rest on the monotonic clock that counts only time that passes: a clock set back does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    left: Duration,
    seen: Duration,
}

impl Pause {
    pub(crate) const fn new(length: Duration, now: Now) -> Self {
        Self { left: length, seen: now.monotonic }
    }

    /// What is left of it, if anything.
    pub(crate) fn left(&mut self, now: Now) -> Option<Duration> {
        self.left = self.left.saturating_sub(now.monotonic.saturating_sub(self.seen));
        self.seen = now.monotonic;
        Some(self.left).filter(|left| !left.is_zero())
    }
}
