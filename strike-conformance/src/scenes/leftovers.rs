//! A connection on which something is left of one exchange does not carry the next.

use std::io;

use super::OK;
use crate::Rule;
use crate::ask::{Ask, HURRY};
use crate::probe::Probe;
use crate::server::{Peer, Server};

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    let first = Ask::get().timeout(HURRY);
    own_answer(probe, "the next exchange after one that ran out of time", &first, |mut peer| {
        // If the next request comes on the same connection, the late answer is there before its own.
        if peer.index == 0 && peer.request().is_some() && peer.request().is_some() {
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n[\"late\"]");
            peer.write(OK);
        }
        while peer.answer(OK) {}
    })?;
    let first = Ask::get().max_body(3);
    own_answer(probe, "the next exchange after one with a body beyond its limit", &first, |mut peer| {
        if peer.index == 0 {
            let body = "0123456789".repeat(10_000);
            peer.answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
        while peer.answer(OK) {}
    })
}

fn own_answer(
    probe: &mut Probe,
    done: &str,
    first: &Ask,
    script: impl Fn(Peer) + Send + Sync + 'static,
) -> io::Result<()> {
    let server = Server::start(script)?;
    let first = probe.exchange(done, first.at(server.address())?)?;
    let second = probe.exchange(done, Ask::get().at(server.address())?)?;
    server.finish();
    if let (Some(_), Some((reply, _))) = (first, second) {
        probe.expect_answer(Rule::OwnAnswer, done, &reply, 200, &[], b"[]");
    }
    Ok(())
}
