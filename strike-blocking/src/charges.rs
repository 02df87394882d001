//! `Charges`: an iterator over every charge of the account.

use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::driver::Driver;

/// An iterator over every charge of the account, newest first, each once.
/// [`Client::list_all`](crate::Client::list_all) returns it.
///
/// It reads a page when it needs one, and none ahead. These errors can occur:
///
/// - A row is not a charge. The iteration continues after this error.
/// - A page cannot be read. The iteration ends.
/// - The list grows faster than it is read, so charges may be missing. The iteration ends with
///   [`Incomplete`](crate::ErrorKind::Incomplete).
///
/// ```
/// use strike_blocking::{ApiKey, Client, Endpoint, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// let sandbox = Sandbox::new();
/// let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| server.reply(x)).build()?;
/// client.create(NewCharge::satoshis(4200, "coffee"))?;
/// for charge in client.list_all().limit(100) {
///     println!("{}", charge?);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    /// Sets the number of rows per page. The default is 30. The server may limit it.
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
