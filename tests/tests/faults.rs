//! A fault in memory is the fault on the wire: both adapters report over a socket what `Sandbox::reply` reports without one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use strike_async::{AsyncTransport, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::{HeaderMap, Response, StatusCode};
use strike_core::machine::Operation;
use strike_core::{
    ApiKey, Create, Delivery, Endpoint, Exchange, List, Network, NewCharge, Reply, TransportErrorKind,
    UnixMillis,
};
use strike_sandbox::faults::{After, Fault, On, Plan};
use strike_sandbox::{Builder, Sandbox};

/// Time enough for whatever comes at all.
const LONG: Duration = Duration::from_secs(20);
/// For what never comes, or much later.
const SHORT: Duration = Duration::from_millis(250);

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// Each fault, and the time that a client has.
fn faults() -> Vec<(Fault, Duration)> {
    let canned = Response::builder().status(404).header("X-Two", "a").header("X-Two", "b");
    let nothing = Response::builder().status(204).body(Vec::new()).unwrap();
    vec![
        (Fault::refuse(), LONG),
        (Fault::refuse().processed(true), LONG),
        (Fault::close(), LONG),
        (Fault::close().processed(false), LONG),
        (Fault::cut(After::Bytes(0)), LONG),
        (Fault::cut(After::Bytes(1)), LONG),
        (Fault::cut(After::Bytes(60)), LONG),
        (Fault::cut(After::BodyBytes(0)), LONG),
        (Fault::cut(After::BodyBytes(2)), LONG),
        (Fault::cut(After::BodyBytes(usize::MAX)), LONG),
        (Fault::stall(After::Bytes(0)), SHORT),
        (Fault::stall(After::Bytes(60)), SHORT),
        (Fault::stall(After::BodyBytes(2)), SHORT),
        (Fault::stall(After::BodyBytes(usize::MAX)), LONG),
        (Fault::drip(Duration::ZERO), LONG),
        (Fault::drip(millis(100)), SHORT),
        (Fault::wrong_length(1), LONG),
        (Fault::wrong_length(1_000_000_000), LONG),
        (Fault::wrong_length(-1), LONG),
        (Fault::wrong_length(i64::MIN), LONG),
        (Fault::garbage(), LONG),
        (Fault::status(StatusCode::SERVICE_UNAVAILABLE), LONG),
        (Fault::status(StatusCode::from_u16(999).unwrap()), LONG),
        (Fault::answer(canned.body(b"none".to_vec()).unwrap()), LONG),
        (Fault::answer(nothing), LONG),
        (Fault::latency(millis(1), millis(5)), LONG),
        (Fault::latency(LONG, millis(100)), SHORT),
    ]
}

/// What a client learns: an answer in full, or the kind of an error and what is known about delivery.
#[derive(Debug, PartialEq)]
enum Learned {
    Answer(StatusCode, HeaderMap, Vec<u8>),
    Error(TransportErrorKind, Delivery),
}

fn learned(reply: Reply) -> Learned {
    match reply {
        Ok(answer) => {
            let (head, body) = answer.into_parts();
            Learned::Answer(head.status, head.headers, body)
        }
        Err(error) => Learned::Error(error.kind(), error.delivery()),
    }
}

/// The same sandbox each time, but for where it is.
fn sandbox(plan: Plan) -> Builder {
    let now = UnixMillis::from_secs(1_542_221_803);
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(now).faults(plan)
}

/// Two requests: a create, and then a list.
fn requests(base_url: &str, timeout: Duration) -> [Exchange; 2] {
    let at = Endpoint::new(base_url, ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap();
    let create = Create::new(NewCharge::satoshis(4200, "tea")).request(&at).unwrap();
    let list = List::page(0).request(&at).unwrap();
    [create, list].map(|request| Exchange::new(request, timeout, 1 << 20))
}

/// What a client learns from both requests, how many arrive, and how many charges they leave behind.
fn story(
    sandbox: &Sandbox,
    timeout: Duration,
    exchange: impl Fn(Exchange) -> Reply,
) -> ([Learned; 2], u64, usize) {
    let learned = requests(sandbox.base_url(), timeout).map(|request| learned(exchange(request)));
    (learned, sandbox.requests(), sandbox.charges())
}

#[test]
fn both_adapters_report_over_a_socket_what_is_reported_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (fault, timeout) in faults() {
        // On a fresh connection, and on one that was used before.
        for on in [On::create(), On::list()] {
            let plan = Plan::new().on(on, fault.clone());
            let memory = sandbox(plan.clone()).build();
            let expected = story(&memory, timeout, |exchange| memory.reply(exchange));
            assert_eq!((expected.1, memory.faults()[0].fired()), (2, 1), "each is sent, and one is struck");

            let served = sandbox(plan.clone()).start().unwrap();
            let ureq = UreqTransport::new().unwrap();
            let blocking = story(&served, timeout, |exchange| ureq.exchange(exchange));
            assert_eq!(blocking, expected, "ureq, {plan:?}");

            let served = sandbox(plan.clone()).start().unwrap();
            let reqwest = ReqwestTransport::new().unwrap();
            let asynchronous =
                story(&served, timeout, |exchange| runtime.block_on(reqwest.exchange(exchange)));
            assert_eq!(asynchronous, expected, "reqwest, {plan:?}");
        }
    }
}
