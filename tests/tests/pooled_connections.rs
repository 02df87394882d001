//! Servers that end pooled connections in different ways. Creates and reads succeed with all of
//! them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::{ApiKey, Charge, CreateOutcome, Endpoint, Exchange, NewCharge, RetryPolicy, http};
use strike_sandbox::Sandbox;
use strike_test_support::certs::Authority;
use strike_test_support::{Peer, Server};
use strike_tests::{AnyClient, AsyncClient};

/// Orders per server and client.
const ORDERS: usize = 24;

/// What the server does after its first response on a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum AfterResponse {
    /// Announces that it closes the connection, and closes it.
    AnnouncesClose,
    /// Closes the connection without announcing it.
    Closes,
    /// Reads the next request, and closes the connection.
    ReadsAndCloses,
    /// Reads the next request, and resets the connection.
    ReadsAndResets,
    /// Sends the response twice, and keeps the connection open.
    RepeatsResponse,
    /// Keeps the connection open.
    Keeps,
}

use AfterResponse::*;

fn serve(sandbox: &Sandbox, after: AfterResponse, mut peer: Peer) {
    while let Some(request) = peer.request() {
        let connection = if after == AnnouncesClose { "Connection: close\r\n" } else { "" };
        let response = render_response(sandbox, &request, connection);
        if !peer.write(response.repeat(if after == RepeatsResponse { 2 } else { 1 })) {
            return;
        }
        match after {
            AnnouncesClose | Closes => return,
            ReadsAndCloses | ReadsAndResets => {
                if peer.request().is_some() && after == ReadsAndResets {
                    peer.reset();
                }
                return;
            }
            RepeatsResponse | Keeps => {}
        }
    }
}

/// Returns the sandbox's response as bytes.
fn render_response(sandbox: &Sandbox, request: &str, connection: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let mut request = http::Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    let request = request.body(body.as_bytes().to_vec()).unwrap();
    let response = sandbox.reply(Exchange::new(request, Duration::from_secs(10), 1 << 20)).unwrap();
    let (status, body) = (response.status().as_u16(), response.body());
    let head = format!("HTTP/1.1 {status} X\r\n{connection}Content-Length: {}\r\n\r\n", body.len());
    head + std::str::from_utf8(body).unwrap()
}

fn charge_of(made: CreateOutcome) -> Charge {
    made.into_charge()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn clients(endpoint: &Endpoint, authority: &Authority, policy: RetryPolicy) -> [Box<dyn AnyClient>; 2] {
    let blocking = UreqTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let blocking = strike_blocking::Client::builder(endpoint.clone()).transport(blocking).retry(policy);
    let asynchronous = ReqwestTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let asynchronous = strike_async::Client::builder(endpoint.clone()).transport(asynchronous).retry(policy);
    [Box::new(blocking.build().unwrap()), Box::new(AsyncClient::new(asynchronous.build().unwrap()))]
}

/// Starts a server for each client, and runs the test.
fn with_host(tls: bool, after: AfterResponse, policy: RetryPolicy, test: impl Fn(&dyn AnyClient, &Sandbox)) {
    for which in 0..2 {
        let (sandbox, authority) = (Arc::new(Sandbox::new()), Authority::new());
        let script = {
            let sandbox = sandbox.clone();
            move |peer: Peer| serve(&sandbox, after, peer)
        };
        let (server, scheme) = if tls {
            (Server::start_tls(authority.server("localhost"), script), "https")
        } else {
            (Server::start(script), "http")
        };
        let url = format!("{scheme}://localhost:{}/api/v1/", server.port());
        let endpoint =
            Endpoint::new(&url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap();
        test(&*clients(&endpoint, &authority, policy)[which], &sandbox);
    }
}

/// `create_once` reads the list first, which leaves a connection in the pool, and then posts.
#[test]
fn create_once_succeeds_however_the_server_ends_connections() {
    let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    for tls in [false, true] {
        for after in [AnnouncesClose, Closes, ReadsAndCloses, ReadsAndResets, RepeatsResponse, Keeps] {
            with_host(tls, after, policy, |client, sandbox| {
                for number in 0..ORDERS {
                    let charge = client.create_once(order(), &format!("order-{number}"));
                    let charge =
                        charge_of(charge.unwrap_or_else(|error| panic!("{after:?}, tls {tls}: {error:?}")));
                    assert_eq!(&client.get(charge.id()).unwrap(), &charge);
                    assert_eq!(client.list(0).unwrap().rows(), (number + 1).min(30));
                }
                assert_eq!(sandbox.charges(), ORDERS, "{after:?}, tls {tls}");
            });
        }
    }
}

/// The documented risk of the option.
#[test]
fn creates_on_reused_connections_can_be_lost() {
    let policy = RetryPolicy::default().reuse_connections_for_creates(true);
    for tls in [false, true] {
        with_host(tls, ReadsAndResets, policy, |client, sandbox| {
            client.list(0).unwrap();
            let error = client.create_once(order(), "order").unwrap_err();
            assert_eq!(error.kind(), &strike_core::ErrorKind::OutcomeUnknown, "{error:?}");
            assert_eq!(sandbox.charges(), 0);
        });
    }
}
