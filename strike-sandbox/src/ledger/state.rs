//! What a charge has come to, why it cannot be made to expire, and the record of it that the owner of a sandbox reads.

use std::fmt;

use strike_core::{ChargeId, PaymentHash, Satoshi, UnixMillis};

use super::Charge;

/// What a charge has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChargeState {
    /// Its invoice can be paid.
    Pending,
    /// Its invoice was paid.
    Paid,
    /// Its invoice can no longer be paid. The API shows such a charge as unpaid, as the service did.
    Expired,
}

impl ChargeState {
    /// The word for it in `/sandbox/charges`: `pending`, `paid` or `expired`.
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

/// Why a charge cannot be made to expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExpireError {
    /// The sandbox has no charge of that id.
    #[error("no charge has this id")]
    UnknownCharge,
    /// It was paid, and stays so.
    #[error("the charge is already paid")]
    AlreadyPaid,
    /// The change could not be written to the sandbox's file, so the charge can still be paid.
    #[error("the change could not be written to the data file, and the charge has not expired")]
    Storage,
}

/// A charge as its sandbox knew it at one moment: it does not follow what happens later.
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

    /// The charge's name.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.charge.id
    }

    /// What it has come to.
    #[must_use]
    pub const fn state(&self) -> ChargeState {
        self.state
    }

    /// What the payer pays.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.charge.amount
    }

    /// The description, as it was sent.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.charge.description
    }

    /// The customer's name, if one was sent.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        self.charge.customer_id.as_deref()
    }

    /// The hash that the invoice carries.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.charge.payment_hash
    }

    /// The invoice.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.charge.payment_request
    }

    /// What the payer's wallet learned, once it is paid: the 32 bytes whose SHA-256 is the payment hash.
    #[must_use]
    pub fn preimage(&self) -> Option<&[u8; 32]> {
        (self.state == ChargeState::Paid).then_some(&self.charge.preimage)
    }

    /// When it was made, in milliseconds by the sandbox's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.charge.created
    }

    /// When it was paid, in milliseconds; else when it was made.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.charge.updated
    }

    /// From when on the invoice cannot be paid, in milliseconds.
    #[must_use]
    pub const fn expires(&self) -> UnixMillis {
        self.charge.expires
    }
}

impl fmt::Debug for ChargeRecord {
    /// Without the preimage, which is the payer's alone to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChargeRecord")
            .field("id", self.id())
            .field("state", &self.state)
            .field("amount", &self.amount())
            .field("description", &self.description())
            .finish_non_exhaustive()
    }
}
