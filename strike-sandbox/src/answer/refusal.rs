//! An error answer: a status, and a body of the same number and a message.

use std::fmt::Display;

use strike_core::http::{HeaderName, HeaderValue, StatusCode, header};

use super::layout::Object;
use crate::quirks::Quirks;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    message: String,
    /// What the status wants said in a header.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    quirks: Quirks,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), header: None, quirks: Quirks::new() }
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

    /// The methods that the path does have.
    pub(crate) fn method_not_allowed(allowed: &[&str]) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        let allow = HeaderValue::try_from(allowed.join(", "));
        Self { header: allow.ok().map(|allow| (header::ALLOW, allow)), ..refusal }
    }

    /// Beyond what an account may ask; `retry_after` is in seconds.
    pub(crate) fn too_many_requests(retry_after: Option<u64>) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "exceeded your request limit");
        let header = retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds)));
        Self { header, ..refusal }
    }

    pub(crate) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal API error")
    }

    /// The same refusal by a service with these quirks.
    pub(crate) fn with(self, quirks: Quirks) -> Self {
        Self { quirks, ..self }
    }

    pub(crate) fn to_json(&self) -> String {
        let object = Object::default().number("code", self.status.as_u16().into());
        self.quirks.end(object.text("message", &self.message))
    }
}
