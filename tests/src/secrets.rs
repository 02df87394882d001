//! A recognizable API key and proxy password, and functions that search for them in errors, logs
//! and Debug output.

use std::error::Error as StdError;
use std::fmt::Debug;

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use strike_core::{ApiKey, Endpoint, Error, InvalidInput, Network};
use strike_sandbox::{Phoenixd, Sandbox, SandboxBuilder};

use crate::Dialect;

/// An API key that does not occur in any other text.
pub const KEY: &str = "sk_CanaryCanaryCanary123456";

/// A proxy user.
pub const PROXY_USER: &str = "proxyCanary";
/// A proxy password that does not occur in any other text.
pub const PROXY_PASSWORD: &str = "pwCanaryPwCanary";

/// Returns an endpoint on the test network with [`KEY`].
///
/// # Errors
/// Returns an error if the base URL is not valid.
pub fn endpoint(base_url: &str) -> Result<Endpoint, InvalidInput> {
    Endpoint::new(base_url, ApiKey::new(KEY)?, Network::Testnet)
}

/// Returns an endpoint in a dialect, on the test network, with [`KEY`] as the API key, password or
/// invoice key. `origin` is a URL without a path.
///
/// # Errors
/// Returns an error if the origin is not valid.
pub fn endpoint_in(dialect: Dialect, origin: &str) -> Result<Endpoint, InvalidInput> {
    dialect.endpoint(origin, KEY, Network::Testnet)
}

/// Starts building a sandbox that accepts [`KEY`] in every dialect.
pub fn sandbox() -> SandboxBuilder {
    Sandbox::builder().api_key(KEY).phoenixd(Phoenixd::new().limited_password(KEY))
}

/// Returns the URL of a proxy on 127.0.0.1, with credentials in it.
#[must_use]
pub fn proxy_url(port: u16) -> String {
    format!("http://{PROXY_USER}:{PROXY_PASSWORD}@127.0.0.1:{port}")
}

/// Lists the secrets in every encoding in which they could appear.
fn secrets() -> Vec<String> {
    let plain = [
        KEY.to_owned(),
        format!("{KEY}:"),
        // phoenixd's password is sent with an empty user.
        format!(":{KEY}"),
        PROXY_PASSWORD.to_owned(),
        format!("{PROXY_USER}:{PROXY_PASSWORD}"),
    ];
    let mut secrets = plain.to_vec();
    for secret in plain {
        let base64 = [BASE64.encode(secret.as_bytes()), BASE64URL.encode(secret.as_bytes())];
        // Without padding, the search finds the padded form as well.
        secrets.extend(base64.map(|text| text.trim_end_matches('=').to_owned()));
        secrets.push(HEXLOWER.encode(secret.as_bytes()));
    }
    secrets
}

/// Returns the secret that the text contains, if any.
fn find_secret(text: &str) -> Option<String> {
    secrets().into_iter().find(|secret| text.contains(secret))
}

/// Fails if the text contains a secret.
///
/// # Panics
/// Panics if the text contains a secret.
#[track_caller]
pub fn assert_no_secret(what: &str, text: &str) {
    let secret = find_secret(text);
    assert!(secret.is_none(), "{what} contains {secret:?}: {text}");
}

/// Checks both `{:?}` and `{:#?}`.
///
/// # Panics
/// Panics if one of them contains a secret.
#[track_caller]
pub fn assert_debug_has_no_secret(what: &str, value: &dyn Debug) {
    assert_no_secret(what, &format!("{value:?}"));
    assert_no_secret(what, &format!("{value:#?}"));
}

/// Formats an error and all its sources in every way, and returns the first text that contains a
/// secret.
#[must_use]
pub fn leaked_text(error: &Error) -> Option<String> {
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
            return Some("an error whose chain of sources does not end".to_owned());
        }
    }
    texts.into_iter().find(|text| find_secret(text).is_some())
}

/// Fails if an error or one of its sources contains a secret.
///
/// # Panics
/// Panics if a text contains a secret.
#[track_caller]
pub fn assert_error_has_no_secret(what: &str, error: &Error) {
    let leaked = leaked_text(error);
    assert!(leaked.is_none(), "{what} contains a secret: {leaked:?}");
}
