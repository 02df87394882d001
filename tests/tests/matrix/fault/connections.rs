//! Connections that cannot be opened, break, or hang, and clocks that jump.

use std::sync::Arc;
use std::time::Duration;

use strike_core::HttpResponse;
use strike_test_support::Peer;

use super::{Certificate, Fault, FaultKind};
use crate::route::WARM_UP;
use crate::service::{Service, render, render_kept};
use crate::world::Jump;

/// The time between two bytes of a slow response. Some bytes arrive before the timeout.
const DRIP: Duration = Duration::from_millis(50);

/// The time between two parts of an endless response, so that other cells get CPU time.
const FLOW: Duration = Duration::from_millis(2);

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::new("connection refused", FaultKind::Refused),
        Fault::new("name does not resolve", FaultKind::DnsFailure),
        Fault::new("connecting hangs", FaultKind::ConnectTimeout).hangs(),
        Fault::new("handshake hangs", FaultKind::BeforeTls(Arc::new(|peer, _| peer.hang()))).hangs(),
        Fault::new("handshake reset", FaultKind::BeforeTls(Arc::new(handshake_reset))),
        Fault::new("unknown issuer", FaultKind::Tls(Certificate::UnknownIssuer)),
        Fault::new("wrong name", FaultKind::Tls(Certificate::WrongName)),
        Fault::new("expired certificate", FaultKind::Tls(Certificate::Expired)),
        Fault::new("clock jumps ahead", FaultKind::Clock(Jump::Ahead(TEN_YEARS))),
        Fault::new("clock jumps back", FaultKind::Clock(Jump::Back(TEN_YEARS))),
        Fault::script("reset before the request", |peer, _| peer.reset()),
        Fault::script("reset during the request", |mut peer, _| {
            peer.read_some(10);
            peer.reset();
        }),
        Fault::script("idle connection closed", |peer, service| reused_connection(peer, service, true))
            .reuse(),
        Fault::script("reused connection closes", |peer, service| reused_connection(peer, service, false))
            .reuse(),
    ];
    faults.extend([
        after("reset after the request", |peer, _| peer.reset()),
        after("closed before a response", |_, _| {}),
        after("closed after the headers", |mut peer, response| {
            peer.write(render(response).0);
        }),
        after("reset after the headers", |mut peer, response| {
            peer.write(render(response).0);
            peer.reset();
        }),
        after("body shorter than declared", |mut peer, response| {
            let (head, body) = render(response);
            peer.write(head);
            peer.write(&body[..body.len() / 2]);
        }),
        after("chunked body truncated", |mut peer, mut response| {
            response.headers_mut().remove("content-length");
            response.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
            let (head, body) = render(response);
            peer.write(head);
            peer.write(format!("{:x}\r\n", body.len()));
            peer.write(&body);
            peer.write("\r\n");
        }),
        after("no headers", |peer, _| peer.hang()).hangs(),
        after("headers drip", |mut peer, _| {
            peer.write("HTTP/1.1 200 OK\r\nx-filler: ");
            peer.drip(b"x", DRIP);
        })
        .hangs(),
        after("body drips", |mut peer, mut response| {
            // An empty list would be complete too soon.
            response.headers_mut().insert("content-length", 4096.into());
            let (head, body) = render(response);
            peer.write(head);
            peer.drip(&body, DRIP);
        })
        .hangs(),
        after("body stalls", |mut peer, response| {
            let (head, body) = render(response);
            peer.write(head);
            peer.write(&body[..body.len() / 2]);
            peer.hang();
        })
        .hangs(),
        after("endless 100 responses", |peer, _| {
            let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10);
            peer.repeat(std::iter::once(many.as_bytes()), FLOW);
        })
        .hangs(),
    ]);
    faults
}

/// What happens after the request has arrived and the service has rendered its response.
fn after(name: &str, then: impl Fn(Peer, HttpResponse) + Send + Sync + 'static) -> Fault {
    Fault::script(name, move |mut peer, service| {
        if let Some(request) = peer.request() {
            let response = service.respond(&request);
            then(peer, response);
        }
    })
}

fn handshake_reset(mut peer: Peer, _: &Service) {
    peer.read_some(4096);
    peer.reset();
}

/// A reused connection. It is closed after its first request, or when the second request has
/// arrived.
fn reused_connection(mut peer: Peer, service: &Service, closes_early: bool) {
    let mut reuse = false;
    while let Some(request) = peer.request() {
        if !request.contains(WARM_UP) {
            let response = service.respond(&request);
            // On a new connection, the request is processed normally.
            if !reuse {
                let (head, body) = render(response);
                peer.write([head, body].concat());
            }
            return;
        }
        reuse = true;
        let (head, body) = render_kept(HttpResponse::new(b"[]".to_vec()));
        let head = [head.strip_suffix(b"\r\n").unwrap(), b"content-length: 2\r\n\r\n"].concat();
        peer.write([head, body].concat());
        let connection_ready = service.connection_ready.lock().unwrap().clone();
        if closes_early {
            drop(peer);
            let _ = connection_ready.send(());
            return;
        }
        let _ = connection_ready.send(());
    }
}
