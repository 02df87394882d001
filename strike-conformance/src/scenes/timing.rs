//! Servers that are slow, and servers that are too slow.

use std::io;
use std::time::Duration;

use super::OK;
use crate::Rule;
use crate::ask::{Ask, HURRY};
use crate::probe::Probe;
use crate::server::Peer;

/// Often enough that no wait for a single read ever takes as long as the exchange may.
const DRIP: Duration = Duration::from_millis(50);

/// Twice this is well above half the time of an exchange, and well below all of it.
const SLOW: Duration = Duration::from_millis(1200);

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    slow(probe)?;
    no_limit(probe)?;
    hangs(probe, "a server that never answers", HURRY, |mut peer| {
        peer.request();
        peer.hang();
    })?;
    hangs(probe, "a head that comes byte by byte", HURRY, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nX-Filler: ");
        peer.drip(b"x", DRIP);
    })?;
    hangs(probe, "interim answers without end", HURRY, |mut peer| {
        peer.request();
        peer.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n", DRIP);
    })?;
    hangs(probe, "a body that stalls", HURRY, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        peer.hang();
    })?;
    hangs(probe, "a body that comes byte by byte", HURRY, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n");
        peer.drip(b" ", DRIP);
    })?;
    hangs(probe, "chunks that come one by one", HURRY, |mut peer| {
        peer.answer("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n");
        peer.drip(b"1\r\n \r\n", DRIP);
    })?;
    hangs(probe, "a server that never answers", Duration::ZERO, |mut peer| {
        peer.request();
        peer.hang();
    })
}

/// A server that takes its time, but not more than there is.
fn slow(probe: &mut Probe) -> io::Result<()> {
    let ask = Ask::post();
    let done = format!("a slow server that answers within {:?} of {:?}", SLOW * 2, ask.timeout);
    let scene = probe.play(&done, &[ask], |mut peer| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let _ = peer.request().is_some() && peer.pause(SLOW) && peer.write(head) && peer.pause(SLOW);
        peer.write("hello");
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::Timeout, &done, &scene.reply, 200, &[], b"hello");
    }
    Ok(())
}

/// As long as a duration can be: no sum with it may overflow.
fn no_limit(probe: &mut Probe) -> io::Result<()> {
    let done = "an exchange with a timeout of Duration::MAX";
    let scene = probe.play(done, &[Ask::get().timeout(Duration::MAX)], |mut peer| {
        peer.answer(OK);
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::Timeout, done, &scene.reply, 200, &[], b"[]");
    }
    Ok(())
}

fn hangs(
    probe: &mut Probe,
    what: &str,
    timeout: Duration,
    script: impl Fn(Peer) + Send + Sync + Copy + 'static,
) -> io::Result<()> {
    let done = format!("{what}, with a timeout of {timeout:?}");
    if let Some(scene) = probe.play(&done, &[Ask::post().timeout(timeout)], script)? {
        let seen = format!("it ended after {:?}", scene.took);
        probe.find(Rule::Timeout, &done, true, seen, "an end soon after that");
        probe.expect_error(&done, &scene);
    }
    Ok(())
}
