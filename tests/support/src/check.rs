//! Exchanges like those of the clients, and checks of the replies.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use http::{Method, Request};
use strike_core::{Delivery, Exchange, HttpResponse, Reply, TransportError, TransportErrorKind};

/// The Authorization header. No error may contain it.
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
    // Long enough for a busy machine. Cases that time out use a shorter one.
    Exchange::new(request, Duration::from_secs(20), 1 << 20)
}

/// A GET like those of `get` and `list`.
pub fn get(url: &str) -> Exchange {
    exchange(Method::GET, url, "")
}

/// A POST like that of `create`.
pub fn post(url: &str) -> Exchange {
    exchange(Method::POST, url, "amount=4200&currency=btc")
}

/// Checks an error's kind and delivery, and that it reveals neither the key nor the URL.
#[track_caller]
pub fn expect(reply: Reply, kind: TransportErrorKind, delivery: Delivery) -> TransportError {
    let error = match reply {
        Ok(response) => panic!("expected {kind:?}, got a response: {response:?}"),
        Err(error) => error,
    };
    assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{error:?}");
    check_error(&error);
    error
}

/// Checks that an error and its sources contain neither key, host nor path.
#[track_caller]
pub fn check_error(error: &TransportError) {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        write!(text, " {source} {source:?}").unwrap();
        next = source.source();
    }
    let text = text.to_ascii_lowercase();
    for secret in
        ["c2tf", "/api", "charges", "127.0.0", "localhost", ".invalid", ".test", "http:", "https:", "hunter2"]
    {
        assert!(!text.contains(secret), "{secret:?} is in {text}");
    }
}

#[track_caller]
pub fn expect_status(reply: Reply, status: u16, body: impl AsRef<[u8]>) -> HttpResponse {
    let response = reply.expect("a response");
    assert_eq!(response.status(), status);
    assert_eq!(response.body().as_slice(), body.as_ref(), "{}", String::from_utf8_lossy(response.body()));
    response
}
