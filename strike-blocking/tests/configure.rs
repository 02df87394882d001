//! Configuration of the ureq transport, and the rules that configuration cannot change.
#![cfg(feature = "ureq")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Barrier};
use std::time::Duration;

use strike_blocking::strike_core::{Delivery, TransportErrorKind};
use strike_blocking::{SystemTimer, Timer, Transport, UreqTransport};
use strike_test_support::{Server, expect, expect_status, get};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

#[test]
fn configure_cannot_override_the_transport_rules() {
    let redirect_target = Server::start(|mut peer| while peer.answer(OK) {});
    let to = redirect_target.url("http", "/");
    let server = Server::start(move |mut peer| {
        peer.answer(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
        peer.answer("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    });
    let proxy = redirect_target.url("http", "");
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
    assert_eq!(redirect_target.connections(), 0);
    // ureq does not add its own headers, even if the request has none.
    let expected = format!("GET /api HTTP/1.1\r\nhost: {}\r\n\r\n", server.addr());
    assert_eq!(server.requests()[0], expected);
}

#[test]
fn configure_changes_options_of_ureq() {
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
fn one_transport_can_be_shared_by_threads() {
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
fn shared_timer_returns_monotonic_and_wall_time() {
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
fn platform_verifier_rejects_an_authority_that_was_not_added() {
    use strike_test_support::certs::Authority;

    let authority = Authority::new();
    let server = Server::start_tls(authority.server("localhost"), |mut peer| while peer.answer(OK) {});
    let url = format!("https://localhost:{}/", server.port());
    let platform = UreqTransport::builder().platform_verifier().build().unwrap();
    expect(platform.exchange(get(&url)), TransportErrorKind::Tls, Delivery::Unsent);
    let own = UreqTransport::builder().platform_verifier().ca_certificate(authority.pem()).build().unwrap();
    expect_status(own.exchange(get(&url)), 200, "[]");
}

/// The client looks at a kept connection when it takes it from the pool.
#[test]
fn changed_connection_is_not_taken_from_the_pool() {
    // After the first response the server closes the connection, or sends what nobody asked for.
    for closes in [true, false] {
        let (first_was_read, changed) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (read, done) = (first_was_read.clone(), changed.clone());
        let server = Server::start(move |mut peer| {
            peer.answer(OK);
            read.wait();
            let open = if closes {
                drop(peer);
                None
            } else {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
                Some(peer)
            };
            done.wait();
            drop(open);
        });
        let transport = UreqTransport::new().unwrap();
        for _ in 0..2 {
            expect_status(transport.exchange(get(&server.url("http", "/"))), 200, "[]");
            first_was_read.wait();
            changed.wait();
        }
        assert_eq!(server.connections(), 2);
    }
}
