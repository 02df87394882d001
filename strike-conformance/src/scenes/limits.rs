//! Bodies below, at and beyond the limit.

use std::io;

use crate::Rule;
use crate::ask::Ask;
use crate::probe::Probe;

const LIMIT: usize = 10_000;

/// More than the buffers of a connection take, so that it is written only to somebody who reads it.
const ENDLESS: usize = 64 << 20;

const FRAMINGS: [(&str, &str); 3] = [
    ("of declared length", "Content-Length"),
    ("in chunks", "Transfer-Encoding"),
    ("that ends with the connection", "Connection"),
];

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    for (what, framing) in FRAMINGS {
        for (length, limit) in [(LIMIT - 1, LIMIT), (LIMIT, LIMIT), (LIMIT, usize::MAX)] {
            within(probe, what, framing, length, limit)?;
        }
        beyond(probe, what, framing)?;
    }
    endless(probe)
}

fn digits(length: usize) -> Vec<u8> {
    b"0123456789".iter().copied().cycle().take(length).collect()
}

/// The head that announces `length` bytes so, and the part of the body that is sent at once.
fn answer(framing: &str, length: usize, sent: usize) -> Vec<u8> {
    let value = match framing {
        "Content-Length" => length.to_string(),
        "Transfer-Encoding" => "chunked".to_owned(),
        _ => "close".to_owned(),
    };
    let mut answer = format!("HTTP/1.1 200 OK\r\n{framing}: {value}\r\n\r\n").into_bytes();
    if framing == "Transfer-Encoding" {
        for chunk in digits(sent).chunks(1000) {
            answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        if sent == length {
            answer.extend_from_slice(b"0\r\n\r\n");
        }
    } else {
        answer.extend(digits(sent));
    }
    answer
}

fn within(
    probe: &mut Probe,
    what: &str,
    framing: &'static str,
    length: usize,
    limit: usize,
) -> io::Result<()> {
    let limit_in_words = if limit == usize::MAX { "usize::MAX".to_owned() } else { limit.to_string() };
    let done = format!("a body of {length} bytes {what}, with a limit of {limit_in_words}");
    let scene = probe.play(&done, &[Ask::get().max_body(limit)], move |mut peer| {
        peer.answer(answer(framing, length, length));
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::BodyLimit, &done, &scene.reply, 200, &[], &digits(length));
    }
    Ok(())
}

/// The server sends a little more than is wanted, and then hangs: who waits for more loses what there is.
fn beyond(probe: &mut Probe, what: &str, framing: &'static str) -> io::Result<()> {
    let done = format!("a body {what}, longer than the limit of {LIMIT}, that stalls after it");
    let scene = probe.play(&done, &[Ask::get().max_body(LIMIT)], move |mut peer| {
        peer.answer(answer(framing, 1 << 40, LIMIT + 500));
        peer.hang();
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::BodyLimit, &done, &scene.reply, 200, &[], &digits(LIMIT + 1));
    }
    Ok(())
}

fn endless(probe: &mut Probe) -> io::Result<()> {
    let done = format!("a body without end, with a limit of {LIMIT}");
    let scene = probe.play(&done, &[Ask::get().max_body(LIMIT)], |mut peer| {
        let piece = digits(1 << 16);
        if peer.answer("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") {
            let _ = (0..ENDLESS >> 16).all(|_| peer.write(&piece));
        }
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::BodyLimit, &done, &scene.reply, 200, &[], &digits(LIMIT + 1));
        let written = scene.seen.written;
        let seen = format!("{written} bytes were taken off the server");
        probe.find(Rule::BodyLimit, &done, written < ENDLESS, seen, format!("fewer than {ENDLESS}"));
    }
    Ok(())
}
