//! What a BOLT11 invoice says, and whether that is what the charge and the order say.
//!
//! [`Invoice`] is what was read and nobody vouches for. [`CheckedInvoice`] is what a payer may be shown: it exists
//! only where [`Charge::check`] found no [`Mismatch`](crate::Mismatch).

mod check;
mod expectation;
#[cfg(feature = "signature")]
mod payee;
mod read;
#[cfg(feature = "signature")]
mod signature;
mod wallet;

pub use check::CheckedInvoice;
pub(crate) use check::{compare, expired};
pub use expectation::Expectation;
#[cfg(feature = "signature")]
pub use payee::PayeeKey;
pub(crate) use read::bare;
pub use read::{Invoice, InvoiceDescription, InvoiceError};
pub use wallet::WalletObjection;

use crate::values::Charge;

impl Charge {
    /// What the charge's invoice says, unverified.
    ///
    /// # Errors
    /// [`InvoiceError`] says why it cannot be read. The charge itself is none the worse for it.
    pub fn invoice(&self) -> Result<Invoice, InvoiceError> {
        Invoice::read(self.payment_request())
    }
}
