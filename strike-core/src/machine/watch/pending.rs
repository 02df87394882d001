//! The state of one pending charge, kept small because there can be very many.

use std::time::Duration;

use super::snapshot::SavedCharge;
use crate::machine::Schedule;
use crate::protocol::server_clock;
use crate::values::{Now, UnixMillis};

/// The state of one pending charge: 40 bytes, without the id. Times are in milliseconds unless
/// noted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// The creation time by the server's clock. The list is sorted by it.
    pub(super) created: UnixMillis,
    /// The end of the invoice's lifetime and the grace period. A check that begins later is the
    /// last.
    pub(super) until: UnixMillis,
    /// The same end in seconds of the monotonic clock, in case the wall clocks are wrong.
    give_up: u32,
    /// The time of the next check on the monotonic clock. [`NEVER`](Self::NEVER) if the charge has
    /// ended, [`UNKNOWN`](Self::UNKNOWN) if it is new.
    pub(super) due: u64,
    /// The delay before that check.
    interval: u32,
    /// The hash of the fields that never change; see `digest.rs`.
    pub(super) digest: u32,
    /// How many checks in a row returned an unreadable record.
    pub(super) failures: u32,
}

impl Pending {
    /// The `due` time of a charge that has ended.
    const NEVER: u64 = u64::MAX;

    /// The `due` time of a charge that was added since the last poll. Only a poll brings the time.
    const UNKNOWN: u64 = u64::MAX - 1;

    /// The latest `due` time of a charge.
    const LATEST: u64 = u64::MAX - 2;

    /// Returns the state of a new charge, which is not due until [`start`](Self::start).
    pub(super) fn new(saved: &SavedCharge) -> Self {
        let SavedCharge { created, until, digest, .. } = *saved;
        Self { created, until, give_up: u32::MAX, due: Self::UNKNOWN, digest, interval: 0, failures: 0 }
    }

    /// Sets the first check of a new charge, after the schedule's first interval.
    pub(super) fn start(&mut self, schedule: &Schedule, now: Now) {
        let lifetime = self.until.saturating_since(self.created);
        self.give_up = seconds(now.monotonic.saturating_add(lifetime)).saturating_add(1);
        if self.due == Self::UNKNOWN {
            let first = millis(schedule.first_wait());
            self.due = millis(now.monotonic).saturating_add(first).min(Self::LATEST);
            self.interval = u32::try_from(first).unwrap_or(u32::MAX);
        }
    }

    /// Notes that the charge has ended, so that it is not checked any more.
    pub(super) const fn end(&mut self) {
        self.due = Self::NEVER;
    }

    /// Returns true if the charge has ended, and its event is queued.
    pub(super) const fn has_ended(&self) -> bool {
        self.due == Self::NEVER
    }

    /// Returns when the charge may be checked along with others: an eighth of its interval before it
    /// is due. So more charges share a page request.
    pub(super) fn ready(&self) -> u64 {
        let early = if self.due > Self::LATEST { 0 } else { u64::from(self.interval / 8) };
        self.due.saturating_sub(early)
    }

    /// Returns true if the charge is due, or may be checked along with others.
    pub(super) fn is_ready(&self, now: u64) -> bool {
        self.ready() <= now
    }

    /// Returns true if a check that began at this time, and found the charge unpaid, is the last.
    pub(super) fn is_over(&self, began: Now, server_time: Option<UnixMillis>) -> bool {
        server_clock::left(self.until, server_time, began).is_zero()
            || seconds(began.monotonic) >= self.give_up
    }

    /// Moves the next check forward to the read shortly before the invoice's expiry, if it would be
    /// later.
    pub(super) fn look_before_expiry(&mut self, grace: Duration, server_time: Option<UnixMillis>, now: Now) {
        let expires_at = self.until.saturating_sub(grace);
        if let Some(left) = server_clock::until_last_look(expires_at, server_time, now) {
            self.due = self.due.min(millis(now.monotonic.saturating_add(left)));
        }
    }

    /// Returns true if the charge must be read now, because the invoice is about to expire.
    pub(super) fn is_about_to_expire(
        &self,
        grace: Duration,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> bool {
        server_clock::is_last_look(self.until.saturating_sub(grace), server_time, now)
    }

    /// Sets the next check after one interval times `jitter` / 1000. The following interval is
    /// longer.
    pub(super) fn schedule_next(&mut self, schedule: &Schedule, jitter: u64, now: Now) {
        let wait = u64::from(self.interval).saturating_mul(jitter) / 1000;
        self.due = millis(now.monotonic).saturating_add(wait).min(Self::LATEST);
        let next = schedule.next_wait(Duration::from_millis(self.interval.into()));
        self.interval = u32::try_from(millis(next)).unwrap_or(u32::MAX);
    }
}

/// Returns the whole milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> u64 {
    // Below the maximum, so that one can always be added.
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(u64::MAX - 2)
}

/// Returns the whole seconds of a duration.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
