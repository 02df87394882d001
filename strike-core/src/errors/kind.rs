//! The kinds of failure.

use std::time::Duration;

use super::Mismatch;
use crate::transport::{Delivery, TransportErrorKind};
use crate::values::{InvalidInput, UnixMillis};

/// What kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's own input breaks a rule. Nothing was sent.
    InvalidInput(InvalidInput),
    /// No answer came. For a create this means that the request never left.
    Connection {
        /// What went wrong on the way.
        kind: TransportErrorKind,
        /// Whether the request can have arrived.
        delivery: Delivery,
    },
    /// A create may have made a charge, or not. The [source](StdError::source) says what happened.
    OutcomeUnknown,
    /// 400: the server did not accept the input.
    BadRequest,
    /// 401: the key is wrong.
    Unauthorized,
    /// 404 in the API's own words: there is no such charge in this account.
    NotFound,
    /// Any other 404: a proxy or another server answered, and does not know this path. It says nothing about a charge.
    PathNotFound,
    /// 429: too many requests.
    RateLimited {
        /// When the server wants to be asked again, if it said so.
        retry_after: Option<RetryAfter>,
    },
    /// Another refusal between 400 and 499.
    Rejected,
    /// 500 to 599: the server failed.
    Server,
    /// 300 to 399: a redirect, which is never followed, since the key would go along. For a create it is below an
    /// [`OutcomeUnknown`](Self::OutcomeUnknown), since it may mean "done, look there".
    Redirected,
    /// An answer that is not what the API describes.
    Undecodable,
    /// An answer with a larger body than was allowed.
    TooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// A well-formed answer that says something else than was asked.
    Mismatch(Mismatch),
    /// The end of the list was not reached, so charges can be missing: it grows faster than it is read, or a
    /// [`CreateOnce`](crate::machine::CreateOnce) has read 1000 pages.
    Incomplete,
    /// The machine had already ended when it was polled.
    AlreadyFinished,
}

impl ErrorKind {
    /// Which exception pystrike raised in this case; `None` where there was no such case.
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

/// When the server wants to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// That long after its answer.
    In(Duration),
    /// At that moment.
    At(UnixMillis),
}
