//! A key that no error may repeat, and errors that are held to that, and to a size.

use std::error::Error as _;

use strike_core::{ApiKey, Endpoint, Error, Network};

/// The key.
pub(crate) const KEY: &str = "sk_CanaryCanaryCanary1234567";

/// More than any error needs, however long the answer was.
const MOST: usize = 4096;

/// A host that is asked with that key.
pub(crate) fn endpoint(check_invoices: bool) -> Endpoint {
    let key = ApiKey::new(KEY).unwrap();
    let builder = Endpoint::builder("http://127.0.0.1:1/api/v1/", key, Network::Testnet);
    builder.check_invoices(check_invoices).build().unwrap()
}

fn encoded() -> [String; 2] {
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes()).trim_end_matches('=').to_owned();
    [base64(&format!("{KEY}:")), base64(KEY)]
}

/// The bytes, with the key wherever they say `{key}`, and its base64 where they say `{key64}`.
pub(crate) fn planted(data: &[u8]) -> Vec<u8> {
    let mut planted = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"{key}") {
            planted.extend_from_slice(KEY.as_bytes());
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"{key64}") {
            planted.extend_from_slice(encoded()[0].as_bytes());
            rest = after;
        } else {
            planted.push(*first);
            rest = others;
        }
    }
    planted
}

/// No key in a text, in any form.
pub(crate) fn assert_clean(text: &str) {
    assert!(!text.contains(KEY), "the key is in {text}");
    assert!(!encoded().iter().any(|form| text.contains(form)), "the key is in {text}");
}

/// What holds for each error: no key in its words, nor in those of the errors below it, and no endless words.
pub(crate) fn assert_fit_for_a_log(error: &Error) {
    let text = error.to_string();
    assert!(text.len() <= MOST, "{} bytes: {text}", text.len());
    assert_clean(&text);
    assert_clean(&format!("{error:?}"));
    let mut below = error.source();
    while let Some(error) = below {
        let text = error.to_string();
        assert!(text.len() <= MOST, "{} bytes: {text}", text.len());
        assert_clean(&text);
        below = error.source();
    }
}
