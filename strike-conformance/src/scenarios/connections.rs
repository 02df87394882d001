//! An exchange that asks for a new connection is the first one on its connection.

use std::io;

use strike_core::ConnectionUse;

use super::OK;
use crate::Rule;
use crate::checker::Checker;
use crate::request::TestRequest;

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    let new = || TestRequest::post().on_a_new_connection();
    for (scenario, requests) in [
        ("POST on a new connection", vec![new()]),
        ("POST on a new connection, after a GET", vec![TestRequest::get(), new()]),
        ("POST on a new connection, after another POST on a new connection", vec![new(), new()]),
        (
            "GET on a new connection, after GET and POST",
            vec![
                TestRequest::get(),
                TestRequest::post(),
                TestRequest::get().on_a_new_connection(),
                TestRequest::get(),
            ],
        ),
    ] {
        let outcome = checker.run(scenario, &requests, |mut connection| while connection.respond(OK) {})?;
        let Some(outcome) = outcome else { continue };
        let counts: Vec<usize> = outcome.log.requests.iter().map(|request| request.before).collect();
        let passed = counts.len() == requests.len()
            && requests
                .iter()
                .zip(&counts)
                .all(|(request, &before)| request.connection == ConnectionUse::Any || before == 0);
        let observed = format!("for each request, the number of earlier ones on its connection: {counts:?}");
        checker.record(
            Rule::NewConnection,
            scenario,
            passed,
            observed,
            "0 where the exchange asks for a new connection",
        );
    }
    Ok(())
}
