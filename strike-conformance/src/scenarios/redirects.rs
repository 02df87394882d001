//! A redirect is returned as a response, and not followed.

use std::io;

use super::OK;
use crate::Rule;
use crate::checker::Checker;
use crate::request::{REDIRECT_PATH, TestRequest};
use crate::server::Server;

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for request in TestRequest::both() {
            to_another_server(checker, status, &request)?;
            to_the_same_server(checker, status, &request)?;
        }
    }
    Ok(())
}

fn moved(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nmoved")
}

/// A redirect to another server, which would receive the key.
fn to_another_server(checker: &mut Checker, status: u16, request: &TestRequest) -> io::Result<()> {
    let scenario = format!("{}, status {status} with a redirect to another server", request.method);
    let other = Server::start(|mut connection| while connection.respond(OK) {})?;
    let to = format!("http://{}{REDIRECT_PATH}", other.address());
    let response = moved(status, &to);
    let outcome = checker.run(&scenario, std::slice::from_ref(request), move |mut connection| {
        connection.respond(&response);
    })?;
    let begun = other.finish().begun;
    checker.record(
        Rule::NoRedirect,
        &scenario,
        begun == 0,
        format!("{begun} request(s) at the other server"),
        "none",
    );
    if let Some(outcome) = outcome {
        let headers = [("location", to.as_str())];
        checker.expect_response(Rule::NoRedirect, &scenario, &outcome.reply, status, &headers, b"moved");
    }
    Ok(())
}

/// A redirect to another path of the same server.
fn to_the_same_server(checker: &mut Checker, status: u16, request: &TestRequest) -> io::Result<()> {
    let scenario = format!("{}, status {status} with a redirect to the same server", request.method);
    let outcome = checker.run(&scenario, std::slice::from_ref(request), move |mut connection| {
        connection.respond(moved(status, REDIRECT_PATH));
        while connection.respond(OK) {}
    })?;
    if let Some(outcome) = outcome {
        let followed = outcome.log.requests.iter().filter(|request| request.target == REDIRECT_PATH).count();
        let observed = format!("{followed} request(s) for the redirect's target");
        checker.record(Rule::NoRedirect, &scenario, followed == 0, observed, "none");
    }
    Ok(())
}
