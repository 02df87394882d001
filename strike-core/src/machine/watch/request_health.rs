//! Counts failures of page requests and of single-charge requests, to prefer the kind that works.

use std::time::Duration;

use super::pending::millis;

/// The two kinds of request that read the state of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// A page of the list.
    Page,
    /// A single charge.
    Charge,
}

/// The failures of one kind of request since its last success.
#[derive(Debug, Default)]
pub(super) struct RequestHealth {
    pub(super) failures: u32,
    /// How many of them were not returned to the caller.
    pub(super) unreported: u32,
    /// The other kind is preferred until this time of the monotonic clock, in milliseconds.
    avoid_until: u64,
    /// No request of the other kind has been sent since the last failure.
    failed_last: bool,
    /// How many requests had begun at the last failure. What began before shows nothing new.
    begun_at_failure: u64,
}

impl RequestHealth {
    /// Returns true if a request of this kind can be expected to work.
    pub(super) const fn is_good(&self, now: u64) -> bool {
        now >= self.avoid_until && !self.failed_last
    }

    /// Notes that the request with this number has succeeded.
    pub(super) fn succeeded(&mut self, request: u64) {
        if request > self.begun_at_failure {
            *self = Self::default();
        }
    }

    pub(super) const fn other_kind_was_sent(&mut self) {
        self.failed_last = false;
    }

    /// Counts the failure of the request with this number, when `begun` requests have begun. This
    /// kind is avoided for a time that grows with each failure. `jitter` is a factor in thousandths.
    pub(super) fn failed(&mut self, request: u64, begun: u64, jitter: u64, now: u64) {
        if request <= self.begun_at_failure {
            return;
        }
        self.begun_at_failure = begun;
        self.failures = self.failures.saturating_add(1);
        self.unreported = self.unreported.saturating_add(1);
        // Twice the delay of the watcher, so that a request of the other kind is sent in between.
        let avoid = millis(backoff(self.failures)).saturating_mul(2).saturating_mul(jitter) / 1000;
        self.avoid_until = now.saturating_add(avoid);
        self.failed_last = true;
    }
}

/// Returns the delay after this many failures in a row: 1 s, doubled with each failure, up to 60 s.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_millis(500).saturating_mul(1 << failures.min(7)).min(Duration::from_secs(60))
}
