//! A connection is not reused after a timeout or with unread bytes: the next response could be the previous one's.

use std::io;

use super::OK;
use crate::Rule;
use crate::checker::Checker;
use crate::request::{SHORT_TIMEOUT, TestRequest};
use crate::server::{Connection, Server};

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    let first = TestRequest::get().timeout(SHORT_TIMEOUT);
    second_response_matches(
        checker,
        "the next exchange after one that timed out",
        &first,
        |mut connection| {
            // If the next request comes on the same connection, the late response comes before its own.
            if connection.index == 0 && connection.request().is_some() && connection.request().is_some() {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n[\"late\"]");
                connection.write(OK);
            }
            while connection.respond(OK) {}
        },
    )?;
    let first = TestRequest::get().max_body(3);
    second_response_matches(
        checker,
        "the next exchange after one with a body above its limit",
        &first,
        |mut connection| {
            if connection.index == 0 {
                let body = "0123456789".repeat(10_000);
                connection
                    .respond(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
            }
            while connection.respond(OK) {}
        },
    )
}

fn second_response_matches(
    checker: &mut Checker,
    scenario: &str,
    first: &TestRequest,
    script: impl Fn(Connection) + Send + Sync + 'static,
) -> io::Result<()> {
    let server = Server::start(script)?;
    let first = checker.exchange(scenario, first.to_exchange(server.address())?)?;
    let second = checker.exchange(scenario, TestRequest::get().to_exchange(server.address())?)?;
    server.finish();
    if let (Some(_), Some((reply, _))) = (first, second) {
        checker.expect_response(Rule::MatchingResponse, scenario, &reply, 200, &[], b"[]");
    }
    Ok(())
}
