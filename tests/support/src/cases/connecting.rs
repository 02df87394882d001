//! What fails before the request leaves: all of it is `Unsent`.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_core::Delivery::Unsent;
use strike_core::TransportErrorKind::{Connect, ConnectionRefused, Dns, Timeout, Tls};
use strike_core::{ConnectionUse, Exchange};

use crate::certs::Authority;
use crate::{Lab, Server, Setup, expect, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

pub fn refused(lab: &impl Lab) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    drop(listener);
    expect(lab.transport()(post(&url)), ConnectionRefused, Unsent);
}

pub fn unknown_name(lab: &impl Lab) {
    expect(lab.transport()(post("https://no-such-host.invalid/api/v1/charges")), Dns, Unsent);
}

pub fn no_time_at_all(lab: &impl Lab) {
    let server = Server::start(|peer| peer.hang());
    let mut exchange = post(&server.url("http", PATH));
    exchange.timeout = Duration::ZERO;
    expect(lab.transport()(exchange), Timeout, Unsent);
    assert_eq!(server.requests().len(), 0);
}

/// The exchange's timeout is the shorter one, and still it is known that nothing left.
pub fn handshake_hangs_beyond_the_exchange(lab: &impl Lab) {
    let server = Server::start(|peer| peer.hang());
    let mut exchange = post(&server.url("https", PATH));
    exchange.timeout = Duration::from_millis(250);
    expect(lab.transport()(exchange), Timeout, Unsent);
}

pub fn handshake_hangs_beyond_the_connect_timeout(lab: &impl Lab) {
    let server = Server::start(|peer| peer.hang());
    let setup = Setup { connect_timeout: Some(Duration::from_millis(250)), ..Setup::default() };
    expect(lab.with(setup)(post(&server.url("https", PATH))), Timeout, Unsent);
}

pub fn handshake_is_closed(lab: &impl Lab) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
    });
    expect(lab.transport()(post(&server.url("https", PATH))), Connect, Unsent);
}

pub fn handshake_is_reset(lab: &impl Lab) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
        peer.reset();
    });
    expect(lab.transport()(post(&server.url("https", PATH))), Connect, Unsent);
}

/// A plain HTTP server behind an `https://` URL.
pub fn handshake_is_garbage(lab: &impl Lab) {
    let server = Server::start(|mut peer| {
        peer.read_some(4096);
        peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        peer.hang();
    });
    expect(lab.transport()(post(&server.url("https", PATH))), Tls, Unsent);
}

pub fn unknown_authority(lab: &impl Lab) {
    let server = Server::start_tls(Authority::new().server("127.0.0.1"), |mut peer| {
        peer.answer(OK);
    });
    let public = lab.transport()(post(&server.url("https", PATH)));
    let error = expect(public, Tls, Unsent);
    assert!(format!("{error:?}").contains("its issuer is not trusted"), "{error:?}");
    // One's own authority is no help where it is another's.
    let other = lab.with(Setup::trusting(Authority::new().pem()));
    expect(other(post(&server.url("https", PATH))), Tls, Unsent);
    assert_eq!(server.requests().len(), 0);
}

pub fn wrong_name(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("other.example"), |mut peer| {
        peer.answer(OK);
    });
    let transport = lab.with(Setup::trusting(authority.pem()));
    let error = expect(transport(post(&format!("https://localhost:{}{PATH}", server.port()))), Tls, Unsent);
    assert!(format!("{error:?}").contains("it is for another host"), "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

pub fn expired(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.expired_server("localhost"), |mut peer| {
        peer.answer(OK);
    });
    let transport = lab.with(Setup::trusting(authority.pem()));
    let error = expect(transport(post(&format!("https://localhost:{}{PATH}", server.port()))), Tls, Unsent);
    assert!(format!("{error:?}").contains("it has expired"), "{error:?}");
}

pub fn known_authority(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("localhost"), |mut peer| while peer.answer(OK) {});
    // Certificates may be given apart or in one piece; each of them is trusted.
    let other = Authority::new();
    let apart = Setup {
        certificates: vec![authority.pem().to_string(), other.pem().to_string()],
        ..Setup::default()
    };
    let together = Setup::trusting(&format!("{}{}", other.pem(), authority.pem()));
    for setup in [apart, together] {
        let transport = lab.with(setup);
        for _ in 0..2 {
            expect_status(transport(get(&format!("https://localhost:{}{PATH}", server.port()))), 200, "[]");
        }
    }
    assert_eq!(server.requests().len(), 4);
    assert_eq!(server.connections(), 2, "a TLS connection is kept for the next exchange");
}

fn on_a_new_connection(mut exchange: Exchange) -> Exchange {
    exchange.connection = ConnectionUse::New;
    exchange
}

/// A kept connection is passed over, and is still there for the next exchange.
pub fn a_new_connection_is_new(lab: &impl Lab) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let server = Server::start(move |mut peer| {
        while peer.request().is_some() {
            told.lock().unwrap().push(peer.index);
            peer.write(OK);
        }
    });
    let transport = lab.transport();
    let url = server.url("http", PATH);
    for exchange in [get(&url), on_a_new_connection(post(&url)), on_a_new_connection(get(&url)), get(&url)] {
        expect_status(transport(exchange), 200, "[]");
    }
    assert_eq!(*heard.lock().unwrap(), [0, 1, 2, 0]);
}

/// One full handshake; whatever connects after it resumes that session.
pub fn a_new_connection_resumes_tls(lab: &impl Lab) {
    let authority = Authority::new();
    let resumed = Arc::new(Mutex::new(Vec::new()));
    let told = resumed.clone();
    let server = Server::start_tls(authority.server("localhost"), move |mut peer| {
        while peer.request().is_some() {
            told.lock().unwrap().push(peer.resumed().unwrap());
            peer.write(OK);
        }
    });
    let transport = lab.with(Setup::trusting(authority.pem()));
    let url = format!("https://localhost:{}{PATH}", server.port());
    expect_status(transport(get(&url)), 200, "[]");
    for _ in 0..8 {
        expect_status(transport(on_a_new_connection(post(&url))), 200, "[]");
    }
    assert_eq!(server.connections(), 9);
    assert_eq!(*resumed.lock().unwrap(), [&[false][..], &[true; 8]].concat());
}
