//! Reads the body of a control: an object of JSON with the fields that the control has, and no others.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answer::Refusal;

/// The body of a control that wants to know nothing more; it may as well be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Reads a body; `shape` shows what it should be to whoever sent something else.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], shape: &str) -> Result<T, Refusal> {
    // Serde would also fill a struct from an array.
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_array { Err("it is an array".to_owned()) } else { parse(body) };
    read.map_err(|why| Refusal::bad_request(format!("the body must be {shape}: {why}")))
}

/// Refuses a body that says something, which would go unheard.
pub(super) fn nothing(body: &[u8]) -> Result<(), Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    read(body, "empty or {}").map(|Nothing {}| ())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
