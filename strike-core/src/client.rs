//! Makes machines for one host: every adapter has one of these, a transport and a timer, and that is a client.

use std::ops::DerefMut;

use crate::errors::Mismatch;
use crate::invoice::{CheckedInvoice, Expectation};
use crate::machine::context::Context;
use crate::machine::{
    Call, CreateOnce, CreateOnceOptions, OrderRecord, Pager, RetryPolicy, Wait, WaitPaid, Watcher,
};
use crate::protocol::{Endpoint, Operation, server_clock};
use crate::values::{Charge, NewCharge, Now};

/// An endpoint, how it is asked, and where the jitter comes from: all that the machines of a client share.
///
/// ```
/// use strike_core::{ApiKey, Endpoint, List, CoreClient, Network, RetryPolicy};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let endpoint = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let machines = CoreClient::new(endpoint, RetryPolicy::default(), 7);
/// let call = machines.call(List::page(0));
/// # let _ = call;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CoreClient {
    context: Context,
}

impl CoreClient {
    /// Machines for that host. The seed decides every jitter and nothing else.
    #[must_use]
    pub const fn new(endpoint: Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self { context: Context::new(endpoint, policy, seed) }
    }

    /// Returns the same client with another retry policy.
    #[must_use]
    pub fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self { context: self.context.fork_with(policy) }
    }

    /// The host.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.context.endpoint
    }

    /// Checks a charge against an order as [`Charge::check`] does, with the local clock less
    /// [`CLOCK_MARGIN`](crate::CLOCK_MARGIN) as the server's time.
    ///
    /// # Errors
    /// [`Mismatch`] names the first field that differs.
    pub fn check(
        &self,
        charge: &Charge,
        expected: &Expectation,
        now: Now,
    ) -> Result<CheckedInvoice, Mismatch> {
        charge.check(expected, server_clock::server_time(None, now))
    }

    /// One operation, with retries.
    pub fn call<Op: Operation>(&self, op: Op) -> Call<Op> {
        Call::new(op, self.context.fork())
    }

    /// A charge, created once per key. It remembers nothing of the key after its end.
    pub fn create_once(&self, order: NewCharge, once: impl Into<CreateOnceOptions>) -> CreateOnce {
        self.create_once_with(order, once, Box::default())
    }

    /// A charge, created once per key, with what is known of that key; see [`OrderMemory`](crate::machine::OrderMemory).
    pub fn create_once_with<G: DerefMut<Target = OrderRecord>>(
        &self,
        order: NewCharge,
        once: impl Into<CreateOnceOptions>,
        record: G,
    ) -> CreateOnce<G> {
        CreateOnce::new(order, once, record, self.context.fork())
    }

    /// The whole list, charge by charge.
    pub fn pager(&self) -> Pager {
        Pager::new(self.context.fork())
    }

    /// A watch over any number of charges.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(self.context.fork())
    }

    /// A wait for one charge.
    pub fn wait(&self, charge: Charge, wait: impl Into<Wait>) -> WaitPaid {
        WaitPaid::new(charge, wait, self.context.fork())
    }
}
