//! The environment of a client: the service, a virtual clock, and a record of all requests and
//! waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_async::BoxFuture;
use strike_core::machine::{Machine, Step};
use strike_core::{
    ChargeId, Delivery, Error, Exchange, HttpResponse, Now, Reply, TransportError, UnixMillis,
};
use strike_tests::{Backend, Drive};

use crate::scenario::Fault;

/// The start of the virtual clock: 2023-11-14T22:13:20Z.
pub const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// One thing that the client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Sent { method: String, target: String, body: String },
    Waited(Duration),
}

/// The environment of one client.
pub struct World {
    pub backend: Backend,
    faults: Vec<(usize, Fault)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    monotonic: Duration,
    payments: Vec<(Duration, ChargeId)>,
}

impl State {
    /// Records an event. Panics after 1000, to stop a client that never ends.
    fn add(&mut self, event: Event) {
        self.events.push(event);
        assert!(self.events.len() < 1000, "the client does not end: {:?}", &self.events[..20]);
    }
}

impl World {
    /// Creates the environment. The sandbox's clock must be at [`START`].
    pub fn new(backend: Backend, faults: Vec<(usize, Fault)>) -> Self {
        assert_eq!(backend.sandbox.now(), START);
        Self { backend, faults, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub fn elapsed(&self) -> Duration {
        self.state().monotonic
    }

    pub fn pay_in(&self, id: ChargeId, after: Duration) {
        let mut state = self.state();
        let at = state.monotonic + after;
        state.payments.push((at, id));
    }

    /// Records a request, and returns its number, from 1.
    pub fn record(&self, exchange: &Exchange) -> usize {
        let request = &exchange.request;
        let sent = Event::Sent {
            method: request.method().to_string(),
            target: request.uri().path_and_query().unwrap().to_string(),
            body: String::from_utf8(request.body().clone()).unwrap(),
        };
        let mut state = self.state();
        state.add(sent);
        state.events.iter().filter(|event| matches!(event, Event::Sent { .. })).count()
    }

    /// Sends an exchange to the backend in memory, or injects a fault.
    pub fn exchange(&self, exchange: Exchange) -> Reply {
        let number = self.record(&exchange);
        match self.faults.iter().find(|(which, _)| *which == number) {
            None => self.backend.reply(exchange),
            Some((_, Fault::Fails(kind, delivery))) => {
                if *delivery == Delivery::MaybeSent {
                    let _lost = self.backend.reply(exchange);
                }
                Err(TransportError::new(*kind, *delivery))
            }
            Some((_, Fault::Instead { status, header: (name, value), body })) => {
                let mut response = HttpResponse::new(body.as_bytes().to_vec());
                *response.status_mut() = (*status).try_into().unwrap();
                response.headers_mut().insert(*name, value.parse().unwrap());
                Ok(response)
            }
        }
    }

    pub fn now(&self) -> Now {
        let monotonic = self.elapsed();
        Now::new(monotonic, START.saturating_add(monotonic))
    }

    /// Advances the client's clock and the sandbox's, and makes the payments that become due.
    pub fn wait(&self, duration: Duration) {
        let mut state = self.state();
        state.add(Event::Waited(duration));
        let end = state.monotonic + duration;
        let due: Vec<_> = state.payments.extract_if(.., |(at, _)| *at <= end).collect();
        state.monotonic = end;
        drop(state);
        for (at, id) in due {
            self.set_sandbox_clock(START.saturating_add(at));
            self.backend.pay(&id).unwrap();
        }
        self.set_sandbox_clock(START.saturating_add(end));
    }

    /// Sets the sandbox's clock. It counts whole milliseconds, so adding durations would make the
    /// clocks diverge.
    fn set_sandbox_clock(&self, time: UnixMillis) {
        self.backend.sandbox.advance_to(time);
    }
}

/// A driver loop that is independent of the adapters' loops.
impl Drive for World {
    fn drive<M: Machine>(&self, mut machine: M) -> Result<M::Output, Error> {
        let mut step = machine.poll(self.now());
        loop {
            match step {
                Step::Done(result) => return result,
                Step::Wait(duration) => self.wait(duration),
                Step::Send(exchange) => machine.handle(self.exchange(exchange), self.now()),
            }
            step = machine.poll(self.now());
        }
    }
}

impl strike_blocking::Timer for World {
    fn now(&self) -> Now {
        self.now()
    }

    fn wait(&self, duration: Duration, _: &strike_blocking::Wake) {
        self.wait(duration);
    }
}

impl strike_async::Timer for World {
    fn now(&self) -> Now {
        self.now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // Time must pass when the future is polled, not when it is created.
        Box::pin(async move { self.wait(duration) })
    }
}
