//! The service's Lightning node, which signs invoices and receives payments.

mod instant;
mod invoice;
#[cfg(feature = "lightning")]
mod lightning;
mod payment;
mod phoenixd_invoice;

use strike_core::{Network, UnixMillis};

pub(crate) use invoice::{
    DEFAULT_EXPIRY, Description, InvoiceFormat, InvoiceTerms, NodeKey, SigningError, payment_hash,
};
pub use payment::{Paid, PayError};

use self::instant::InstantNode;
#[cfg(feature = "lightning")]
use self::lightning::LightningNode;

/// The 32 bytes whose SHA-256 is a payment hash. A payer's wallet keeps them as proof of payment.
pub(crate) type Preimage = [u8; 32];

/// A node that receives payments, together with the wallet of the payer.
pub(crate) trait Node: Send {
    /// Returns the public key that verifies the node's invoices, as 66 lower-case hex digits.
    fn payee(&self) -> String;

    /// Signs an invoice with these terms.
    fn invoice(&mut self, terms: &InvoiceTerms<'_>) -> Result<String, SigningError>;

    /// Pays an invoice of this node and returns the preimage that the payer receives.
    ///
    /// `preimage` is the one that the node reveals when the payment arrives.
    fn settle(&mut self, invoice: &str, preimage: &Preimage, now: UnixMillis) -> Result<Preimage, PayError>;
}

/// How charges are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Settlement {
    /// Immediately and without a network. The sandbox checks the invoice and reveals its preimage.
    #[default]
    Instant,
    /// With a real HTLC over a channel between two Lightning nodes in this process.
    ///
    /// The nodes exist only in memory. The first payment opens a channel. When its capacity is used
    /// up, the next payment opens another one.
    #[cfg(feature = "lightning")]
    Lightning,
}

impl Settlement {
    /// Creates a node with this key.
    pub(crate) fn node(
        self,
        network: Network,
        key: NodeKey,
        #[cfg_attr(
            not(feature = "lightning"),
            expect(unused_variables, reason = "only Lightning nodes use it")
        )]
        now: UnixMillis,
    ) -> Box<dyn Node> {
        match self {
            Self::Instant => Box::new(InstantNode::new(network, key)),
            #[cfg(feature = "lightning")]
            Self::Lightning => Box::new(LightningNode::new(network, key, now)),
        }
    }
}
