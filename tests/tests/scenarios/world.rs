//! What surrounds a client: the service, clocks that move only by waiting, and a record of all that is sent and waited.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_async::BoxFuture;
use strike_core::{ChargeId, Delivery, Exchange, HttpResponse, Now, Reply, TransportError, UnixMillis};
use strike_sandbox::Sandbox;

use crate::scenario::Fault;

/// When it all begins: 2023-11-14T22:13:20Z.
pub const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// What a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Sent { method: String, target: String, body: String },
    Waited(Duration),
}

/// The world of one client.
pub struct World {
    pub sandbox: Sandbox,
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
    /// Whoever waits or asks for ever is stopped here.
    fn add(&mut self, event: Event) {
        self.events.push(event);
        assert!(self.events.len() < 1000, "no end is in sight: {:?}", &self.events[..20]);
    }
}

impl World {
    /// The sandbox's clock must stand at [`START`].
    pub fn new(sandbox: Sandbox, faults: Vec<(usize, Fault)>) -> Self {
        assert_eq!(sandbox.now(), START);
        Self { sandbox, faults, state: Mutex::default() }
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

    /// Writes down what is sent; answers which exchange it is, counted from 1.
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

    /// The transport in memory.
    pub fn exchange(&self, exchange: Exchange) -> Reply {
        let number = self.record(&exchange);
        match self.faults.iter().find(|(which, _)| *which == number) {
            None => self.sandbox.reply(exchange),
            Some((_, Fault::Fails(kind, delivery))) => {
                if *delivery == Delivery::MaybeSent {
                    let _lost = self.sandbox.reply(exchange);
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

    /// Time passes: for the clocks, the sandbox and the payer.
    pub fn wait(&self, duration: Duration) {
        let mut state = self.state();
        state.add(Event::Waited(duration));
        let end = state.monotonic + duration;
        let due: Vec<_> = state.payments.extract_if(.., |(at, _)| *at <= end).collect();
        state.monotonic = end;
        drop(state);
        for (at, id) in due {
            self.sandbox_to(START.saturating_add(at));
            self.sandbox.pay(&id).unwrap();
        }
        self.sandbox_to(START.saturating_add(end));
    }

    /// The sandbox counts whole milliseconds: moving it to a moment, not by a duration, keeps the clocks together.
    fn sandbox_to(&self, moment: UnixMillis) {
        self.sandbox.advance_to(moment);
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
        // When it is polled, as a timer does, and not when it is made.
        Box::pin(async move { self.wait(duration) })
    }
}
