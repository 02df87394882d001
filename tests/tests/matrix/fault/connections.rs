//! Connections that are never made, break, or hang; and clocks that jump.

use std::sync::Arc;
use std::time::Duration;

use strike_core::HttpResponse;
use strike_test_support::Peer;

use super::{Certificate, Fault, Way};
use crate::behind::{Behind, render, render_kept};
use crate::route::WARM_UP;
use crate::world::Jump;

/// Between two bytes of a drip: short enough that some arrive before time runs out.
const DRIP: Duration = Duration::from_millis(50);

/// Between two pieces of an answer without an end, so that the other cells get their share of the machine.
const FLOW: Duration = Duration::from_millis(2);

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::new("connection refused", Way::Refused),
        Fault::new("name does not resolve", Way::NoName),
        Fault::new("connecting hangs", Way::FullQueue).hangs(),
        Fault::new("handshake hangs", Way::NoTls(Arc::new(|peer, _| peer.hang()))).hangs(),
        Fault::new("handshake reset", Way::NoTls(Arc::new(handshake_reset))),
        Fault::new("unknown issuer", Way::Tls(Certificate::UnknownIssuer)),
        Fault::new("wrong name", Way::Tls(Certificate::WrongName)),
        Fault::new("expired certificate", Way::Tls(Certificate::Expired)),
        Fault::new("clock jumps ahead", Way::Clock(Jump::Ahead(TEN_YEARS))),
        Fault::new("clock jumps back", Way::Clock(Jump::Back(TEN_YEARS))),
        Fault::script("reset before the request", |peer, _| peer.reset()),
        Fault::script("reset during the request", |mut peer, _| {
            peer.read_some(10);
            peer.reset();
        }),
        Fault::script("stale connection", |peer, behind| kept(peer, behind, true)).warm(),
        Fault::script("kept connection closes", |peer, behind| kept(peer, behind, false)).warm(),
    ];
    faults.extend([
        after("reset after the request", |peer, _| peer.reset()),
        after("closed before an answer", |_, _| {}),
        after("closed after the headers", |mut peer, answer| {
            peer.write(render(answer).0);
        }),
        after("reset after the headers", |mut peer, answer| {
            peer.write(render(answer).0);
            peer.reset();
        }),
        after("body shorter than declared", |mut peer, answer| {
            let (head, body) = render(answer);
            peer.write(head);
            peer.write(&body[..body.len() / 2]);
        }),
        after("chunks cut off", |mut peer, mut answer| {
            answer.headers_mut().remove("content-length");
            answer.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
            let (head, body) = render(answer);
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
        after("body drips", |mut peer, mut answer| {
            // An empty list would be whole too soon.
            answer.headers_mut().insert("content-length", 4096.into());
            let (head, body) = render(answer);
            peer.write(head);
            peer.drip(&body, DRIP);
        })
        .hangs(),
        after("body stalls", |mut peer, answer| {
            let (head, body) = render(answer);
            peer.write(head);
            peer.write(&body[..body.len() / 2]);
            peer.hang();
        })
        .hangs(),
        after("endless 100", |peer, _| {
            let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10);
            peer.repeat(std::iter::once(many.as_bytes()), FLOW);
        })
        .hangs(),
    ]);
    faults
}

/// What happens once the request has arrived, and the service has its answer ready.
fn after(name: &str, then: impl Fn(Peer, HttpResponse) + Send + Sync + 'static) -> Fault {
    Fault::script(name, move |mut peer, behind| {
        if let Some(request) = peer.request() {
            let answer = behind.answer(&request);
            then(peer, answer);
        }
    })
}

fn handshake_reset(mut peer: Peer, _: &Behind) {
    peer.read_some(4096);
    peer.reset();
}

/// A connection that is kept, and then is not: closed right after it was warmed up, or when the request has arrived on it.
fn kept(mut peer: Peer, behind: &Behind, closes_early: bool) {
    let mut warm = false;
    while let Some(request) = peer.request() {
        if !request.contains(WARM_UP) {
            let answer = behind.answer(&request);
            // On a new connection, it is answered.
            if !warm {
                let (head, body) = render(answer);
                peer.write([head, body].concat());
            }
            return;
        }
        warm = true;
        let (head, body) = render_kept(HttpResponse::new(b"[]".to_vec()));
        let head = [head.strip_suffix(b"\r\n").unwrap(), b"content-length: 2\r\n\r\n"].concat();
        peer.write([head, body].concat());
        let warmed_up = behind.warmed_up.lock().unwrap().clone();
        if closes_early {
            drop(peer);
            let _ = warmed_up.send(());
            return;
        }
        let _ = warmed_up.send(());
    }
}
