//! Servers that respond slowly but in time, and servers that do not respond in time.

use std::io;
use std::time::Duration;

use super::OK;
use crate::Rule;
use crate::checker::Checker;
use crate::request::{SHORT_TIMEOUT, TestRequest};
use crate::server::Connection;

/// Shorter than the timeout, so that a timeout for each read never fires.
const DRIP: Duration = Duration::from_millis(50);

/// A slow server pauses twice. Both pauses together are longer than half the timeout, and shorter than all of it.
const PAUSE: Duration = Duration::from_millis(1200);

/// The timeout of an exchange with a slow server.
const SLOW_TIMEOUT: Duration = Duration::from_secs(4);

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    slow(checker)?;
    no_limit(checker)?;
    hangs(checker, "a server that never responds", SHORT_TIMEOUT, |mut connection| {
        connection.request();
        connection.hang();
    })?;
    hangs(checker, "a head that arrives byte by byte", SHORT_TIMEOUT, |mut connection| {
        connection.respond("HTTP/1.1 201 Created\r\nX-Filler: ");
        connection.drip(b"x", DRIP);
    })?;
    hangs(checker, "interim responses without end", SHORT_TIMEOUT, |mut connection| {
        connection.request();
        connection.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n", DRIP);
    })?;
    hangs(checker, "a body that stalls", SHORT_TIMEOUT, |mut connection| {
        connection.respond("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":");
        connection.hang();
    })?;
    hangs(checker, "a body that arrives byte by byte", SHORT_TIMEOUT, |mut connection| {
        connection.respond("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n");
        connection.drip(b" ", DRIP);
    })?;
    hangs(checker, "chunks that arrive one by one", SHORT_TIMEOUT, |mut connection| {
        connection.respond("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection.drip(b"1\r\n \r\n", DRIP);
    })?;
    hangs(checker, "a server that never responds", Duration::ZERO, |mut connection| {
        connection.request();
        connection.hang();
    })
}

/// A slow server that responds in time.
fn slow(checker: &mut Checker) -> io::Result<()> {
    let request = TestRequest::post().timeout(SLOW_TIMEOUT);
    let scenario =
        format!("a slow server that responds after {:?}, with a timeout of {SLOW_TIMEOUT:?}", PAUSE * 2);
    let outcome = checker.run(&scenario, &[request], |mut connection| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let _ = connection.request().is_some()
            && connection.pause(PAUSE)
            && connection.write(head)
            && connection.pause(PAUSE);
        connection.write("hello");
    })?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::Timeout, &scenario, &outcome.reply, 200, &[], b"hello");
    }
    Ok(())
}

/// The longest duration. Adding it to the time of day overflows.
fn no_limit(checker: &mut Checker) -> io::Result<()> {
    let scenario = "an exchange with a timeout of Duration::MAX";
    let outcome = checker.run(scenario, &[TestRequest::get().timeout(Duration::MAX)], |mut connection| {
        connection.respond(OK);
    })?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::Timeout, scenario, &outcome.reply, 200, &[], b"[]");
    }
    Ok(())
}

fn hangs(
    checker: &mut Checker,
    what: &str,
    timeout: Duration,
    script: impl Fn(Connection) + Send + Sync + Copy + 'static,
) -> io::Result<()> {
    let scenario = format!("{what}, with a timeout of {timeout:?}");
    if let Some(outcome) = checker.run(&scenario, &[TestRequest::post().timeout(timeout)], script)? {
        let observed = format!("a reply after {:?}", outcome.elapsed);
        checker.record(Rule::Timeout, &scenario, true, observed, "a reply soon after the timeout");
        checker.expect_error(&scenario, &outcome);
    }
    Ok(())
}
