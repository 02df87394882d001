//! A charge that is being watched: what must be known of it, and no more, since there can be very many.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::Schedule;
use crate::protocol::server_clock;
use crate::values::new_charge::MAX_EXPIRY_SEC;
use crate::values::{Charge, ChargeId, Now, UnixMillis};

/// 40 bytes beside the id; milliseconds, unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// When it was made, by the server's clock: this says where in the list it stands.
    pub(super) created: UnixMillis,
    /// From when on a look is the last one: the invoice's expiry and the grace.
    pub(super) until: UnixMillis,
    /// The same in whole seconds of the monotonic clock, should the wall clocks be wrong.
    give_up: u32,
    /// When to look next, on the monotonic clock; [`NEVER`](Self::NEVER) when its end is known already.
    pub(super) due: u64,
    /// The wait before that.
    interval: u32,
    /// What the charge is for, see [`digest`].
    pub(super) digest: u32,
    /// How many looks in a row brought nothing readable.
    pub(super) failures: u32,
}

impl Pending {
    pub(super) const NEVER: u64 = u64::MAX;

    /// A charge to be looked at after the schedule's first wait.
    pub(super) fn new(kept: &Kept, schedule: &Schedule, now: Now) -> Self {
        let Kept { created, until, digest, .. } = *kept;
        let first = schedule.first_wait();
        Self {
            created,
            until,
            give_up: seconds(now.monotonic.saturating_add(until.saturating_since(created))).saturating_add(1),
            due: millis(now.monotonic).saturating_add(millis(first)).min(Self::NEVER - 1),
            digest,
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
        server_clock::left(self.until, server_time, began).is_zero()
            || seconds(began.monotonic) >= self.give_up
    }

    /// Sets the next look, an interval times that many thousandths from now; the interval grows.
    pub(super) fn rest(&mut self, schedule: &Schedule, thousandths: u64, now: Now) {
        let wait = u64::from(self.interval).saturating_mul(thousandths) / 1000;
        self.due = millis(now.monotonic).saturating_add(wait).min(Self::NEVER - 1);
        let next = schedule.next_wait(Duration::from_millis(self.interval.into()));
        self.interval = u32::try_from(millis(next)).unwrap_or(u32::MAX);
    }
}

/// Whole milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> u64 {
    // A little below the end of time, so that there is always a later.
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(u64::MAX - 2)
}

/// Whole seconds of a duration.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Four bytes that stand for all that a charge keeps for life: enough to notice that it has become another.
pub(super) fn digest(charge: &Charge) -> u32 {
    let mut hash = hmac_sha256::Hash::new();
    hash.update(charge.payment_hash().as_bytes());
    hash.update(charge.amount.to_be_bytes());
    hash.update(charge.amount_satoshi.get().to_be_bytes());
    for text in [charge.payment_request(), charge.description()] {
        // The length keeps one text apart from the next.
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().take(4).fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}

/// A pending charge, as it is kept over a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: ChargeId,
    pub(super) created: UnixMillis,
    pub(super) until: UnixMillis,
    pub(super) digest: u32,
}

impl Kept {
    /// What is kept of a charge. The invoice says how long it can be paid; an unreadable one for a week, to be safe.
    pub(super) fn of(charge: &Charge, grace: Duration) -> Self {
        let week = Duration::from_secs(u64::from(MAX_EXPIRY_SEC));
        let expires_at = charge.invoice().ok().map_or_else(
            || charge.created().saturating_add(week),
            |invoice| invoice.timestamp().saturating_add(invoice.expiry().min(week)),
        );
        Self {
            id: charge.id().clone(),
            created: charge.created(),
            until: expires_at.saturating_add(grace),
            digest: digest(charge),
        }
    }
}
