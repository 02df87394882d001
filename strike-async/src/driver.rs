//! Runs sans-IO machines: sends their requests, waits, and returns their result.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::lock::Mutex as AsyncMutex;
use strike_core::machine::{Machine, OrderMemory, OrderRecord, Step};
use strike_core::{AttemptReport, CoreClient, Error, Exchange, Now, Observer, OrderKey, Reply, RetryPolicy};

use crate::timer::Timer;
use crate::transport::{AsyncTransport, BoxFuture};

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
        in_span(call, self.steps(machine)).await
    }

    async fn steps<M: Machine>(&self, mut machine: M) -> Result<M::Output, Error> {
        let mut now = self.now();
        loop {
            match machine.poll(now) {
                Step::Send(exchange) => {
                    let reply;
                    (reply, now) = self.exchange(exchange, now).await;
                    machine.handle(reply, now);
                }
                Step::Wait(duration) => {
                    self.wait(duration).await;
                    now = self.now();
                }
                Step::Done(result) => return result,
            }
        }
    }

    /// Makes an exchange, and reports it. Returns the time of the reply, too.
    pub(crate) async fn exchange(&self, exchange: Exchange, now: Now) -> (Reply, Now) {
        let Shared { transport, timer, .. } = &*self.shared;
        let attempt = AttemptReport::start(&exchange, now.monotonic);
        let reply = transport.exchange(exchange).await;
        let now = timer.now();
        self.report(&attempt.finish(&reply, now.monotonic));
        (reply, now)
    }

    pub(crate) fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.shared.timer.wait(duration)
    }

    fn report(&self, report: &AttemptReport) {
        #[cfg(feature = "tracing")]
        strike_core::trace::event(report);
        if let Some(observer) = &self.shared.observer {
            observer.attempt(report);
        }
    }
}

/// Runs a call of the client in its span, if there are traces.
pub(crate) fn in_span<F: Future>(call: &'static str, run: F) -> impl Future<Output = F::Output> {
    #[cfg(feature = "tracing")]
    return strike_core::trace::tracing::Instrument::instrument(run, strike_core::trace::span(call));
    #[cfg(not(feature = "tracing"))]
    {
        let _ = call;
        run
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("core", &self.core).finish_non_exhaustive()
    }
}
