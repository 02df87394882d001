//! The Lightning node behind the service: it makes the invoices, and is paid by them.

mod instant;
mod invoice;
#[cfg(feature = "lightning")]
mod lightning;
mod paid;

use strike_core::{Network, UnixMillis};

pub(crate) use invoice::{DEFAULT_EXPIRY, NodeKey, Shape, Terms, Unsignable, payment_hash};
pub use paid::{Paid, PayError};

use self::instant::Instant;
#[cfg(feature = "lightning")]
use self::lightning::Lightning;

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

/// How a charge is paid, and by which kind of node its invoice is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Settlement {
    /// At once, without a network: the invoice is read and checked, and its preimage released.
    #[default]
    Instant,
    /// Over a channel between two Lightning nodes in the process: by a real HTLC, through which the preimage comes
    /// back. The nodes live in memory; a channel is opened with the first payment, and another when it runs short.
    #[cfg(feature = "lightning")]
    Lightning,
}

impl Settlement {
    /// A node of this kind, with this key.
    pub(crate) fn node(
        self,
        network: Network,
        shape: Shape,
        key: NodeKey,
        #[cfg_attr(not(feature = "lightning"), expect(unused_variables, reason = "only channels need it"))]
        now: UnixMillis,
    ) -> Box<dyn Node> {
        match self {
            Self::Instant => Box::new(Instant::new(network, shape, key)),
            #[cfg(feature = "lightning")]
            Self::Lightning => Box::new(Lightning::new(network, shape, key, now)),
        }
    }
}
