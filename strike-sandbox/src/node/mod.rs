//! The Lightning node behind the service: it makes the invoices, and is paid by them.

mod instant;
mod invoice;
mod paid;

use strike_core::UnixMillis;

pub(crate) use instant::Instant;
pub(crate) use invoice::{DEFAULT_EXPIRY, NodeKey, Terms, Unsignable, payment_hash};
pub use paid::{Paid, PayError};

/// 32 bytes whose SHA-256 is a payment hash: what a payer's wallet keeps as its receipt.
pub(crate) type Preimage = [u8; 32];

/// A node that is paid, and the wallet that pays it.
pub(crate) trait Node: Send {
    /// The node's public key as 66 lower-case hex digits, to which every invoice's signature leads.
    fn payee(&self) -> String;

    /// A signed invoice for these terms.
    fn invoice(&mut self, terms: &Terms<'_>) -> Result<String, Unsignable>;

    /// Pays an invoice of this node, which releases the preimage that it was made for. The payer learns it by
    /// having paid, so what comes back is the payer's knowledge.
    fn settle(&mut self, invoice: &str, preimage: &Preimage, now: UnixMillis) -> Result<Preimage, PayError>;
}
