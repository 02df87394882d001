//! Makes a server's words fit for a log: short, tidy, and without secrets.

use alloc::borrow::Cow;
use alloc::string::String;

/// The beginning of a text, without control characters.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let tidy = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = tidy.take(MOST + 1).collect();
    if let Some((cut, _)) = short.char_indices().nth(MOST) {
        short.truncate(cut);
        short.push('…');
    }
    short
}

/// Replaces each of the secrets in a text.
pub(crate) fn without(text: &str, secrets: &[&str]) -> String {
    let mut clean = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if clean.contains(secret) {
            clean = Cow::Owned(clean.replace(secret, "[redacted]"));
        }
    }
    clean.into_owned()
}
