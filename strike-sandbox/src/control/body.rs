//! Reads the JSON body of a control request. Unknown fields are rejected.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::response::ErrorResponse;

/// The body of a request without parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyBody {}

/// Reads a body. `expected` describes the valid body in the error message.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, ErrorResponse> {
    // Serde would also accept an array for a struct.
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let parsed = if is_array { Err("it is an array".to_owned()) } else { parse(body) };
    parsed.map_err(|why| ErrorResponse::bad_request(format!("the body must be {expected}: {why}")))
}

/// Rejects a body with parameters, because they would have no effect.
pub(super) fn expect_empty(body: &[u8]) -> Result<(), ErrorResponse> {
    let body = if body.is_empty() { b"{}" } else { body };
    read(body, "empty or {}").map(|EmptyBody {}| ())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
