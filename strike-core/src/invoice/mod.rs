//! Reads BOLT11 invoices and checks them against the charge and the order.
//!
//! An [`Invoice`] is decoded but not verified. A [`CheckedInvoice`] passed [`Charge::check`], so
//! you can show it to a payer.

mod bech32;
mod check;
mod error;
mod expectation;
#[cfg(feature = "signature")]
mod payee;
mod read;
#[cfg(feature = "signature")]
mod signature;
mod wallet;

pub use check::CheckedInvoice;
pub(crate) use check::{compare, expired};
pub use error::InvoiceError;
pub use expectation::Expectation;
#[cfg(feature = "signature")]
pub use payee::PayeeKey;
pub(crate) use read::bare;
pub use read::{Invoice, InvoiceDescription};
pub use wallet::WalletObjection;

use crate::values::Charge;

impl Charge {
    /// Decodes the charge's invoice without verifying it. To verify it, use
    /// [`check`](Charge::check).
    ///
    /// # Errors
    /// Returns [`InvoiceError`] if the payment request is not a valid BOLT11 invoice. The rest of
    /// the charge can still be used.
    pub fn invoice(&self) -> Result<Invoice, InvoiceError> {
        Invoice::read(self.payment_request())
    }
}
