//! A charge that is being watched: what must be known of it, and no more, since there can be very many.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::Now;
use crate::new_charge::MAX_EXPIRY_SEC;
use crate::policy::Schedule;
use crate::types::{Charge, ChargeId, UnixMillis};

/// 40 bytes beside the id; milliseconds throughout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// When it was made, by the server's clock: this says where in the list it stands.
    pub(super) created: UnixMillis,
    /// From when on a look is the last one: the invoice's expiry and the grace.
    pub(super) until: UnixMillis,
    /// The same on the monotonic clock, should the wall clocks be wrong.
    give_up: u64,
    /// When to look next, on the monotonic clock; [`NEVER`](Self::NEVER) when its end is known already.
    pub(super) due: u64,
    /// The wait before that.
    interval: u32,
    /// How many looks in a row brought nothing readable.
    pub(super) failures: u32,
}

impl Pending {
    pub(super) const NEVER: u64 = u64::MAX;

    /// A charge to be looked at after the schedule's first wait.
    pub(super) fn new(created: UnixMillis, until: UnixMillis, schedule: &Schedule, now: Now) -> Self {
        let first = schedule.first_wait();
        Self {
            created,
            until,
            give_up: millis(now.monotonic).saturating_add(millis(until.saturating_since(created))),
            due: millis(now.monotonic).saturating_add(millis(first)),
            interval: u32::try_from(millis(first)).unwrap_or(u32::MAX),
            failures: 0,
        }
    }

    /// Whether it is to be looked at in a round that begins now: what would be due soon is taken along.
    pub(super) fn is_due(&self, now: u64) -> bool {
        self.due != Self::NEVER && self.due <= now.saturating_add(u64::from(self.interval / 8))
    }

    /// Whether a look that began then, and saw it unpaid, was the last.
    pub(super) fn is_over(&self, began: Now, server_time: Option<UnixMillis>) -> bool {
        server_time.unwrap_or(began.unix) >= self.until || millis(began.monotonic) >= self.give_up
    }

    /// Sets the next look, an interval times that many thousandths from now; the interval grows.
    pub(super) fn rest(&mut self, schedule: &Schedule, thousandths: u64, now: Now) {
        let wait = u64::from(self.interval).saturating_mul(thousandths) / 1000;
        self.due = millis(now.monotonic).saturating_add(wait);
        let next = schedule.next_wait(Duration::from_millis(self.interval.into()));
        self.interval = u32::try_from(millis(next)).unwrap_or(u32::MAX);
    }
}

/// Whole milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A pending charge, as it is kept over a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: ChargeId,
    pub(super) created: UnixMillis,
    pub(super) until: UnixMillis,
}

impl Kept {
    /// What is kept of a charge. The invoice says how long it can be paid; an unreadable one for a week, to be safe.
    pub(super) fn of(charge: &Charge, grace: Duration) -> Self {
        let week = Duration::from_secs(u64::from(MAX_EXPIRY_SEC));
        let expires_at = charge.invoice().ok().map_or_else(
            || charge.created().saturating_add(week),
            |invoice| invoice.timestamp().saturating_add(invoice.expiry().min(week)),
        );
        Self { id: charge.id().clone(), created: charge.created(), until: expires_at.saturating_add(grace) }
    }
}
