//! A node that settles payments immediately, without a network.

use strike_core::{Invoice, Network, UnixMillis};

use super::invoice::{InvoiceTerms, NodeKey, Signer, SigningError, payment_hash};
use super::{Node, PayError, Preimage};

/// Signs invoices, and reveals the preimage of an invoice that has not expired.
pub(crate) struct InstantNode(Signer);

impl InstantNode {
    pub(crate) fn new(network: Network, key: NodeKey) -> Self {
        Self(Signer::new(network, key))
    }
}

impl Node for InstantNode {
    fn payee(&self) -> String {
        self.0.payee()
    }

    fn invoice(&mut self, terms: &InvoiceTerms<'_>) -> Result<String, SigningError> {
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
