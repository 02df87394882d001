//! The secrets, as this folder uses them, and that the search for them finds them.

use data_encoding::BASE64;
use strike_blocking::{Client, FnTransport};
use strike_core::{Delivery, Endpoint, RetryPolicy, TransportError, TransportErrorKind};
pub use strike_tests::secrets::{KEY, assert_debug_silent, assert_error_silent, assert_silent, proxy_url};

pub fn endpoint(base_url: &str) -> Endpoint {
    strike_tests::secrets::endpoint(base_url).unwrap()
}

#[test]
#[should_panic(expected = "shows")]
fn a_canary_is_heard() {
    assert_silent("this", &format!("Authorization: Basic {}", BASE64.encode(format!("{KEY}:").as_bytes())));
}

#[test]
#[should_panic(expected = "shows")]
fn a_canary_is_heard_below_an_error() {
    let careless = FnTransport::new(|_| {
        // Core knows the key and withholds it; of a proxy's password it knows nothing.
        let below = std::io::Error::other(strike_tests::secrets::PROXY_PASSWORD);
        Err(TransportError::new(TransportErrorKind::Other, Delivery::Unsent).with_source(below))
    });
    let client =
        Client::builder(endpoint("http://127.0.0.1/")).transport(careless).retry(RetryPolicy::never());
    assert_error_silent("this", &client.build().unwrap().list(0).unwrap_err());
}
