//! A node without a network: an invoice that could be paid is paid at once.

use strike_core::{Invoice, Network, UnixMillis};

use super::invoice::{NodeKey, Shape, Signer, Terms, Unsignable, payment_hash};
use super::{Node, PayError, Preimage};

/// Signs with a key of its own, and hands out the preimage of an invoice that a wallet would pay.
pub(crate) struct Instant(Signer);

impl Instant {
    pub(crate) fn new(network: Network, shape: Shape, key: NodeKey) -> Self {
        Self(Signer::new(network, shape, key))
    }
}

impl Node for Instant {
    fn payee(&self) -> String {
        self.0.payee()
    }

    fn invoice(&mut self, terms: &Terms<'_>) -> Result<String, Unsignable> {
        self.0.sign(terms)
    }

    fn settle(&mut self, invoice: &str, preimage: &Preimage, now: UnixMillis) -> Result<Preimage, PayError> {
        let invoice = Invoice::read(invoice).map_err(|_| PayError::UnknownInvoice)?;
        if *invoice.payment_hash() != payment_hash(preimage) {
            return Err(PayError::UnknownInvoice);
        }
        if now >= invoice.expires_at() {
            return Err(PayError::Expired);
        }
        Ok(*preimage)
    }
}
