//! Bodies below, at and above the limit.

use std::io;
use std::time::Duration;

use crate::Rule;
use crate::checker::Checker;
use crate::request::TestRequest;

const LIMIT: usize = 10_000;

/// A transport that reads past the limit waits so long for a server that stalls.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);

/// More bytes than the buffers of a connection hold, so they are only written if the transport reads them.
const ENDLESS: usize = 64 << 20;

const FRAMINGS: [(&str, &str); 3] = [
    ("with Content-Length", "Content-Length"),
    ("in chunks", "Transfer-Encoding"),
    ("that ends with the connection", "Connection"),
];

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    for (what, framing) in FRAMINGS {
        for (length, limit) in [(LIMIT - 1, LIMIT), (LIMIT, LIMIT), (LIMIT, usize::MAX)] {
            within(checker, what, framing, length, limit)?;
        }
        above(checker, what, framing)?;
    }
    endless(checker)
}

fn digits(length: usize) -> Vec<u8> {
    b"0123456789".iter().copied().cycle().take(length).collect()
}

/// Returns a response whose head announces `length` bytes, with the first `sent` bytes of the body.
fn response(framing: &str, length: usize, sent: usize) -> Vec<u8> {
    let value = match framing {
        "Content-Length" => length.to_string(),
        "Transfer-Encoding" => "chunked".to_owned(),
        _ => "close".to_owned(),
    };
    let mut response = format!("HTTP/1.1 200 OK\r\n{framing}: {value}\r\n\r\n").into_bytes();
    if framing == "Transfer-Encoding" {
        for chunk in digits(sent).chunks(1000) {
            response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            response.extend_from_slice(chunk);
            response.extend_from_slice(b"\r\n");
        }
        if sent == length {
            response.extend_from_slice(b"0\r\n\r\n");
        }
    } else {
        response.extend(digits(sent));
    }
    response
}

fn within(
    checker: &mut Checker,
    what: &str,
    framing: &'static str,
    length: usize,
    limit: usize,
) -> io::Result<()> {
    let limit_in_words = if limit == usize::MAX { "usize::MAX".to_owned() } else { limit.to_string() };
    let scenario = format!("a body of {length} bytes {what}, with a limit of {limit_in_words}");
    let outcome = checker.run(&scenario, &[TestRequest::get().max_body(limit)], move |mut connection| {
        connection.respond(response(framing, length, length));
    })?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::BodyLimit, &scenario, &outcome.reply, 200, &[], &digits(length));
    }
    Ok(())
}

/// The server sends a little more than the limit and then stalls. A transport that waits for more times out.
fn above(checker: &mut Checker, what: &str, framing: &'static str) -> io::Result<()> {
    let scenario = format!("a body {what}, above the limit of {LIMIT}, that then stalls");
    let outcome = checker.run(
        &scenario,
        &[TestRequest::get().max_body(LIMIT).timeout(STALL_TIMEOUT)],
        move |mut connection| {
            connection.respond(response(framing, 1 << 40, LIMIT + 500));
            connection.hang();
        },
    )?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::BodyLimit, &scenario, &outcome.reply, 200, &[], &digits(LIMIT + 1));
    }
    Ok(())
}

fn endless(checker: &mut Checker) -> io::Result<()> {
    let scenario = format!("a body without end, with a limit of {LIMIT}");
    let outcome = checker.run(&scenario, &[TestRequest::get().max_body(LIMIT)], |mut connection| {
        let piece = digits(1 << 16);
        if connection.respond("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") {
            let _ = (0..ENDLESS >> 16).all(|_| connection.write(&piece));
        }
    })?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::BodyLimit, &scenario, &outcome.reply, 200, &[], &digits(LIMIT + 1));
        let written = outcome.log.written;
        let observed = format!("the server could write {written} bytes");
        checker.record(
            Rule::BodyLimit,
            &scenario,
            written < ENDLESS,
            observed,
            format!("fewer than {ENDLESS}"),
        );
    }
    Ok(())
}
