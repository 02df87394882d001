//! How well each of the two ways to look works: by a page of the list, or by a get of one charge.

use std::time::Duration;

use super::pending::millis;

/// One of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Page,
    Get,
}

/// The failures of one way since it last worked.
#[derive(Debug, Default)]
pub(super) struct Health {
    pub(super) failures: u32,
    /// Those of them that the caller was not told.
    pub(super) untold: u32,
    /// The other way is preferred until that moment of the monotonic clock, in milliseconds.
    off_until: u64,
    /// Nothing was asked in the other way since the last failure.
    just_failed: bool,
}

impl Health {
    pub(super) const fn is_good(&self, now: u64) -> bool {
        now >= self.off_until && !self.just_failed
    }

    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn other_way_was_asked(&mut self) {
        self.just_failed = false;
    }

    /// Counts a failure; the way is tried again after a time that grows.
    pub(super) fn failed(&mut self, thousandths: u64, now: u64) {
        self.failures = self.failures.saturating_add(1);
        self.untold = self.untold.saturating_add(1);
        // Longer than what the watch rests, so that the other way has its turn.
        let off = millis(backoff(self.failures)).saturating_mul(2).saturating_mul(thousandths) / 1000;
        self.off_until = now.saturating_add(off);
        self.just_failed = true;
    }
}

/// The rest after that many failures in a row: 1 s, doubled from failure to failure, up to a minute.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_millis(500).saturating_mul(1 << failures.min(7)).min(Duration::from_secs(60))
}
