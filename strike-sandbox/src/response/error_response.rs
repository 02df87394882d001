//! Error responses: a status, and a JSON body with the status code and a message.

use std::fmt::Display;

use strike_core::http::{HeaderName, HeaderValue, StatusCode, header};

use super::json_layout::Object;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) status: StatusCode,
    message: String,
    extra_header: ExtraHeader,
    extra_keys: bool,
}

/// The additional header that some statuses require.
#[derive(Debug, PartialEq, Eq)]
enum ExtraHeader {
    None,
    /// The methods that the path supports.
    Allow(String),
    /// In seconds.
    RetryAfter(u64),
}

impl ErrorResponse {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), extra_header: ExtraHeader::None, extra_keys: false }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Rejects a field with the wording of json4s, which the service passed on to clients.
    pub(crate) fn no_usable_value(field: &str, why: impl Display) -> Self {
        Self::bad_request(format!("No usable value for {field}\n{why}"))
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "authentication failed")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found")
    }

    pub(crate) fn method_not_allowed(allowed: &[&str]) -> Self {
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        Self { extra_header: ExtraHeader::Allow(allowed.join(", ")), ..error }
    }

    /// Reports that the account exceeded its request limit. `retry_after` is in seconds.
    pub(crate) fn too_many_requests(retry_after: Option<u64>) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "exceeded your request limit");
        Self { extra_header: retry_after.map_or(ExtraHeader::None, ExtraHeader::RetryAfter), ..error }
    }

    pub(crate) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal API error")
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Sets whether the body has keys that clients do not expect.
    pub(crate) fn with_extra_keys(self, extra_keys: bool) -> Self {
        Self { extra_keys, ..self }
    }

    /// Returns the additional header that the status requires.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match &self.extra_header {
            ExtraHeader::None => None,
            ExtraHeader::Allow(methods) => Some((header::ALLOW, HeaderValue::try_from(methods).ok()?)),
            ExtraHeader::RetryAfter(seconds) => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let object =
            Object::default().number("code", self.status.as_u16().into()).text("message", &self.message);
        let object = if self.extra_keys { object.extra_keys() } else { object };
        object.end()
    }
}
