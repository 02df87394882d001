//! What a client orders, in the API of the service or in phoenixd's: the terms of a new charge.

use std::time::Duration;

use strike_core::Satoshi;

use crate::ledger::Extras;
use crate::node::{Description, InvoiceFormat};

/// The valid terms of a new charge.
pub(crate) struct Order {
    pub(crate) format: InvoiceFormat,
    pub(crate) amount: Satoshi,
    /// Empty if the extras contain a description hash.
    pub(crate) description: String,
    pub(crate) customer_id: Option<String>,
    /// `None` leaves the expiry out of the invoice.
    pub(crate) expiry: Option<Duration>,
    pub(crate) extras: Extras,
}

impl Order {
    /// Returns the description as the invoice contains it.
    pub(crate) fn invoice_description(&self) -> Description<'_> {
        self.extras.description_hash.map_or(Description::Text(&self.description), Description::Hash)
    }
}
