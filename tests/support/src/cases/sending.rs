//! Failures after the request may have been sent. The delivery is always `MaybeSent`, and no request is sent twice.

use std::time::Duration;

use strike_core::Delivery::MaybeSent;
use strike_core::TransportErrorKind::{Closed, Cut, Protocol, Timeout};
use strike_core::{Exchange, TransportErrorKind};

use crate::certs::Authority;
use crate::{Peer, Server, Setup, TransportFactory, expect, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

/// Sends a POST, and checks the error and that the server received one request.
fn expect_failure(
    factory: &impl TransportFactory,
    timeout: Option<u64>,
    kind: TransportErrorKind,
    script: impl Fn(Peer) + Send + Sync + 'static,
) {
    let server = Server::start(script);
    let mut exchange = post(&server.url("http", PATH));
    if let Some(millis) = timeout {
        exchange.timeout = Duration::from_millis(millis);
    }
    expect(factory.transport()(exchange), kind, MaybeSent);
    assert_eq!(server.requests().len(), 1);
}

pub fn a_server_that_never_responds_times_out(factory: &impl TransportFactory) {
    expect_failure(factory, Some(300), Timeout, |mut peer| {
        peer.request();
        peer.hang();
    });
}

pub fn a_close_before_the_response_is_closed(factory: &impl TransportFactory) {
    expect_failure(factory, None, Closed, |mut peer| {
        peer.request();
    });
}

pub fn a_reset_before_the_response_is_closed(factory: &impl TransportFactory) {
    expect_failure(factory, None, Closed, |mut peer| {
        peer.request();
        peer.reset();
    });
}

pub fn a_close_inside_tls_is_closed(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| {
        peer.request();
    });
    let transport = factory.with(Setup::trusting(authority.pem()));
    expect(transport(post(&server.url("https", PATH))), Closed, MaybeSent);
    assert_eq!(server.requests().len(), 1);
}

/// The HTTP libraries do not distinguish a truncated head from none.
pub fn a_truncated_head_is_closed(factory: &impl TransportFactory) {
    expect_failure(factory, None, Closed, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Le");
    });
}

pub fn a_reset_in_the_head_is_closed(factory: &impl TransportFactory) {
    expect_failure(factory, None, Closed, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Le");
        peer.reset();
    });
}

pub fn a_response_that_is_not_http_is_a_protocol_error(factory: &impl TransportFactory) {
    expect_failure(factory, None, Protocol, |mut peer| {
        peer.answer("220 mail.example ESMTP\r\n\r\n");
        peer.hang();
    });
}

pub fn a_head_without_end_is_a_protocol_error(factory: &impl TransportFactory) {
    expect_failure(factory, None, Protocol, |mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\n");
        let line = format!("X-Filler: {}\r\n", "x".repeat(8000));
        while peer.write(&line) {}
    });
}

pub fn a_truncated_body_is_cut(factory: &impl TransportFactory) {
    expect_failure(factory, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
    });
}

pub fn a_reset_in_the_body_is_cut(factory: &impl TransportFactory) {
    expect_failure(factory, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        peer.reset();
    });
}

/// Such a body ends when the connection closes. A reset is an error.
pub fn a_reset_in_a_body_without_length_is_cut(factory: &impl TransportFactory) {
    expect_failure(factory, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":");
        peer.reset();
    });
}

/// TLS ends with a close_notify alert. Without it, an attacker may have truncated the body.
pub fn a_tls_close_without_notify_is_cut(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":");
    });
    let transport = factory.with(Setup::trusting(authority.pem()));
    expect(transport(post(&server.url("https", PATH))), Cut, MaybeSent);
}

pub fn truncated_chunks_are_cut(factory: &impl TransportFactory) {
    expect_failure(factory, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n");
    });
}

pub fn malformed_chunks_are_cut(factory: &impl TransportFactory) {
    expect_failure(factory, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nsix\r\n{\"id\":\r\n");
        peer.hang();
    });
}

pub fn a_body_that_stalls_times_out(factory: &impl TransportFactory) {
    expect_failure(factory, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        peer.hang();
    });
}

/// The timeout covers the whole exchange. A byte that arrives does not restart it.
pub fn a_head_that_arrives_byte_by_byte_times_out(factory: &impl TransportFactory) {
    expect_failure(factory, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nX-Filler: ");
        peer.drip(b"x", Duration::from_millis(40));
    });
}

pub fn a_body_that_arrives_byte_by_byte_times_out(factory: &impl TransportFactory) {
    expect_failure(factory, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n");
        peer.drip(b" ", Duration::from_millis(40));
    });
}

/// The server closed the pooled connection meanwhile. The request uses a new connection or fails, but it is not sent
/// twice.
pub fn a_request_on_a_closed_connection_is_sent_at_most_once(factory: &impl TransportFactory) {
    let (closed, wait_for_close) = std::sync::mpsc::sync_channel(0);
    let server = Server::start(move |mut peer| {
        if peer.index == 0 {
            peer.answer(OK);
            drop(peer);
            let _ = closed.send(());
        } else {
            while peer.answer(OK) {}
        }
    });
    let transport = factory.transport();
    expect_status(transport(post(&server.url("http", PATH))), 200, "[]");
    wait_for_close.recv().unwrap();
    match transport(post(&server.url("http", PATH))) {
        Ok(response) => {
            assert_eq!(response.body(), b"[]");
            assert_eq!((server.connections(), server.requests().len()), (2, 2));
        }
        error => {
            expect(error, Closed, MaybeSent);
            assert_eq!((server.connections(), server.requests().len()), (1, 1));
        }
    }
}

/// The server reads the request on a pooled connection, and then closes without a response.
pub fn a_request_on_a_pooled_connection_is_not_retried(factory: &impl TransportFactory) {
    for exchange in [get as fn(&str) -> Exchange, post] {
        for resets in [false, true] {
            let server = Server::start(move |mut peer| {
                if peer.answer(OK) && peer.request().is_some() && resets {
                    peer.reset();
                }
            });
            let transport = factory.transport();
            expect_status(transport(exchange(&server.url("http", PATH))), 200, "[]");
            expect(transport(exchange(&server.url("http", PATH))), Closed, MaybeSent);
            assert_eq!((server.connections(), server.requests().len()), (1, 2));
        }
    }
}

/// The server sends a second response that nobody requested. It must not become the response to the next request.
pub fn a_connection_with_unexpected_bytes_is_not_reused(factory: &impl TransportFactory) {
    let authority = Authority::new();
    for tls in [false, true] {
        let script = |mut peer: Peer| {
            while peer.answer(format!("{OK}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother")) {}
        };
        let (server, url) = if tls {
            let server = Server::start_tls(authority.server("localhost"), script);
            let url = format!("https://localhost:{}{PATH}", server.port());
            (server, url)
        } else {
            let server = Server::start(script);
            let url = server.url("http", PATH);
            (server, url)
        };
        let transport = factory.with(Setup::trusting(authority.pem()));
        for _ in 0..4 {
            expect_status(transport(get(&url)), 200, "[]");
        }
        assert_eq!(server.connections(), 4, "tls: {tls}");
    }
}
