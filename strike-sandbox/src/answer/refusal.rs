//! An error answer: a status, and a body of the same number and a message.

use std::fmt::Display;

use strike_core::http::{HeaderName, HeaderValue, StatusCode, header};

use super::layout::Object;
use crate::quirks::{self, Quirks};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    message: String,
    advice: Advice,
    extra_keys: bool,
}

/// What a status wants said in a header.
#[derive(Debug, PartialEq, Eq)]
enum Advice {
    None,
    /// The methods that the path does have.
    Allow(String),
    /// In seconds.
    RetryAfter(u64),
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), advice: Advice::None, extra_keys: false }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A field in the way of json4s, whose sentences the service passed on.
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
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        Self { advice: Advice::Allow(allowed.join(", ")), ..refusal }
    }

    /// Beyond what an account may ask; `retry_after` is in seconds.
    pub(crate) fn too_many_requests(retry_after: Option<u64>) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "exceeded your request limit");
        Self { advice: retry_after.map_or(Advice::None, Advice::RetryAfter), ..refusal }
    }

    pub(crate) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal API error")
    }

    /// The same refusal by a service with these quirks.
    pub(crate) fn with(self, quirks: &Quirks) -> Self {
        Self { extra_keys: quirks.extra_keys, ..self }
    }

    /// The header that goes with the status.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match &self.advice {
            Advice::None => None,
            Advice::Allow(methods) => Some((header::ALLOW, HeaderValue::try_from(methods).ok()?)),
            Advice::RetryAfter(seconds) => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let object = Object::default().number("code", self.status.as_u16().into());
        quirks::end(object.text("message", &self.message), self.extra_keys)
    }
}
