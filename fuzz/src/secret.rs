//! Checks that errors do not contain the API key and have a limited size.

use std::error::Error as _;

use strike_core::{ApiKey, Endpoint, Error, Network};

/// The API key of the client under test.
pub(crate) const KEY: &str = "sk_CanaryCanaryCanary1234567";

/// The maximum length of an error message in bytes.
const MAX_ERROR_LENGTH: usize = 4096;

/// Returns an endpoint that uses the key.
pub(crate) fn endpoint(check_invoices: bool) -> Endpoint {
    let key = ApiKey::new(KEY).unwrap();
    let builder = Endpoint::builder("http://127.0.0.1:1/api/v1/", key, Network::Testnet);
    builder.check_invoices(check_invoices).build().unwrap()
}

/// Returns the base64 forms of the key, with and without a colon.
fn encoded() -> [String; 2] {
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes()).trim_end_matches('=').to_owned();
    [base64(&format!("{KEY}:")), base64(KEY)]
}

/// Replaces `{key}` with the key and `{key64}` with its base64 form.
pub(crate) fn insert_key(data: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"{key}") {
            output.extend_from_slice(KEY.as_bytes());
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"{key64}") {
            output.extend_from_slice(encoded()[0].as_bytes());
            rest = after;
        } else {
            output.push(*first);
            rest = others;
        }
    }
    output
}

/// Asserts that the text does not contain the key in any form.
pub(crate) fn assert_no_key(text: &str) {
    assert!(!text.contains(KEY), "the key is in {text}");
    assert!(!encoded().iter().any(|form| text.contains(form)), "the key is in {text}");
}

/// Asserts that an error and its sources do not contain the key and are not too long.
pub(crate) fn assert_loggable(error: &Error) {
    let text = error.to_string();
    assert!(text.len() <= MAX_ERROR_LENGTH, "{} bytes: {text}", text.len());
    assert_no_key(&text);
    assert_no_key(&format!("{error:?}"));
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        assert!(text.len() <= MAX_ERROR_LENGTH, "{} bytes: {text}", text.len());
        assert_no_key(&text);
        source = error.source();
    }
}
