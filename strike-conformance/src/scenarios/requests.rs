//! The server receives the request as it was given, with nothing added but framing.

use std::io;
use std::net::SocketAddr;

use crate::Rule;
use crate::checker::{Checker, excerpt};
use crate::request::TestRequest;
use crate::server::{ReceivedRequest, Server};

/// The headers that HTTP/1 itself may need. Any other identifies the client or asks the server for something.
const FRAMING: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "keep-alive"];

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    let unusual = "/api//v1/charges/ch_%2F%c3~!$&'()*+,;=:@?page=0&size=30&q=%20a+b&none";
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(3000).collect();
    for (scenario, request) in [
        ("GET of an ordinary path", TestRequest::get()),
        ("GET of an unusual path and query", TestRequest::get().target(unusual)),
        ("GET of a URL without a path", TestRequest::get().target("")),
        ("GET without a User-Agent", TestRequest::get().without("user-agent")),
        ("GET without Authorization", TestRequest::get().without("authorization")),
        ("POST of a form", TestRequest::post()),
        ("POST with a query", TestRequest::post().target(unusual)),
        ("POST of an empty body", TestRequest::post().body(b"")),
        ("POST of 3000 bytes, with every byte value", TestRequest::post().body(&bytes)),
    ] {
        check_last(checker, scenario, &[request])?;
    }
    for request in TestRequest::both() {
        let scenario = format!("{} again, after a cacheable response with a cookie", request.method);
        check_last(checker, &scenario, &[request.clone(), request])?;
    }
    Ok(())
}

/// Makes the exchanges, and checks how the last request arrived.
fn check_last(checker: &mut Checker, scenario: &str, requests: &[TestRequest]) -> io::Result<()> {
    let server = Server::start(|mut connection| {
        let response = "HTTP/1.1 200 OK\r\nSet-Cookie: id=7\r\nCache-Control: max-age=3600\r\nETag: \"7\"\r\n\
             Content-Length: 2\r\n\r\n[]";
        while connection.respond(response) {}
    })?;
    let address = server.address();
    let mut all_returned = true;
    for request in requests {
        all_returned &= checker.exchange(scenario, request.to_exchange(address)?)?.is_some();
    }
    let observed = server.finish();
    let Some(request) = requests.last().filter(|_| all_returned) else { return Ok(()) };
    let expected = format!("{} request(s) at the server", requests.len());
    let count = format!("{} request(s) at the server", observed.requests.len());
    checker.record(Rule::ExactRequest, scenario, observed.requests.len() >= requests.len(), count, expected);
    if let Some(received) = observed.requests.get(requests.len() - 1) {
        check_exact(checker, scenario, request, received, address);
        check_no_added_headers(checker, scenario, request, received);
    }
    Ok(())
}

fn check_exact(
    checker: &mut Checker,
    scenario: &str,
    request: &TestRequest,
    received: &ReceivedRequest,
    address: SocketAddr,
) {
    let mut check =
        |passed, observed, expected| checker.record(Rule::ExactRequest, scenario, passed, observed, expected);
    let target = if request.target.is_empty() { "/" } else { &request.target };
    let line = format!("{} {target}", request.method);
    let observed = format!("{} {}", received.method, received.target);
    check(observed == line, observed, line);
    let host = address.to_string();
    let given = request.headers.iter().copied().chain([("host", host.as_str())]);
    for (name, value) in given {
        let values: Vec<_> = received.headers.iter().filter(|(other, _)| other == name).collect();
        let passed = matches!(values.as_slice(), [(_, observed)] if observed == value);
        let observed =
            values.iter().map(|(_, observed)| format!("{name}: {observed}")).collect::<Vec<_>>().join(", ");
        let observed = if observed.is_empty() { format!("no {name}") } else { observed };
        check(passed, observed, format!("{name}: {value}, once"));
    }
    check(received.body == request.body, excerpt(&received.body), excerpt(&request.body));
}

fn check_no_added_headers(
    checker: &mut Checker,
    scenario: &str,
    request: &TestRequest,
    received: &ReceivedRequest,
) {
    let given = |name: &str| request.headers.iter().any(|(given, _)| *given == name);
    let added: Vec<_> = received
        .headers
        .iter()
        .filter(|(name, _)| !given(name) && !FRAMING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let observed = if added.is_empty() { "nothing added".to_owned() } else { added.join(", ") };
    checker.record(
        Rule::NoAddedHeaders,
        scenario,
        added.is_empty(),
        observed,
        "only the given headers and framing",
    );
}
