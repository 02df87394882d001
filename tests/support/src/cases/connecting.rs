//! Failures before the request is sent. The delivery is always `Unsent`.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_core::Delivery::Unsent;
use strike_core::TransportErrorKind::{Connect, ConnectionRefused, Dns, Timeout, Tls};
use strike_core::{ConnectionUse, Exchange};

use crate::certs::Authority;
use crate::{Server, Setup, TransportFactory, expect, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

pub fn a_refused_connection_is_unsent(factory: &impl TransportFactory) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    drop(listener);
    expect(factory.transport()(post(&url)), ConnectionRefused, Unsent);
}

pub fn an_unknown_name_is_unsent(factory: &impl TransportFactory) {
    expect(factory.transport()(post("https://no-such-host.invalid/api/v1/charges")), Dns, Unsent);
}

pub fn a_zero_timeout_is_unsent(factory: &impl TransportFactory) {
    let server = Server::start(|peer| peer.hang());
    let mut exchange = post(&server.url("http", PATH));
    exchange.timeout = Duration::ZERO;
    expect(factory.transport()(exchange), Timeout, Unsent);
    assert_eq!(server.requests().len(), 0);
}

/// The exchange's timeout is shorter than the connect timeout.
pub fn a_handshake_ends_at_the_exchange_timeout(factory: &impl TransportFactory) {
    let server = Server::start(|peer| peer.hang());
    let mut exchange = post(&server.url("https", PATH));
    exchange.timeout = Duration::from_millis(250);
    expect(factory.transport()(exchange), Timeout, Unsent);
}

pub fn a_handshake_ends_at_the_connect_timeout(factory: &impl TransportFactory) {
    let server = Server::start(|peer| peer.hang());
    let setup = Setup { connect_timeout: Some(Duration::from_millis(250)), ..Setup::default() };
    expect(factory.with(setup)(post(&server.url("https", PATH))), Timeout, Unsent);
}

pub fn a_closed_handshake_is_unsent(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
    });
    expect(factory.transport()(post(&server.url("https", PATH))), Connect, Unsent);
}

pub fn a_reset_handshake_is_unsent(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
        peer.reset();
    });
    expect(factory.transport()(post(&server.url("https", PATH))), Connect, Unsent);
}

/// A plain HTTP server behind an `https://` URL.
pub fn a_handshake_with_a_plain_http_server_is_unsent(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
        peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        peer.hang();
    });
    expect(factory.transport()(post(&server.url("https", PATH))), Tls, Unsent);
}

pub fn a_certificate_of_an_unknown_authority_is_rejected(factory: &impl TransportFactory) {
    let server = Server::start_tls(Authority::new().server("127.0.0.1"), |mut peer| {
        peer.answer(OK);
    });
    let public = factory.transport()(post(&server.url("https", PATH)));
    let error = expect(public, Tls, Unsent);
    assert!(format!("{error:?}").contains("its issuer is not trusted"), "{error:?}");
    // Another authority does not help.
    let other = factory.with(Setup::trusting(Authority::new().pem()));
    expect(other(post(&server.url("https", PATH))), Tls, Unsent);
    assert_eq!(server.requests().len(), 0);
}

pub fn a_certificate_for_another_host_is_rejected(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("other.example"), |mut peer| {
        peer.answer(OK);
    });
    let transport = factory.with(Setup::trusting(authority.pem()));
    let error = expect(transport(post(&format!("https://localhost:{}{PATH}", server.port()))), Tls, Unsent);
    assert!(format!("{error:?}").contains("it is for another host"), "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

pub fn an_expired_certificate_is_rejected(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.expired_server("localhost"), |mut peer| {
        peer.answer(OK);
    });
    let transport = factory.with(Setup::trusting(authority.pem()));
    let error = expect(transport(post(&format!("https://localhost:{}{PATH}", server.port()))), Tls, Unsent);
    assert!(format!("{error:?}").contains("it has expired"), "{error:?}");
}

pub fn every_given_authority_is_trusted(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("localhost"), |mut peer| while peer.answer(OK) {});
    // Certificates can be given one by one or in one text.
    let other = Authority::new();
    let apart = Setup {
        certificates: vec![authority.pem().to_string(), other.pem().to_string()],
        ..Setup::default()
    };
    let together = Setup::trusting(&format!("{}{}", other.pem(), authority.pem()));
    for setup in [apart, together] {
        let transport = factory.with(setup);
        for _ in 0..2 {
            expect_status(transport(get(&format!("https://localhost:{}{PATH}", server.port()))), 200, "[]");
        }
    }
    assert_eq!(server.requests().len(), 4);
    assert_eq!(server.connections(), 2, "the next exchange should use the same TLS connection");
}

fn on_a_new_connection(mut exchange: Exchange) -> Exchange {
    exchange.connection = ConnectionUse::New;
    exchange
}

/// An exchange that asks for a new connection does not use the pooled one. The next exchange does.
pub fn a_new_connection_leaves_the_pooled_one_alone(factory: &impl TransportFactory) {
    let connections = Arc::new(Mutex::new(Vec::new()));
    let log = connections.clone();
    let server = Server::start(move |mut peer| {
        while peer.request().is_some() {
            log.lock().unwrap().push(peer.index);
            peer.write(OK);
        }
    });
    let transport = factory.transport();
    let url = server.url("http", PATH);
    for exchange in [get(&url), on_a_new_connection(post(&url)), on_a_new_connection(get(&url)), get(&url)] {
        expect_status(transport(exchange), 200, "[]");
    }
    assert_eq!(*connections.lock().unwrap(), [0, 1, 2, 0]);
}

/// Only the first connection makes a full handshake.
pub fn a_new_connection_resumes_the_tls_session(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let resumed = Arc::new(Mutex::new(Vec::new()));
    let log = resumed.clone();
    let server = Server::start_tls(authority.server("localhost"), move |mut peer| {
        while peer.request().is_some() {
            log.lock().unwrap().push(peer.resumed().unwrap());
            peer.write(OK);
        }
    });
    let transport = factory.with(Setup::trusting(authority.pem()));
    let url = format!("https://localhost:{}{PATH}", server.port());
    expect_status(transport(get(&url)), 200, "[]");
    for _ in 0..8 {
        expect_status(transport(on_a_new_connection(post(&url))), 200, "[]");
    }
    assert_eq!(server.connections(), 9);
    assert_eq!(*resumed.lock().unwrap(), [&[false][..], &[true; 8]].concat());
}
