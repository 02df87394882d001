//! Hosts that end kept connections in every manner: a create succeeds with all of them, and so does a read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::{
    ApiKey, Charge, ChargeId, CreateOutcome, Endpoint, Error, Exchange, NewCharge, RetryPolicy, http,
};
use strike_sandbox::Sandbox;
use strike_test_support::certs::Authority;
use strike_test_support::{Peer, Server};
use tokio::runtime::Runtime;

/// Orders per host and client.
const ORDERS: usize = 24;

/// What the host does after it answered the first request of a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    /// Says that it will close, and closes.
    SaysSo,
    /// Closes at once, without saying so.
    Closes,
    /// Reads the next request, and closes.
    ReadsAndCloses,
    /// Reads the next request, and resets.
    ReadsAndResets,
    /// Sends a second response that nobody asked for, and goes on.
    SaysMore,
    /// Goes on.
    Keeps,
}

use Manner::*;

fn serve(sandbox: &Sandbox, manner: Manner, mut peer: Peer) {
    while let Some(request) = peer.request() {
        let connection = if manner == SaysSo { "Connection: close\r\n" } else { "" };
        let answer = answer(sandbox, &request, connection);
        if !peer.write(answer.repeat(if manner == SaysMore { 2 } else { 1 })) {
            return;
        }
        match manner {
            SaysSo | Closes => return,
            ReadsAndCloses | ReadsAndResets => {
                if peer.request().is_some() && manner == ReadsAndResets {
                    peer.reset();
                }
                return;
            }
            SaysMore | Keeps => {}
        }
    }
}

/// The sandbox's answer, as it is written.
fn answer(sandbox: &Sandbox, request: &str, connection: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let mut request = http::Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    let request = request.body(body.as_bytes().to_vec()).unwrap();
    let answer = sandbox.reply(Exchange::new(request, Duration::from_secs(10), 1 << 20)).unwrap();
    let (status, body) = (answer.status().as_u16(), answer.body());
    let head = format!("HTTP/1.1 {status} X\r\n{connection}Content-Length: {}\r\n\r\n", body.len());
    head + std::str::from_utf8(body).unwrap()
}

fn charge_of(made: CreateOutcome) -> Charge {
    made.into_charge()
}

trait Client {
    fn create_once(&self, name: &str) -> Result<Charge, Error>;
    fn get(&self, id: &ChargeId) -> Result<Charge, Error>;
    fn list(&self) -> Result<usize, Error>;
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

impl Client for strike_blocking::Client {
    fn create_once(&self, name: &str) -> Result<Charge, Error> {
        Ok(charge_of(self.create_once(order(), name)?))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.get(id)
    }

    fn list(&self) -> Result<usize, Error> {
        Ok(self.list(0)?.rows())
    }
}

struct Async(Runtime, strike_async::Client);

impl Client for Async {
    fn create_once(&self, name: &str) -> Result<Charge, Error> {
        Ok(charge_of(self.0.block_on(self.1.create_once(order(), name))?))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.0.block_on(self.1.get(id))
    }

    fn list(&self) -> Result<usize, Error> {
        Ok(self.0.block_on(self.1.list(0))?.rows())
    }
}

fn clients(at: &Endpoint, authority: &Authority, policy: RetryPolicy) -> [Box<dyn Client>; 2] {
    let blocking = UreqTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let blocking = strike_blocking::Client::builder(at.clone()).transport(blocking).retry(policy);
    let asynchronous = ReqwestTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let asynchronous = strike_async::Client::builder(at.clone()).transport(asynchronous).retry(policy);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    [Box::new(blocking.build().unwrap()), Box::new(Async(runtime, asynchronous.build().unwrap()))]
}

/// A host of that manner, and both clients of it.
fn with_host(tls: bool, manner: Manner, policy: RetryPolicy, test: impl Fn(&dyn Client, &Sandbox)) {
    for which in 0..2 {
        let (sandbox, authority) = (Arc::new(Sandbox::new()), Authority::new());
        let script = {
            let sandbox = sandbox.clone();
            move |peer: Peer| serve(&sandbox, manner, peer)
        };
        let (server, scheme) = if tls {
            (Server::start_tls(authority.server("localhost"), script), "https")
        } else {
            (Server::start(script), "http")
        };
        let url = format!("{scheme}://localhost:{}/api/v1/", server.port());
        let at = Endpoint::new(&url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap();
        test(&*clients(&at, &authority, policy)[which], &sandbox);
    }
}

/// It looks first, which leaves a connection behind, and then posts.
#[test]
fn create_once_succeeds_whatever_becomes_of_the_connection_before_it() {
    let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    for tls in [false, true] {
        for manner in [SaysSo, Closes, ReadsAndCloses, ReadsAndResets, SaysMore, Keeps] {
            with_host(tls, manner, policy, |client, sandbox| {
                for number in 0..ORDERS {
                    let charge = client.create_once(&format!("order-{number}"));
                    let charge = charge.unwrap_or_else(|error| panic!("{manner:?}, tls {tls}: {error:?}"));
                    assert_eq!(&client.get(charge.id()).unwrap(), &charge);
                    assert_eq!(client.list().unwrap(), (number + 1).min(30));
                }
                assert_eq!(sandbox.charges(), ORDERS, "{manner:?}, tls {tls}");
            });
        }
    }
}

/// The risk that the option is documented with.
#[test]
fn creates_that_may_reuse_connections_can_be_lost() {
    let policy = RetryPolicy::default().reuse_connections_for_creates(true);
    for tls in [false, true] {
        with_host(tls, ReadsAndResets, policy, |client, sandbox| {
            client.list().unwrap();
            let error = client.create_once("order").unwrap_err();
            assert_eq!(error.kind(), &strike_core::ErrorKind::OutcomeUnknown, "{error:?}");
            assert_eq!(sandbox.charges(), 0);
        });
    }
}
