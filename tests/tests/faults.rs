//! Injected faults behave the same in memory and over a socket, with both adapters.
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
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{Sandbox, SandboxBuilder};

/// A timeout for faults that still let the exchange end by itself.
const LONG: Duration = Duration::from_secs(20);
/// A timeout for responses that never arrive, or arrive much later.
const SHORT: Duration = Duration::from_millis(250);

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// Each fault, with the client's timeout.
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

/// The result of an exchange: the full response, or the kind of error and whether the request was
/// sent.
#[derive(Debug, PartialEq)]
enum Outcome {
    Response(StatusCode, HeaderMap, Vec<u8>),
    Error(TransportErrorKind, Delivery),
}

fn outcome(reply: Reply) -> Outcome {
    match reply {
        Ok(response) => {
            let (head, body) = response.into_parts();
            Outcome::Response(head.status, head.headers, body)
        }
        Err(error) => Outcome::Error(error.kind(), error.delivery()),
    }
}

/// The same sandbox each time, apart from its address.
fn sandbox(plan: Plan) -> SandboxBuilder {
    let now = UnixMillis::from_secs(1_542_221_803);
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(now).faults(plan)
}

/// Returns two requests: a create and a list.
fn requests(base_url: &str, timeout: Duration) -> [Exchange; 2] {
    let endpoint = Endpoint::new(base_url, ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap();
    let create = Create::new(NewCharge::satoshis(4200, "tea")).request(&endpoint).unwrap();
    let list = List::page(0).request(&endpoint).unwrap();
    [create, list].map(|request| Exchange::new(request, timeout, 1 << 20))
}

/// Sends both requests. Returns their outcomes, the number of requests that arrived, and the number
/// of charges.
fn send_both(
    sandbox: &Sandbox,
    timeout: Duration,
    exchange: impl Fn(Exchange) -> Reply,
) -> ([Outcome; 2], u64, usize) {
    let outcomes = requests(sandbox.base_url(), timeout).map(|request| outcome(exchange(request)));
    (outcomes, sandbox.requests(), sandbox.charges())
}

#[test]
fn faults_over_a_socket_match_faults_in_memory_for_both_adapters() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (fault, timeout) in faults() {
        // The create uses a new connection, the list a reused one.
        for on in [Match::create(), Match::list()] {
            let plan = Plan::new().on(on, fault.clone());
            let memory = sandbox(plan.clone()).build();
            let expected = send_both(&memory, timeout, |exchange| memory.reply(exchange));
            assert_eq!((expected.1, memory.faults()[0].fired()), (2, 1), "both arrive, and one fault fires");

            let served = sandbox(plan.clone()).start().unwrap();
            let ureq = UreqTransport::new().unwrap();
            let blocking = send_both(&served, timeout, |exchange| ureq.exchange(exchange));
            assert_eq!(blocking, expected, "ureq, {plan:?}");

            let served = sandbox(plan.clone()).start().unwrap();
            let reqwest = ReqwestTransport::new().unwrap();
            let asynchronous =
                send_both(&served, timeout, |exchange| runtime.block_on(reqwest.exchange(exchange)));
            assert_eq!(asynchronous, expected, "reqwest, {plan:?}");
        }
    }
}
