//! The secrets that this folder uses, and tests that the search for them works.

use data_encoding::BASE64;
use strike_blocking::Client;
use strike_core::{Delivery, Endpoint, Exchange, RetryPolicy, TransportError, TransportErrorKind};
pub use strike_tests::secrets::{
    KEY, assert_debug_has_no_secret, assert_error_has_no_secret, assert_no_secret, proxy_url,
};

pub fn endpoint(base_url: &str) -> Endpoint {
    strike_tests::secrets::endpoint(base_url).unwrap()
}

#[test]
#[should_panic(expected = "contains")]
fn search_finds_a_secret_in_a_text() {
    assert_no_secret(
        "this",
        &format!("Authorization: Basic {}", BASE64.encode(format!("{KEY}:").as_bytes())),
    );
}

#[test]
#[should_panic(expected = "contains")]
fn search_finds_a_secret_in_an_error_source() {
    let leaking = |_: Exchange| {
        // Core redacts the API key, but it does not know a proxy's password.
        let below = std::io::Error::other(strike_tests::secrets::PROXY_PASSWORD);
        Err(TransportError::new(TransportErrorKind::Other, Delivery::Unsent).with_source(below))
    };
    let client =
        Client::builder(endpoint("http://127.0.0.1/")).transport(leaking).retry(RetryPolicy::never());
    assert_error_has_no_secret("this", &client.build().unwrap().list(0).unwrap_err());
}
