//! What is an answer, handed over as it came, and what is none.

use std::io;

use super::OK;
use crate::Rule;
use crate::ask::Ask;
use crate::probe::Probe;

/// `{"paid" : true}`, compressed with gzip into a stored block.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x0f\x00\xf0\xff{\"paid\" : true}\
    \x0d\xb2I.\x0f\x00\x00\x00";

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    statuses(probe)?;
    framings(probe)?;
    compressed(probe)?;
    broken(probe)
}

fn statuses(probe: &mut Probe) -> io::Result<()> {
    let plain: &[(&str, &str)] = &[];
    for (status, headers) in [
        (200, plain),
        (201, plain),
        (400, plain),
        (401, &[("www-authenticate", "Basic realm=\"strike\"")]),
        (402, plain),
        (404, plain),
        (408, plain),
        (413, plain),
        (417, plain),
        (421, plain),
        (425, plain),
        (429, &[("retry-after", "0"), ("x-two", "a"), ("x-two", "b")]),
        (500, plain),
        (502, plain),
        (503, &[("retry-after", "0")]),
        (599, plain),
    ] {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let answer = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: 5\r\n\r\nhello");
        for ask in Ask::both() {
            let done = format!("{} answered with {status}", ask.method);
            expect(probe, &done, ask, &answer, status, headers, b"hello")?;
        }
    }
    for status in [204, 304] {
        let done = format!("GET answered with {status}, which has no body");
        expect(probe, &done, Ask::get(), &format!("HTTP/1.1 {status} X\r\n\r\n"), status, &[], b"")?;
    }
    Ok(())
}

fn framings(probe: &mut Probe) -> io::Result<()> {
    for (done, answer, body) in [
        ("100 before the answer", format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"), "[]"),
        ("103 before the answer", format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{OK}"), "[]"),
        (
            "a body that ends with the connection",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]".into(),
            "[1]",
        ),
        ("an answer of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n[1]".into(), "[1]"),
        (
            "a body in chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\n[1,\r\n2;note=x\r\n2]\r\n0\r\nX-Trailer: y\r\n\r\n"
                .into(),
            "[1,2]",
        ),
        ("an answer without a reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n[]".into(), "[]"),
    ] {
        for ask in Ask::both() {
            let done = format!("{}, {done}", ask.method);
            expect(probe, &done, ask, &answer, 200, &[], body.as_bytes())?;
        }
    }
    Ok(())
}

/// An answer that the transport owes, whatever its status.
fn expect(
    probe: &mut Probe,
    done: &str,
    ask: Ask,
    answer: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<()> {
    let answer = answer.to_owned();
    let scene = probe.play(done, &[ask], move |mut peer| {
        // Where the body has a length, the next request would be heard on the same connection.
        while peer.answer(&answer) && answer.contains("Content-Length") {}
    })?;
    if let Some(scene) = scene {
        probe.expect_answer(Rule::EveryStatus, done, &scene.reply, status, headers, body);
    }
    Ok(())
}

fn compressed(probe: &mut Probe) -> io::Result<()> {
    let done = "an answer that is compressed, though nobody asked for it";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", GZIP.len());
    let answer = [head.as_bytes(), GZIP].concat();
    let scene = probe.play(done, &[Ask::get()], move |mut peer| {
        peer.answer(&answer);
    })?;
    if let Some(scene) = scene {
        let label = [("content-encoding", "gzip")];
        probe.expect_answer(Rule::NoInflation, done, &scene.reply, 200, &label, GZIP);
    }
    Ok(())
}

/// The server closes inside its answer, or sends something else.
fn broken(probe: &mut Probe) -> io::Result<()> {
    for (what, answer) in [
        ("cut inside the head", "HTTP/1.1 201 Created\r\nContent-Le"),
        ("cut before the body", "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n"),
        ("cut inside the body", "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":"),
        ("cut inside a chunk", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"id\":"),
        ("cut between chunks", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n"),
        (
            "with nonsense for chunks",
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nsix\r\n{\"id\":",
        ),
        ("that is not HTTP", "220 mail.example ESMTP\r\n\r\n"),
    ] {
        for ask in Ask::both() {
            let done = format!("{}, an answer {what}", ask.method);
            let scene = probe.play(&done, &[ask], move |mut peer| {
                peer.answer(answer);
            })?;
            if let Some(scene) = scene {
                probe.expect_error(&done, &scene);
            }
        }
    }
    Ok(())
}
