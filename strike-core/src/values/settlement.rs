//! The `Settlement` type: what a backend says about a payment.

use serde::{Deserialize, Serialize};

use crate::values::UnixMillis;

/// What a backend says about the payment of a charge: the amount received, the fee and the time.
///
/// phoenixd and LNbits report it. The Strike API does not. It is for your books. It never decides
/// whether a charge is paid: a paid charge can have less received than requested, or even a
/// negative amount, because phoenixd subtracts the fee for inbound liquidity.
///
/// ```
/// use strike_core::PaidCharge;
///
/// fn book(paid: &PaidCharge) -> String {
///     match paid.settlement() {
///         Some(it) => format!("{} msat received, {} msat fee", it.received_msat(), it.fee_msat()),
///         None => "no settlement facts".to_owned(),
///     }
/// }
/// # let _ = book;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    received_msat: i64,
    fee_msat: u64,
    #[serde(default)]
    paid_at: Option<UnixMillis>,
}

impl Settlement {
    pub(crate) const fn new(received_msat: i64, fee_msat: u64, paid_at: Option<UnixMillis>) -> Self {
        Self { received_msat, fee_msat, paid_at }
    }

    /// Returns the amount received, after fees, in millisatoshi. It can be negative.
    ///
    /// Source: `receivedSat` of phoenixd; `amount` less `fee` of LNbits.
    #[must_use]
    pub const fn received_msat(&self) -> i64 {
        self.received_msat
    }

    /// Returns the fee that the payee paid, in millisatoshi.
    ///
    /// Source: `fees` of phoenixd, and `fee` of LNbits.
    #[must_use]
    pub const fn fee_msat(&self) -> u64 {
        self.fee_msat
    }

    /// Returns when the payment arrived, by the backend's clock.
    ///
    /// Source: `completedAt` of phoenixd; `updated_at` of LNbits, which later changes of the record
    /// move.
    #[must_use]
    pub const fn paid_at(&self) -> Option<UnixMillis> {
        self.paid_at
    }
}
