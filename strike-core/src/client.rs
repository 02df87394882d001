//! `CoreClient`: creates the machines that run operations against one endpoint. The adapters'
//! clients wrap it.

use std::ops::DerefMut;
use std::sync::{Arc, OnceLock};

use crate::errors::Mismatch;
use crate::invoice::{CheckedInvoice, Expectation};
use crate::machine::context::Context;
use crate::machine::{
    Call, CreateOnce, CreateOnceOptions, ListMemory, OrderRecord, Pager, RetryPolicy, SetupCheck, Wait,
    WaitPaid, Watcher,
};
use crate::protocol::{Endpoint, Operation, server_clock};
use crate::values::{Charge, NewCharge, Now};

/// Creates the sans-IO machines for one endpoint, with a retry policy and a seed for jitter.
///
/// It performs no I/O. A client of the adapters is a `CoreClient` with a transport and a timer.
///
/// ```
/// use strike_core::{ApiKey, CoreClient, Endpoint, List, Network, RetryPolicy};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let endpoint = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = CoreClient::new(endpoint, RetryPolicy::default(), 7);
/// let call = client.call(List::page(0)); // Drive this machine: see the module `machine`.
/// # let _ = call;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CoreClient {
    context: Context,
    /// What create-onces remember of the list. Made by the first one, or by the first copy.
    list_memory: OnceLock<Arc<ListMemory>>,
}

impl CoreClient {
    /// Creates a client for this endpoint. The same seed gives the same jitter; nothing else
    /// depends on it.
    #[must_use]
    pub const fn new(endpoint: Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self { context: Context::new(endpoint, policy, seed), list_memory: OnceLock::new() }
    }

    /// Returns the same client with another retry policy. Both remember the same part of the list.
    #[must_use]
    pub fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self { context: self.context.fork_with(policy), list_memory: OnceLock::from(self.list_memory()) }
    }

    fn list_memory(&self) -> Arc<ListMemory> {
        Arc::clone(self.list_memory.get_or_init(Arc::default))
    }

    /// Returns the endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.context.endpoint
    }

    /// Checks a charge against an order, like [`Charge::check`]. Sends nothing.
    ///
    /// The server's time is taken as the local clock minus [`CLOCK_MARGIN`](crate::CLOCK_MARGIN).
    ///
    /// # Errors
    /// Returns a [`Mismatch`] that names the first field that differs.
    pub fn check(
        &self,
        charge: &Charge,
        expected: &Expectation,
        now: Now,
    ) -> Result<CheckedInvoice, Mismatch> {
        charge.check(expected, server_clock::server_time(None, now))
    }

    /// Returns a machine that checks the credential, the network and the base URL.
    ///
    /// Run it when your program starts. It creates no charge.
    #[must_use]
    pub fn check_setup(&self) -> SetupCheck {
        SetupCheck::new(&self.context)
    }

    /// Returns a machine that runs one operation, with retries.
    pub fn call<Op: Operation>(&self, op: Op) -> Call<Op> {
        Call::new(op, self.context.fork())
    }

    /// Returns a machine that creates one charge per order key.
    ///
    /// It starts without a record of the key, and its record is dropped with it. To keep the record
    /// between calls, use [`create_once_with`](Self::create_once_with).
    pub fn create_once(&self, order: NewCharge, options: impl Into<CreateOnceOptions>) -> CreateOnce {
        self.create_once_with(order, options, Box::default())
    }

    /// Returns a machine that creates one charge per order key, with the record of earlier calls.
    ///
    /// [`OrderMemory`](crate::machine::OrderMemory) keeps the records of many orders.
    pub fn create_once_with<G: DerefMut<Target = OrderRecord>>(
        &self,
        order: NewCharge,
        options: impl Into<CreateOnceOptions>,
        record: G,
    ) -> CreateOnce<G> {
        CreateOnce::new(order, options, record, self.list_memory(), self.context.fork())
    }

    /// Returns a machine that reads the whole list, one charge at a time.
    pub fn pager(&self) -> Pager {
        Pager::new(self.context.fork())
    }

    /// Returns a machine that watches any number of charges.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(self.context.fork())
    }

    /// Returns a machine that waits until one charge is paid or expires.
    pub fn wait(&self, charge: Charge, wait: impl Into<Wait>) -> WaitPaid {
        WaitPaid::new(charge, wait, self.context.fork())
    }
}
