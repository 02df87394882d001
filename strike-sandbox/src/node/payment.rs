//! The result of a payment, and the errors of paying a charge.

use data_encoding::HEXLOWER;
use strike_core::{PaymentHash, UnixMillis};

/// A successful payment with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub(crate) preimage: [u8; 32],
    pub(crate) payment_hash: PaymentHash,
    pub(crate) at: UnixMillis,
}

impl Paid {
    /// Returns the preimage: the 32 bytes whose SHA-256 is the payment hash. A payer's wallet keeps
    /// it as proof of payment.
    #[must_use]
    pub const fn preimage(&self) -> &[u8; 32] {
        &self.preimage
    }

    /// Returns the preimage as 64 lower-case hex digits.
    #[must_use]
    pub fn preimage_hex(&self) -> String {
        HEXLOWER.encode(&self.preimage)
    }

    /// Returns the payment hash of the invoice.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// Returns the time of the payment by the sandbox's clock. The charge's `updated` has the same
    /// value.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.at
    }
}

/// The error of paying a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// No charge has this id.
    #[error("no charge has this id")]
    UnknownCharge,
    /// The invoice has expired, so a wallet would not pay it.
    #[error("the invoice has expired")]
    Expired,
    /// The charge is already paid. An invoice can be paid only once.
    #[error("the charge is already paid")]
    AlreadyPaid,
    /// The node did not create this invoice.
    #[error("the invoice is not from this node")]
    UnknownInvoice,
    /// The payment over the channel failed, and nothing was paid. Only `Settlement::Lightning`
    /// returns this.
    #[error("the Lightning payment failed")]
    Unpaid,
    /// The payment could not be written to the data file. The charge is not paid.
    #[error("the payment could not be written to the data file, and the charge is not paid")]
    Storage,
}
