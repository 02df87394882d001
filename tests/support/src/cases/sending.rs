//! What fails once the request may have left: all of it is `MaybeSent`, and nothing is ever sent twice.

use std::time::Duration;

use strike_core::Delivery::MaybeSent;
use strike_core::TransportErrorKind::{Closed, Cut, Protocol, Timeout};
use strike_core::{Exchange, TransportErrorKind};

use crate::certs::Authority;
use crate::{Lab, Peer, Server, Setup, expect, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

/// One POST to a server that follows the script, which must see it once and no more.
fn once(
    lab: &impl Lab,
    timeout: Option<u64>,
    kind: TransportErrorKind,
    script: impl Fn(Peer) + Send + Sync + 'static,
) {
    let server = Server::start(script);
    let mut exchange = post(&server.url("http", PATH));
    if let Some(millis) = timeout {
        exchange.timeout = Duration::from_millis(millis);
    }
    expect(lab.transport()(exchange), kind, MaybeSent);
    assert_eq!(server.requests().len(), 1);
}

pub fn hangs(lab: &impl Lab) {
    once(lab, Some(300), Timeout, |mut peer| {
        peer.request();
        peer.hang();
    });
}

pub fn closed(lab: &impl Lab) {
    once(lab, None, Closed, |mut peer| {
        peer.request();
    });
}

pub fn reset(lab: &impl Lab) {
    once(lab, None, Closed, |mut peer| {
        peer.request();
        peer.reset();
    });
}

pub fn closed_inside_tls(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| {
        peer.request();
    });
    let transport = lab.with(Setup::trusting(authority.pem()));
    expect(transport(post(&server.url("https", PATH))), Closed, MaybeSent);
    assert_eq!(server.requests().len(), 1);
}

/// No answer until its head is whole: the libraries do not tell half a head from none.
pub fn cut_in_the_head(lab: &impl Lab) {
    once(lab, None, Closed, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Le");
    });
}

pub fn reset_in_the_head(lab: &impl Lab) {
    once(lab, None, Closed, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Le");
        peer.reset();
    });
}

pub fn not_http(lab: &impl Lab) {
    once(lab, None, Protocol, |mut peer| {
        peer.answer("220 mail.example ESMTP\r\n\r\n");
        peer.hang();
    });
}

pub fn head_without_end(lab: &impl Lab) {
    once(lab, None, Protocol, |mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\n");
        let line = format!("X-Filler: {}\r\n", "x".repeat(8000));
        while peer.write(&line) {}
    });
}

pub fn cut_body(lab: &impl Lab) {
    once(lab, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
    });
}

pub fn reset_body(lab: &impl Lab) {
    once(lab, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        peer.reset();
    });
}

/// Such a body ends with the connection, but a reset is not how it should end.
pub fn reset_body_without_length(lab: &impl Lab) {
    once(lab, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":");
        peer.reset();
    });
}

/// Nor is a TLS connection that just stops: anybody on the way could have cut it.
pub fn cut_body_without_length_inside_tls(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":");
    });
    let transport = lab.with(Setup::trusting(authority.pem()));
    expect(transport(post(&server.url("https", PATH))), Cut, MaybeSent);
}

pub fn cut_chunks(lab: &impl Lab) {
    once(lab, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n");
    });
}

pub fn bad_chunks(lab: &impl Lab) {
    once(lab, None, Cut, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nsix\r\n{\"id\":\r\n");
        peer.hang();
    });
}

pub fn body_hangs(lab: &impl Lab) {
    once(lab, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        peer.hang();
    });
}

/// The timeout is for the whole: each byte that still comes must not start it anew.
pub fn head_drips(lab: &impl Lab) {
    once(lab, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nX-Filler: ");
        peer.drip(b"x", Duration::from_millis(40));
    });
}

pub fn body_drips(lab: &impl Lab) {
    once(lab, Some(300), Timeout, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n");
        peer.drip(b" ", Duration::from_millis(40));
    });
}

/// A kept connection that the server closed meanwhile. The next request goes over a new one, or it is reported;
/// what never happens is that a server gets it twice.
pub fn stale_connection(lab: &impl Lab) {
    let (closed, told) = std::sync::mpsc::sync_channel(0);
    let server = Server::start(move |mut peer| {
        if peer.index == 0 {
            peer.answer(OK);
            drop(peer);
            let _ = closed.send(());
        } else {
            while peer.answer(OK) {}
        }
    });
    let transport = lab.transport();
    expect_status(transport(post(&server.url("http", PATH))), 200, "[]");
    told.recv().unwrap();
    match transport(post(&server.url("http", PATH))) {
        Ok(answer) => {
            assert_eq!(answer.body(), b"[]");
            assert_eq!((server.connections(), server.requests().len()), (2, 2));
        }
        error => {
            expect(error, Closed, MaybeSent);
            assert_eq!((server.connections(), server.requests().len()), (1, 1));
        }
    }
}

/// A kept connection that takes the request and then closes: sent once, and not again over a new one.
pub fn kept_connection_closes(lab: &impl Lab) {
    for exchange in [get as fn(&str) -> Exchange, post] {
        for resets in [false, true] {
            let server = Server::start(move |mut peer| {
                if peer.answer(OK) && peer.request().is_some() && resets {
                    peer.reset();
                }
            });
            let transport = lab.transport();
            expect_status(transport(exchange(&server.url("http", PATH))), 200, "[]");
            expect(transport(exchange(&server.url("http", PATH))), Closed, MaybeSent);
            assert_eq!((server.connections(), server.requests().len()), (1, 2));
        }
    }
}

/// What a server sends after its response is not the response to the next request, over plain HTTP and inside TLS.
pub fn unasked_bytes(lab: &impl Lab) {
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
        let transport = lab.with(Setup::trusting(authority.pem()));
        for _ in 0..4 {
            expect_status(transport(get(&url)), 200, "[]");
        }
        assert_eq!(server.connections(), 4, "tls: {tls}");
    }
}
