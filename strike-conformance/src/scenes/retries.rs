//! What may have left is not sent again: the server counts.

use std::io;

use super::OK;
use crate::ask::Ask;
use crate::probe::{Probe, Scene};

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    for ask in Ask::both() {
        let method = ask.method.clone();
        let one = std::slice::from_ref(&ask);
        let two = [ask.clone(), ask.clone()];

        let done = format!("{method} to a server that reads it and closes");
        let scene = probe.play(&done, one, |mut peer| {
            peer.request();
        })?;
        expect_error(probe, &done, scene.as_ref());

        let done = format!("{method} to a server that answers, and closes when it has read the next");
        let scene = probe.play(&done, &two, |mut peer| {
            if peer.index == 0 {
                peer.answer(OK);
            }
            peer.request();
        })?;
        expect_error(probe, &done, scene.as_ref());

        // What comes of it depends on when the transport notices; what never happens is that it arrives twice.
        let done = format!("{method} after a server answered and closed without a word");
        probe.play(&done, &two, |mut peer| {
            peer.answer(OK);
        })?;
    }

    // A socket that is closed with unread bytes in it sends a reset.
    let done = "POST to a server that reads its head and resets";
    let scene = probe.play(done, &[Ask::post()], |mut peer| {
        peer.head();
    })?;
    expect_error(probe, done, scene.as_ref());
    let done = "POST to a server that reads its first byte and resets";
    let scene = probe.play(done, &[Ask::post()], |mut peer| {
        peer.first_byte();
    })?;
    expect_error(probe, done, scene.as_ref());
    Ok(())
}

fn expect_error(probe: &mut Probe, done: &str, scene: Option<&Scene>) {
    if let Some(scene) = scene {
        probe.expect_error(done, scene);
    }
}
