//! Runs sans-IO machines: sends their requests, waits, and returns their result.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use strike_core::machine::{Machine, OrderMemory, OrderRecord, Step};
use strike_core::{AttemptReport, CoreClient, Error, Now, Observer, OrderKey, RetryPolicy};

use crate::timer::{Timer, Wake};
use crate::transport::Transport;

/// The state that a client shares with its clones, iterators and lazy charges.
#[derive(Clone)]
pub(crate) struct Driver {
    core: Arc<CoreClient>,
    shared: Arc<Shared>,
}

struct Shared {
    transport: Box<dyn Transport>,
    timer: Box<dyn Timer>,
    observer: Option<Box<dyn Observer>>,
    /// One lock per recent order, so that creates with the same key run one after the other.
    orders: Mutex<OrderMemory<Mutex<OrderRecord>>>,
}

impl Driver {
    pub(crate) fn new(
        core: CoreClient,
        transport: Box<dyn Transport>,
        timer: Box<dyn Timer>,
        observer: Option<Box<dyn Observer>>,
    ) -> Self {
        let shared = Shared { transport, timer, observer, orders: Mutex::default() };
        Self { core: Arc::new(core), shared: Arc::new(shared) }
    }

    /// Returns the same driver with another retry policy.
    pub(crate) fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self { core: Arc::new(self.core.with_policy(policy)), shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn core(&self) -> &CoreClient {
        &self.core
    }

    pub(crate) fn now(&self) -> Now {
        self.shared.timer.now()
    }

    /// Returns the lock of an order. Hold it while a machine creates the charge of this order.
    pub(crate) fn order_lock(&self, key: OrderKey) -> Arc<Mutex<OrderRecord>> {
        self.shared.orders.lock().unwrap_or_else(PoisonError::into_inner).lock_of(key)
    }

    /// Runs a machine until it returns its result. `call` is the name of the client's method, for
    /// traces.
    pub(crate) fn run<M: Machine>(&self, call: &'static str, machine: M) -> Result<M::Output, Error> {
        self.run_until(call, machine, &Wake::default())
    }

    /// Runs a machine until it returns its result. `wake` ends a wait early.
    pub(crate) fn run_until<M: Machine>(
        &self,
        call: &'static str,
        mut machine: M,
        wake: &Wake,
    ) -> Result<M::Output, Error> {
        #[cfg(feature = "tracing")]
        let _span = strike_core::trace::span(call).entered();
        #[cfg(not(feature = "tracing"))]
        let _ = call;
        let Shared { transport, timer, .. } = &*self.shared;
        let mut now = timer.now();
        loop {
            match machine.poll(now) {
                Step::Send(exchange) => {
                    let attempt = AttemptReport::start(&exchange, now.monotonic);
                    let reply = transport.exchange(exchange);
                    now = timer.now();
                    self.report(&attempt.finish(&reply, now.monotonic));
                    machine.handle(reply, now);
                }
                Step::Wait(duration) => {
                    timer.wait(duration, wake);
                    now = timer.now();
                }
                Step::Done(result) => return result,
            }
        }
    }

    fn report(&self, report: &AttemptReport) {
        #[cfg(feature = "tracing")]
        strike_core::trace::event(report);
        if let Some(observer) = &self.shared.observer {
            observer.attempt(report);
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("core", &self.core).finish_non_exhaustive()
    }
}
