//! What a user can change about the ureq transport, and what stays as a transport owes it.
#![cfg(feature = "ureq")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use strike_blocking::strike_core::{Delivery, TransportErrorKind};
use strike_blocking::{SystemTimer, Timer, Transport, UreqTransport};
use strike_test_support::{Server, expect, expect_status, get};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

#[test]
fn the_rules_outlast_configure() {
    let elsewhere = Server::start(|mut peer| while peer.answer(OK) {});
    let to = elsewhere.url("http", "/");
    let server = Server::start(move |mut peer| {
        peer.answer(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
        peer.answer("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    });
    let proxy = elsewhere.url("http", "");
    let transport = UreqTransport::builder()
        .configure(|ureq| ureq.max_redirects(5).http_status_as_error(true).user_agent("mine"))
        .configure(move |ureq| {
            ureq.accept("text/html").accept_encoding("gzip").proxy(Some(ureq::Proxy::new(&proxy).unwrap()))
        })
        .build()
        .unwrap();
    let mut exchange = get(&server.url("http", "/api"));
    exchange.request.headers_mut().clear();
    expect_status(transport.exchange(exchange), 302, "");
    expect_status(transport.exchange(get(&server.url("http", "/api"))), 500, "");
    assert_eq!(elsewhere.connections(), 0);
    // Not even where the request has no such headers does ureq add its own.
    let expected = format!("GET /api HTTP/1.1\r\nhost: {}\r\n\r\n", server.addr());
    assert_eq!(server.requests()[0], expected);
}

#[test]
fn options_of_ureq_can_be_changed() {
    let server = Server::start(|mut peer| {
        peer.answer(format!("HTTP/1.1 200 OK\r\nX-Filler: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(200)));
        peer.hang();
    });
    let transport =
        UreqTransport::builder().configure(|ureq| ureq.max_response_header_size(100)).build().unwrap();
    expect(
        transport.exchange(get(&server.url("http", "/"))),
        TransportErrorKind::Protocol,
        Delivery::MaybeSent,
    );
    let transport = UreqTransport::builder().configure(|ureq| ureq.https_only(true)).build().unwrap();
    expect(transport.exchange(get(&server.url("http", "/"))), TransportErrorKind::Setup, Delivery::Unsent);
}

#[test]
fn one_transport_serves_many_threads() {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let shared: Arc<dyn Transport> = Arc::new(UreqTransport::new().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| expect_status(shared.exchange(get(&server.url("http", "/"))), 200, "[]"));
        }
    });
    assert_eq!(server.requests().len(), 8);
}

#[test]
fn a_shared_timer_tells_both_times() {
    let timer: Arc<dyn Timer> = Arc::new(SystemTimer::new());
    let first = timer.now();
    timer.wait(Duration::from_millis(1), &strike_blocking::Wake::default());
    let second = timer.now();
    assert!(second.monotonic > first.monotonic);
    // 2020 in milliseconds.
    assert!(second.unix.as_millis() > 1_577_836_800_000);
}

#[cfg(feature = "platform-verifier")]
#[test]
fn the_platform_does_not_know_an_authority_of_ones_own() {
    use strike_test_support::certs::Authority;

    let authority = Authority::new();
    let server = Server::start_tls(authority.server("localhost"), |mut peer| while peer.answer(OK) {});
    let url = format!("https://localhost:{}/", server.port());
    let platform = UreqTransport::builder().platform_verifier().build().unwrap();
    expect(platform.exchange(get(&url)), TransportErrorKind::Tls, Delivery::Unsent);
    let own = UreqTransport::builder().platform_verifier().ca_certificate(authority.pem()).build().unwrap();
    expect_status(own.exchange(get(&url)), 200, "[]");
}
