//! Complete responses are returned as they came; truncated and malformed ones are errors.

use std::io;

use super::OK;
use crate::Rule;
use crate::checker::Checker;
use crate::request::TestRequest;

/// `{"paid" : true}`, compressed with gzip into a stored block.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x0f\x00\xf0\xff{\"paid\" : true}\
    \x0d\xb2I.\x0f\x00\x00\x00";

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    statuses(checker)?;
    framings(checker)?;
    compressed(checker)?;
    malformed(checker)
}

fn statuses(checker: &mut Checker) -> io::Result<()> {
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
        let response = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: 5\r\n\r\nhello");
        for request in TestRequest::both() {
            let scenario = format!("{}, status {status}", request.method);
            expect(checker, &scenario, request, &response, status, headers, b"hello")?;
        }
    }
    for status in [204, 304] {
        let scenario = format!("GET, status {status}, which has no body");
        expect(
            checker,
            &scenario,
            TestRequest::get(),
            &format!("HTTP/1.1 {status} X\r\n\r\n"),
            status,
            &[],
            b"",
        )?;
    }
    Ok(())
}

fn framings(checker: &mut Checker) -> io::Result<()> {
    for (scenario, response, body) in [
        ("an interim response with status 100", format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"), "[]"),
        (
            "an interim response with status 103",
            format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{OK}"),
            "[]",
        ),
        (
            "a body that ends with the connection",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]".into(),
            "[1]",
        ),
        ("a response in HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n[1]".into(), "[1]"),
        (
            "a chunked body",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\n[1,\r\n2;note=x\r\n2]\r\n0\r\nX-Trailer: y\r\n\r\n"
                .into(),
            "[1,2]",
        ),
        ("a response without a reason phrase", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n[]".into(), "[]"),
    ] {
        for request in TestRequest::both() {
            let scenario = format!("{}, {scenario}", request.method);
            expect(checker, &scenario, request, &response, 200, &[], body.as_bytes())?;
        }
    }
    Ok(())
}

/// Sends the response, and expects the transport to return it.
fn expect(
    checker: &mut Checker,
    scenario: &str,
    request: TestRequest,
    response: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<()> {
    let response = response.to_owned();
    let outcome = checker.run(scenario, &[request], move |mut connection| {
        // If the body has a length, the connection stays open, so that a retry on it would be noticed.
        while connection.respond(&response) && response.contains("Content-Length") {}
    })?;
    if let Some(outcome) = outcome {
        checker.expect_response(Rule::EveryStatus, scenario, &outcome.reply, status, headers, body);
    }
    Ok(())
}

fn compressed(checker: &mut Checker) -> io::Result<()> {
    let scenario = "a compressed response, although the request did not ask for it";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", GZIP.len());
    let response = [head.as_bytes(), GZIP].concat();
    let outcome = checker.run(scenario, &[TestRequest::get()], move |mut connection| {
        connection.respond(&response);
    })?;
    if let Some(outcome) = outcome {
        let label = [("content-encoding", "gzip")];
        checker.expect_response(Rule::NoDecompression, scenario, &outcome.reply, 200, &label, GZIP);
    }
    Ok(())
}

/// The server truncates its response, or sends something else.
fn malformed(checker: &mut Checker) -> io::Result<()> {
    for (what, response) in [
        ("truncated in the head", "HTTP/1.1 201 Created\r\nContent-Le"),
        ("truncated before the body", "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n"),
        ("truncated in the body", "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":"),
        ("truncated in a chunk", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"id\":"),
        (
            "truncated between chunks",
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n",
        ),
        (
            "with a malformed chunk size",
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nsix\r\n{\"id\":",
        ),
        ("that is not HTTP", "220 mail.example ESMTP\r\n\r\n"),
    ] {
        for request in TestRequest::both() {
            let scenario = format!("{}, a response {what}", request.method);
            let outcome = checker.run(&scenario, &[request], move |mut connection| {
                connection.respond(response);
            })?;
            if let Some(outcome) = outcome {
                checker.expect_error(&scenario, &outcome);
            }
        }
    }
    Ok(())
}
