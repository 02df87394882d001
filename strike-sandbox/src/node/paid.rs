//! What a payment gives, and why there was none.

use data_encoding::HEXLOWER;
use strike_core::{PaymentHash, UnixMillis};

/// A payment that was made, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub(crate) preimage: [u8; 32],
    pub(crate) payment_hash: PaymentHash,
    pub(crate) at: UnixMillis,
}

impl Paid {
    /// The 32 bytes whose SHA-256 is the payment hash: what a payer's wallet keeps as its receipt.
    #[must_use]
    pub const fn preimage(&self) -> &[u8; 32] {
        &self.preimage
    }

    /// The preimage as 64 lower-case hex digits.
    #[must_use]
    pub fn preimage_hex(&self) -> String {
        HEXLOWER.encode(&self.preimage)
    }

    /// The hash that the invoice carries.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// When it was paid, by the sandbox's clock; the charge's `updated` says the same.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.at
    }
}

/// Why a charge cannot be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// The sandbox has no charge of that id.
    #[error("no charge has this id")]
    UnknownCharge,
    /// The invoice's time is over, so no wallet would pay it.
    #[error("the invoice has expired")]
    Expired,
    /// It was paid before; an invoice is paid once.
    #[error("the charge is already paid")]
    AlreadyPaid,
    /// The node did not take the invoice for one of its own.
    #[error("the node does not know this invoice")]
    UnknownInvoice,
    /// The payer's wallet could not get the payment through; nothing was paid. Only a sandbox that settles over a
    /// channel can say so.
    #[error("no payment got through")]
    Unpaid,
    /// The payment could not be written to the sandbox's file, so the charge is not paid.
    #[error("the payment could not be written to the data file, and the charge is not paid")]
    Storage,
}
