//! Every charge of the account, as an iterator.

use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::driver::Driver;

/// Every charge of the account, newest first, each once; see [`Client::list_all`](crate::Client::list_all).
///
/// Pages are read when they are needed. An error for a row that is not a charge does not end the iteration. An error
/// for a page does, and so does [`Incomplete`](crate::ErrorKind::Incomplete): the list grows faster than it is read,
/// and charges are missing.
#[derive(Debug)]
#[must_use = "nothing is read until it is iterated"]
pub struct Charges {
    driver: Driver,
    pager: Pager,
}

impl Charges {
    pub(crate) const fn new(driver: Driver, pager: Pager) -> Self {
        Self { driver, pager }
    }

    /// Sets the number of rows per page. The default is 30. The host may allow fewer.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.pager = self.pager.page_size(rows);
        self
    }

    /// Ends the iteration after this many charges.
    pub fn limit(mut self, most: u64) -> Self {
        self.pager = self.pager.limit(most);
        self
    }
}

impl Iterator for Charges {
    type Item = Result<Charge, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.driver.run("list_all", self.pager.next()).transpose()
    }
}
