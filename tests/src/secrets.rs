//! Keys as no other text holds them, and the search for them in whatever a program could print.

use std::error::Error as StdError;
use std::fmt::Debug;

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use strike_core::{ApiKey, Endpoint, Error, InvalidInput, Network};

/// A key as no other text holds it.
pub const KEY: &str = "sk_CanaryCanaryCanary123456";

/// The user of a proxy.
pub const PROXY_USER: &str = "proxyCanary";
/// And the password there.
pub const PROXY_PASSWORD: &str = "pwCanaryPwCanary";

/// An endpoint with that key, on the test network.
///
/// # Errors
/// If the base URL is none.
pub fn endpoint(base_url: &str) -> Result<Endpoint, InvalidInput> {
    Endpoint::new(base_url, ApiKey::new(KEY)?, Network::Testnet)
}

/// A proxy that is none: nobody listens there.
#[must_use]
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

/// The secret that a text holds, if any.
fn heard(text: &str) -> Option<String> {
    secrets().into_iter().find(|secret| text.contains(secret))
}

/// Fails if the text holds a secret.
///
/// # Panics
/// If a secret shows.
#[track_caller]
pub fn assert_silent(what: &str, text: &str) {
    let secret = heard(text);
    assert!(secret.is_none(), "{what} shows {secret:?}: {text}");
}

/// Looks at both forms of Debug.
///
/// # Panics
/// If a secret shows.
#[track_caller]
pub fn assert_debug_silent(what: &str, value: &dyn Debug) {
    assert_silent(what, &format!("{value:?}"));
    assert_silent(what, &format!("{value:#?}"));
}

/// Looks at an error and all below it, in every form: the first text that holds a secret.
#[must_use]
pub fn shown_in(error: &Error) -> Option<String> {
    let mut texts = vec![
        format!("{:?} {:#?}", error.kind(), error.kind()),
        error.api().map_or("", |api| api.message()).to_owned(),
        error.excerpt().unwrap_or_default().to_owned(),
        error.advice().to_string(),
    ];
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        texts.push(format!("{error} {error:#} {error:?} {error:#?}"));
        next = error.source();
        if texts.len() > 20 {
            return Some("an error without an end of sources".to_owned());
        }
    }
    texts.into_iter().find(|text| heard(text).is_some())
}

/// Fails if an error or anything below it shows a secret.
///
/// # Panics
/// If a secret shows.
#[track_caller]
pub fn assert_error_silent(what: &str, error: &Error) {
    let shown = shown_in(error);
    assert!(shown.is_none(), "{what} shows a secret: {shown:?}");
}
