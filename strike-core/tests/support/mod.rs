//! Shared test helpers: an endpoint, replies, and a driver with virtual clocks.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod host;
pub mod invoices;

use std::time::Duration;

use http::Response;
use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    ApiKey, Charge, Delivery, Endpoint, Error, Exchange, Get, Network, Now, Reply, TransportError,
    TransportErrorKind, UnixMillis,
};

/// An API key that must not appear in any output.
pub const CANARY: &str = "sk_CanaryCanaryCanary1234567";

/// The start of the virtual clock in milliseconds since the epoch, 1 s after the test charge.
pub const START: u64 = 1_700_000_001_000;

/// Returns the clocks at the start of the virtual time.
pub fn start() -> Now {
    Now::new(Duration::ZERO, UnixMillis::from_millis(START))
}

pub fn endpoint() -> Endpoint {
    Endpoint::builder("http://127.0.0.1:1/api/v1/", ApiKey::new(CANARY).unwrap(), Network::Testnet)
        .check_invoices(false)
        .build()
        .unwrap()
}

/// Returns the test charge as JSON with some fields changed. `null` removes a field.
pub fn charge_json(changes: &[(&str, serde_json::Value)]) -> serde_json::Value {
    let mut charge = serde_json::json!({
        "id": "ch_1",
        "object": "charge",
        "amount": 4200,
        "currency": "btc",
        "amount_satoshi": 4200,
        "payment_hash": "ab".repeat(32),
        "payment_request": "invented",
        "description": "tea",
        "paid": false,
        "created": 1_700_000_000_000_u64,
        "updated": 1_700_000_000_000_u64,
    });
    let fields = charge.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(*name);
        } else {
            fields.insert((*name).to_owned(), value.clone());
        }
    }
    charge
}

/// A charge that a response contained, with some fields changed.
pub fn charge(changes: &[(&str, serde_json::Value)]) -> Charge {
    read_charge(&charge_json(changes))
}

/// Reads a charge from a response with this body.
pub fn read_charge(body: &serde_json::Value) -> Charge {
    let id = body["id"].as_str().unwrap().parse().unwrap();
    let response = Response::new(body.to_string().into_bytes());
    Get::new(id).parse(&endpoint(), &response, start()).unwrap()
}

pub fn respond(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Ok(Response::builder().status(status).body(body.into()).unwrap())
}

pub fn ok(body: &serde_json::Value) -> Reply {
    respond(200, body.to_string())
}

pub fn no_response(kind: TransportErrorKind, delivery: Delivery) -> Reply {
    Err(TransportError::new(kind, delivery))
}

/// One step of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    Send(String),
    Wait(Duration),
}

/// A driver with virtual clocks, which advance only while a machine waits.
pub struct Virtual {
    pub now: Now,
    pub log: Vec<Did>,
}

impl Virtual {
    pub fn new() -> Self {
        Self { now: start(), log: Vec::new() }
    }

    pub fn advance(&mut self, by: Duration) {
        self.now.monotonic += by;
        self.now.unix = self.now.unix.saturating_add(by);
    }

    /// Drives a machine to its end. Panics after 10,000 steps.
    pub fn run<M: Machine>(
        &mut self,
        machine: &mut M,
        mut server: impl FnMut(Exchange, &mut Now) -> Reply,
    ) -> Result<M::Output, Error> {
        self.run_losing(machine, |exchange, now| Some(server(exchange, now)))
    }

    /// Like `run`, but the server can return `None`: the machine is then polled without a reply.
    pub fn run_losing<M: Machine>(
        &mut self,
        machine: &mut M,
        mut server: impl FnMut(Exchange, &mut Now) -> Option<Reply>,
    ) -> Result<M::Output, Error> {
        for _ in 0..10_000 {
            match machine.poll(self.now) {
                Step::Send(exchange) => {
                    let path = exchange.request.uri().path_and_query().unwrap().as_str();
                    self.log.push(Did::Send(format!("{} {path}", exchange.request.method())));
                    if let Some(reply) = server(exchange, &mut self.now) {
                        machine.handle(reply, self.now);
                    }
                }
                Step::Wait(wait) => {
                    assert!(!wait.is_zero(), "a wait of zero is a busy loop");
                    self.log.push(Did::Wait(wait));
                    self.advance(wait);
                }
                Step::Done(result) => return result,
            }
        }
        panic!("no end after 10 000 steps: {:?}", self.log.iter().take(20).collect::<Vec<_>>());
    }

    pub fn sends(&self) -> usize {
        self.log.iter().filter(|did| matches!(did, Did::Send(_))).count()
    }

    pub fn waited(&self) -> Duration {
        self.log.iter().map(|did| if let Did::Wait(wait) = did { *wait } else { Duration::ZERO }).sum()
    }
}
