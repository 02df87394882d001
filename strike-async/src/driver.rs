//! Runs sans-IO machines: sends their requests, waits, and returns their result.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::lock::Mutex as AsyncMutex;
use strike_core::machine::{Machine, OrderMemory, OrderRecord, Step};
use strike_core::{AttemptReport, CoreClient, Error, Now, Observer, OrderKey, RetryPolicy};

use crate::timer::Timer;
use crate::transport::AsyncTransport;
use crate::wake::Wake;

/// The state that a client shares with its clones, iterators and lazy charges.
#[derive(Clone)]
pub(crate) struct Driver {
    core: Arc<CoreClient>,
    shared: Arc<Shared>,
}

struct Shared {
    transport: Box<dyn AsyncTransport>,
    timer: Box<dyn Timer>,
    observer: Option<Box<dyn Observer>>,
    /// One lock per recent order, so that creates with the same key run one after the other.
    orders: Mutex<OrderMemory<AsyncMutex<OrderRecord>>>,
}

impl Driver {
    pub(crate) fn new(
        core: CoreClient,
        transport: Box<dyn AsyncTransport>,
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
    pub(crate) fn order_lock(&self, key: OrderKey) -> Arc<AsyncMutex<OrderRecord>> {
        self.shared.orders.lock().unwrap_or_else(PoisonError::into_inner).lock_of(key)
    }

    /// Runs a machine until it returns its result. `call` is the name of the client's method, for
    /// traces.
    pub(crate) async fn run<M: Machine>(&self, call: &'static str, machine: M) -> Result<M::Output, Error> {
        self.traced(call, self.steps(machine, None)).await
    }

    /// Runs a machine until it returns its result. `wake` ends a wait early.
    pub(crate) async fn run_until<M: Machine>(
        &self,
        call: &'static str,
        machine: M,
        wake: &Wake,
    ) -> Result<M::Output, Error> {
        self.traced(call, self.steps(machine, Some(wake))).await
    }

    /// Runs a call in a span of its own, with the feature `tracing`.
    async fn traced<T>(&self, call: &'static str, run: impl Future<Output = T>) -> T {
        #[cfg(feature = "tracing")]
        let run = strike_core::trace::tracing::Instrument::instrument(run, strike_core::trace::span(call));
        #[cfg(not(feature = "tracing"))]
        let _ = call;
        run.await
    }

    async fn steps<M: Machine>(&self, mut machine: M, wake: Option<&Wake>) -> Result<M::Output, Error> {
        let Shared { transport, timer, .. } = &*self.shared;
        let mut now = timer.now();
        loop {
            match machine.poll(now) {
                Step::Send(exchange) => {
                    let attempt = AttemptReport::start(&exchange, now.monotonic);
                    let reply = transport.exchange(exchange).await;
                    now = timer.now();
                    self.report(&attempt.finish(&reply, now.monotonic));
                    machine.handle(reply, now);
                }
                Step::Wait(duration) => {
                    match wake {
                        Some(wake) => wake.or(timer.wait(duration)).await,
                        None => timer.wait(duration).await,
                    }
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
