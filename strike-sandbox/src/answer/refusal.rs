//! An error answer: a status, and a body of the same number and a message.

use std::fmt::Display;

use strike_core::http::StatusCode;

use super::layout::Object;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    message: String,
    /// The methods that the path does have, for a 405.
    pub(crate) allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None }
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

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        Self { allow: Some(allow), ..refusal }
    }

    pub(crate) fn to_json(&self) -> String {
        Object::default().number("code", self.status.as_u16().into()).text("message", &self.message).end()
    }
}
