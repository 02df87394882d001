//! The public types of a charge: its state, a snapshot, and the error of making it expire.

use std::fmt;

use strike_core::{ChargeId, PaymentHash, Satoshi, UnixMillis};

use super::Charge;

/// Whether a charge is pending, paid or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChargeState {
    /// The invoice can be paid.
    Pending,
    /// The invoice was paid.
    Paid,
    /// The invoice can no longer be paid. The API shows the charge as unpaid, as the original
    /// service did.
    Expired,
}

impl ChargeState {
    /// Returns the state's name in `/sandbox/charges`: `pending`, `paid` or `expired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for ChargeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of making a charge expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExpireError {
    /// No charge has this id.
    #[error("no charge has this id")]
    UnknownCharge,
    /// The charge is already paid, so it cannot expire.
    #[error("the charge is already paid")]
    AlreadyPaid,
    /// The change could not be written to the data file. The charge can still be paid.
    #[error("the change could not be written to the data file, and the charge has not expired")]
    Storage,
}

/// A snapshot of a charge. Later changes of the charge do not update it.
#[derive(Clone)]
pub struct ChargeRecord {
    charge: Charge,
    state: ChargeState,
}

impl ChargeRecord {
    pub(crate) fn new(charge: Charge, now: UnixMillis) -> Self {
        let state = charge.state(now);
        Self { charge, state }
    }

    /// Returns the charge's id.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.charge.id
    }

    /// Returns the state at the time of the snapshot.
    #[must_use]
    pub const fn state(&self) -> ChargeState {
        self.state
    }

    /// Returns the amount to pay.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.charge.amount
    }

    /// Returns the description as the client sent it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.charge.description
    }

    /// Returns the customer id, if the client sent one.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        self.charge.customer_id.as_deref()
    }

    /// Returns the payment hash of the invoice.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.charge.payment_hash
    }

    /// Returns the payment request, which is a BOLT11 invoice.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.charge.payment_request
    }

    /// Returns the preimage of the payment hash once the charge is paid, and `None` before.
    ///
    /// Its SHA-256 is the payment hash. A payer's wallet keeps it as proof of payment.
    #[must_use]
    pub fn preimage(&self) -> Option<&[u8; 32]> {
        (self.state == ChargeState::Paid).then_some(&self.charge.preimage)
    }

    /// Returns the time of creation by the sandbox's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.charge.created
    }

    /// Returns the time of the payment, or the time of creation if the charge is not paid.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.charge.updated
    }

    /// Returns the time from which the invoice cannot be paid.
    #[must_use]
    pub const fn expires(&self) -> UnixMillis {
        self.charge.expires
    }
}

impl fmt::Debug for ChargeRecord {
    /// Omits the preimage, which is the payer's proof of payment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChargeRecord")
            .field("id", self.id())
            .field("state", &self.state)
            .field("amount", &self.amount())
            .field("description", &self.description())
            .finish_non_exhaustive()
    }
}
