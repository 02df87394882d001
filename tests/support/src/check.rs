//! Exchanges as core makes them, and what is checked of every reply.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use http::{Method, Request};
use strike_core::{Delivery, Exchange, HttpResponse, Reply, TransportError, TransportErrorKind};

/// Stands for the API key; no error may ever show it.
pub const KEY: &str = "Basic c2tfc2VjcmV0Og==";

fn exchange(method: Method, url: &str, body: &str) -> Exchange {
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header("accept", "application/json")
        .header("authorization", KEY)
        .header("user-agent", "strike-rust/test");
    if !body.is_empty() {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    let request = request.body(body.as_bytes().to_vec()).unwrap();
    // Long enough that only a real hang lets it pass; the cases that want one shorten it.
    Exchange::new(request, Duration::from_secs(20), 1 << 20)
}

/// A GET, as `get` and `list` make one.
pub fn get(url: &str) -> Exchange {
    exchange(Method::GET, url, "")
}

/// A POST, as `create` makes one.
pub fn post(url: &str) -> Exchange {
    exchange(Method::POST, url, "amount=4200&currency=btc")
}

/// Checks an error's kind and delivery, and that nothing in it gives away where it went or with which key.
#[track_caller]
pub fn expect(reply: Reply, kind: TransportErrorKind, delivery: Delivery) -> TransportError {
    let error = match reply {
        Ok(answer) => panic!("expected {kind:?}, got an answer: {answer:?}"),
        Err(error) => error,
    };
    assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{error:?}");
    check_error(&error);
    error
}

/// Checks that an error shows neither key, host nor path.
#[track_caller]
pub fn check_error(error: &TransportError) {
    let mut told = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        write!(told, " {source} {source:?}").unwrap();
        next = source.source();
    }
    let told = told.to_ascii_lowercase();
    for secret in
        ["c2tf", "/api", "charges", "127.0.0", "localhost", ".invalid", ".test", "http:", "https:", "hunter2"]
    {
        assert!(!told.contains(secret), "{secret:?} shows in {told}");
    }
}

#[track_caller]
pub fn expect_status(reply: Reply, status: u16, body: impl AsRef<[u8]>) -> HttpResponse {
    let answer = reply.expect("an answer");
    assert_eq!(answer.status(), status);
    assert_eq!(answer.body().as_slice(), body.as_ref(), "{}", String::from_utf8_lossy(answer.body()));
    answer
}
