//! The secrets, and the search for them in whatever a program could print.

use std::error::Error as StdError;
use std::fmt::Debug;

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use strike_blocking::{Client, FnTransport};
use strike_core::{
    ApiKey, Delivery, Endpoint, Error, Network, RetryPolicy, TransportError, TransportErrorKind,
};

/// A key as no other text holds it.
pub const KEY: &str = "sk_CanaryCanaryCanary123456";

/// The credentials of a proxy.
pub const PROXY_USER: &str = "proxyCanary";
pub const PROXY_PASSWORD: &str = "pwCanaryPwCanary";

pub fn endpoint(base_url: &str) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(KEY).unwrap(), Network::Testnet).unwrap()
}

/// A proxy that is none: nobody listens there.
pub fn proxy_url(port: u16) -> String {
    format!("http://{PROXY_USER}:{PROXY_PASSWORD}@127.0.0.1:{port}")
}

/// Everything that must not come out, in every form in which it could.
fn secrets() -> Vec<String> {
    let plain = [
        KEY.to_owned(),
        format!("{KEY}:"),
        PROXY_PASSWORD.to_owned(),
        format!("{PROXY_USER}:{PROXY_PASSWORD}"),
    ];
    let mut secrets = plain.to_vec();
    for secret in plain {
        let base64 = [BASE64.encode(secret.as_bytes()), BASE64URL.encode(secret.as_bytes())];
        // Without padding: that finds both forms.
        secrets.extend(base64.map(|text| text.trim_end_matches('=').to_owned()));
        secrets.push(HEXLOWER.encode(secret.as_bytes()));
    }
    secrets
}

/// Fails if the text holds a secret.
#[track_caller]
pub fn assert_silent(what: &str, text: &str) {
    for secret in secrets() {
        assert!(!text.contains(&secret), "{what} shows {secret}: {text}");
    }
}

/// Looks at both forms of Debug.
#[track_caller]
pub fn assert_debug_silent(what: &str, value: &dyn Debug) {
    assert_silent(what, &format!("{value:?}"));
    assert_silent(what, &format!("{value:#?}"));
}

/// Looks at an error and all below it, in every form.
#[track_caller]
pub fn assert_error_silent(what: &str, error: &Error) {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    let mut depth = 0;
    while let Some(error) = next {
        assert_silent(what, &format!("{error}"));
        assert_silent(what, &format!("{error:#}"));
        assert_debug_silent(what, &error);
        next = error.source();
        depth += 1;
        assert!(depth < 20, "{what} has no end of sources");
    }
    assert_debug_silent(what, error.kind());
    assert_silent(what, error.api().map_or("", |api| api.message()));
    assert_silent(what, error.excerpt().unwrap_or_default());
    assert_silent(what, &error.advice().to_string());
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
        let below = std::io::Error::other(KEY);
        Err(TransportError::new(TransportErrorKind::Other, Delivery::Unsent).with_source(below))
    });
    let client =
        Client::builder(endpoint("http://127.0.0.1/")).transport(careless).retry(RetryPolicy::never());
    assert_error_silent("this", &client.build().unwrap().list(0).unwrap_err());
}
