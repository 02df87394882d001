//! A redirect is an answer, and where it leads nobody comes.

use std::io;

use super::OK;
use crate::Rule;
use crate::ask::{Ask, ELSEWHERE};
use crate::probe::Probe;
use crate::server::Server;

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for ask in Ask::both() {
            redirect(probe, status, &ask)?;
            within(probe, status, &ask)?;
        }
    }
    Ok(())
}

fn moved(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nmoved")
}

/// To another port, which would be given the key.
fn redirect(probe: &mut Probe, status: u16, ask: &Ask) -> io::Result<()> {
    let done = format!("{} answered with {status} to another server", ask.method);
    let other = Server::start(|mut peer| while peer.answer(OK) {})?;
    let to = format!("http://{}{ELSEWHERE}", other.address());
    let answer = moved(status, &to);
    let scene = probe.play(&done, std::slice::from_ref(ask), move |mut peer| {
        peer.answer(&answer);
    })?;
    let begun = other.finish().begun;
    probe.find(
        Rule::NoRedirect,
        &done,
        begun == 0,
        format!("{begun} request(s) at the other server"),
        "none",
    );
    if let Some(scene) = scene {
        let headers = [("location", to.as_str())];
        probe.expect_answer(Rule::NoRedirect, &done, &scene.reply, status, &headers, b"moved");
    }
    Ok(())
}

/// To another path of the same server.
fn within(probe: &mut Probe, status: u16, ask: &Ask) -> io::Result<()> {
    let done = format!("{} answered with {status} to the same server", ask.method);
    let scene = probe.play(&done, std::slice::from_ref(ask), move |mut peer| {
        peer.answer(moved(status, ELSEWHERE));
        while peer.answer(OK) {}
    })?;
    if let Some(scene) = scene {
        let led = scene.seen.requests.iter().filter(|request| request.target == ELSEWHERE).count();
        let seen = format!("{led} request(s) for where it leads");
        probe.find(Rule::NoRedirect, &done, led == 0, seen, "none");
    }
    Ok(())
}
