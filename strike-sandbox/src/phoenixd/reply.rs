//! Responses in phoenixd's form: JSON or plain text, errors as plain text, and no `Date` header.

use serde::Serialize;
use strike_core::http::{HeaderMap, HeaderValue, StatusCode, header};
use strike_core::{HttpRequest, HttpResponse};

use super::routes;
use crate::response::ErrorResponse;

/// The body of a successful response.
pub(super) enum Reply {
    Json(String),
    Text(String),
    /// Accepts a websocket, with these headers.
    #[cfg(feature = "server")]
    Upgrade(HeaderMap),
}

impl Reply {
    pub(super) fn json(value: &impl Serialize) -> Self {
        Self::Json(pretty(value))
    }
}

/// An error with its text.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    text: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// A parameter that must be given is not.
    pub(super) fn missing(parameter: &str) -> Self {
        Self::bad_request(format!("Request parameter {parameter} is missing"))
    }

    /// A parameter is not of its type.
    pub(super) fn invalid_type(parameter: &str, expected: &str) -> Self {
        Self::bad_request(format!("Request parameter {parameter} couldn't be parsed/converted to {expected}"))
    }

    pub(super) fn unauthorized() -> Self {
        Self::of_status(StatusCode::UNAUTHORIZED)
    }

    pub(super) fn unknown_endpoint() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    pub(super) fn no_such_payment() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found")
    }

    pub(super) fn wrong_method() -> Self {
        Self::of_status(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// Returns the error with the text that phoenixd has for the status.
    fn of_status(status: StatusCode) -> Self {
        let text = match status {
            StatusCode::UNAUTHORIZED => {
                "Invalid authentication (use basic auth with the http password set in phoenix.conf)"
            }
            StatusCode::NOT_FOUND => "Unknown endpoint (check api doc)",
            StatusCode::METHOD_NOT_ALLOWED => "Invalid http method (use the correct GET/POST)",
            other => other.canonical_reason().unwrap_or("no reason given"),
        };
        Self::new(status, text)
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// The ledger could not store a change, or the invoice could not be signed.
impl From<ErrorResponse> for Failure {
    fn from(error: ErrorResponse) -> Self {
        Self::new(error.status, error.message())
    }
}

/// Returns an error response for a fault. A 404 of a payment has the text for an unknown payment.
pub(crate) fn error_response(status: StatusCode, request: &HttpRequest) -> HttpResponse {
    let is_unknown_payment = status == StatusCode::NOT_FOUND && routes::is_for_one_payment(request);
    let failure = if is_unknown_payment { Failure::no_such_payment() } else { Failure::of_status(status) };
    build(Err(failure))
}

/// Returns the response to a request that failed because of the sandbox itself.
pub(crate) fn failed(error: ErrorResponse) -> HttpResponse {
    build(Err(error.into()))
}

pub(super) fn build(outcome: Result<Reply, Failure>) -> HttpResponse {
    let (status, content_type, body) = match outcome {
        Ok(Reply::Json(body)) => (StatusCode::OK, "application/json", body),
        #[cfg(feature = "server")]
        Ok(Reply::Upgrade(headers)) => {
            let mut response = HttpResponse::new(Vec::new());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            *response.headers_mut() = headers;
            return response;
        }
        Ok(Reply::Text(body)) => (StatusCode::OK, "text/plain; charset=UTF-8", body),
        Err(Failure { status, text }) => (status, "text/plain; charset=UTF-8", text),
    };
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let mut response = HttpResponse::new(body.into_bytes());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Writes JSON as kotlinx.serialization prints it: indented by four spaces.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, formatter);
    // The values consist of structs, lists, strings and numbers, so serializing them cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(json).unwrap_or_default()
}
