//! A request that may have been sent is not sent again. The server counts the requests.

use std::io;

use super::OK;
use crate::checker::{Checker, Outcome};
use crate::request::TestRequest;

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    for request in TestRequest::both() {
        let method = request.method.clone();
        let once = std::slice::from_ref(&request);
        let twice = [request.clone(), request.clone()];

        let scenario = format!("{method} to a server that reads the request and closes");
        let outcome = checker.run(&scenario, once, |mut connection| {
            connection.request();
        })?;
        expect_error(checker, &scenario, outcome.as_ref());

        let scenario =
            format!("{method} to a server that responds, and closes after reading the next request");
        let outcome = checker.run(&scenario, &twice, |mut connection| {
            if connection.index == 0 {
                connection.respond(OK);
            }
            connection.request();
        })?;
        expect_error(checker, &scenario, outcome.as_ref());

        // The outcome depends on when the transport notices. The request must not arrive twice.
        let scenario = format!("{method} after the server responded and closed the connection");
        checker.run(&scenario, &twice, |mut connection| {
            connection.respond(OK);
        })?;
    }

    // Closing a socket with unread bytes sends a reset.
    let scenario = "POST to a server that reads the head and resets";
    let outcome = checker.run(scenario, &[TestRequest::post()], |mut connection| {
        connection.head();
    })?;
    expect_error(checker, scenario, outcome.as_ref());
    let scenario = "POST to a server that reads the first byte and resets";
    let outcome = checker.run(scenario, &[TestRequest::post()], |mut connection| {
        connection.first_byte();
    })?;
    expect_error(checker, scenario, outcome.as_ref());
    Ok(())
}

fn expect_error(checker: &mut Checker, scenario: &str, outcome: Option<&Outcome>) {
    if let Some(outcome) = outcome {
        checker.expect_error(scenario, outcome);
    }
}
