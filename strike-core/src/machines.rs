//! Makes machines for one host: every adapter has one of these, a transport and a timer, and that is a client.

use alloc::boxed::Box;
use core::ops::DerefMut;

use crate::call::Call;
use crate::create_once::{CreateOnce, CreateOnceOptions};
use crate::endpoint::Endpoint;
use crate::error::Mismatch;
use crate::invoice::{CheckedInvoice, Expectation};
use crate::machine::Now;
use crate::new_charge::NewCharge;
use crate::op::Operation;
use crate::order_memory::OrderRecord;
use crate::pager::Pager;
use crate::policy::{RetryPolicy, Seeds};
use crate::server_clock;
use crate::types::Charge;
use crate::wait::{Wait, WaitPaid};
use crate::watch::Watcher;

/// An endpoint, how it is asked, and where the jitter comes from: all that the machines of a client share.
///
/// ```
/// use strike_core::{ApiKey, Endpoint, List, CoreClient, Network, RetryPolicy};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let machines = CoreClient::new(at, RetryPolicy::default(), 7);
/// let call = machines.call(List::page(0));
/// # let _ = call;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CoreClient {
    at: Endpoint,
    policy: RetryPolicy,
    seeds: Seeds,
}

impl CoreClient {
    /// Machines for that host. The seed decides every jitter and nothing else.
    #[must_use]
    pub const fn new(at: Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self { at, policy, seeds: Seeds::new(seed) }
    }

    /// The host.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.at
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
        Call::new(op, &self.at, self.policy, self.seeds.draw())
    }

    /// A charge, created once per key. It remembers nothing of the key after its end.
    pub fn create_once(&self, order: NewCharge, once: impl Into<CreateOnceOptions>) -> CreateOnce {
        self.create_once_with(order, once, Box::default())
    }

    /// A charge, created once per key, with what is known of that key; see [`OrderMemory`](crate::OrderMemory).
    pub fn create_once_with<G: DerefMut<Target = OrderRecord>>(
        &self,
        order: NewCharge,
        once: impl Into<CreateOnceOptions>,
        record: G,
    ) -> CreateOnce<G> {
        CreateOnce::with_record(order, once, record, &self.at, self.policy, self.seeds.draw())
    }

    /// The whole list, charge by charge.
    pub fn pager(&self) -> Pager {
        Pager::new(&self.at, self.policy, self.seeds.draw())
    }

    /// A watch over any number of charges.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(&self.at, self.policy, self.seeds.draw())
    }

    /// A wait for one charge.
    pub fn wait(&self, charge: Charge, wait: impl Into<Wait>) -> WaitPaid {
        WaitPaid::new(charge, wait, &self.at, self.policy, self.seeds.draw())
    }
}
