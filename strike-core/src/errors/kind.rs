//! The kinds of failure.

use std::time::Duration;

use super::Mismatch;
use crate::transport::{Delivery, TransportErrorKind};
use crate::values::{InvalidInput, UnixMillis};

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Your input breaks a rule. Nothing was sent.
    InvalidInput(InvalidInput),
    /// There was no response. For a create, this kind means that the request was not sent.
    Connection {
        /// Why there was no response.
        kind: TransportErrorKind,
        /// Whether the request may have arrived.
        delivery: Delivery,
    },
    /// The server may or may not have created a charge. The [source](std::error::Error::source) says what happened.
    OutcomeUnknown,
    /// Status 400: the server rejected the input.
    BadRequest,
    /// Status 401: the API key is wrong.
    Unauthorized,
    /// Status 404 with the API's error body: this account has no such charge.
    NotFound,
    /// Status 404 without the API's error body: a proxy or another server does not know the path. It says nothing
    /// about the charge.
    PathNotFound,
    /// Status 429: too many requests.
    RateLimited {
        /// When the server wants the next request, if it said so.
        retry_after: Option<RetryAfter>,
    },
    /// Another status between 400 and 499.
    Rejected,
    /// A status between 500 and 599: the server failed.
    Server,
    /// A status between 300 and 399. Redirects are not followed, because the API key would go along. For a create
    /// this is the source of an [`OutcomeUnknown`](Self::OutcomeUnknown): a redirect may follow a successful create.
    Redirected,
    /// The response is not what the API describes.
    Undecodable,
    /// The response body is larger than the limit.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The response is well formed but does not match the request.
    Mismatch(Mismatch),
    /// The end of the list was not reached, so charges may be missing. Either the list grows faster than it is read,
    /// or [`CreateOnce`](crate::machine::CreateOnce) stopped after 1000 pages.
    Incomplete,
    /// The machine was polled after it had returned its result.
    AlreadyFinished,
}

impl ErrorKind {
    /// Returns the name of the exception that pystrike raised in this case, or `None` if there is none.
    #[must_use]
    pub const fn pystrike_name(&self) -> Option<&'static str> {
        match self {
            Self::Connection { .. } | Self::OutcomeUnknown => Some("ConnectionException"),
            Self::InvalidInput(_)
            | Self::BadRequest
            | Self::Unauthorized
            | Self::RateLimited { .. }
            | Self::Rejected => Some("ClientRequestException"),
            Self::NotFound => Some("ChargeNotFoundException"),
            Self::Undecodable
            | Self::TooLarge { .. }
            | Self::Mismatch(_)
            | Self::Redirected
            | Self::PathNotFound => Some("UnexpectedResponseException"),
            Self::Server => Some("ServerErrorException"),
            Self::Incomplete | Self::AlreadyFinished => None,
        }
    }
}

/// When the server wants the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryAfter {
    /// This long after the response.
    In(Duration),
    /// At this time.
    At(UnixMillis),
}
