//! Every charge of the account, as an iterator.

use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::client::Client;

/// Every charge of the account, newest first, each once; see [`Client::list_all`].
///
/// Pages are read as they are needed. A row that is no charge is an error, after which the rest follows; a page that cannot
/// be read is an error that ends it. So is [`Incomplete`](strike_core::ErrorKind::Incomplete): the list grows faster than it is
/// read, and charges are missing.
#[derive(Debug)]
#[must_use = "nothing is read until it is iterated"]
pub struct Charges {
    client: Client,
    pager: Pager,
}

impl Charges {
    pub(crate) const fn new(client: Client, pager: Pager) -> Self {
        Self { client, pager }
    }

    /// Asks for pages of that many rows; 30 unless set. The host may allow fewer.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.pager = self.pager.page_size(rows);
        self
    }

    /// Ends after that many charges.
    pub fn limit(mut self, most: u64) -> Self {
        self.pager = self.pager.limit(most);
        self
    }
}

impl Iterator for Charges {
    type Item = Result<Charge, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.client.drive(self.pager.next()).transpose()
    }
}
