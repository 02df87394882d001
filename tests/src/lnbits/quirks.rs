//! The behaviours of LNbits that differ between versions, settings and funding sources.

use std::time::Duration;

/// Optional behaviours. All are off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LnbitsQuirks {
    /// A list never asks the node, as versions before `recheck_pending` do.
    pub ignores_recheck: bool,
    /// Filters by `external_id` are ignored, as in 1.5.4 and before.
    pub ignores_external_id: bool,
    /// No event of the node arrives until [`Lnbits::deliver`](super::Lnbits::deliver).
    pub events_are_lost: bool,
    /// A reverse proxy removes `Date`.
    pub no_date: bool,
    /// A charge is in no list until it has this age, as with a replica.
    pub list_lag: Duration,
    /// What the node charges for a payment, in millisatoshi.
    pub fee_msat: u64,
}
