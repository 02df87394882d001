//! What a failed attempt means for its operation.

use std::time::Duration;

use crate::errors::{Error, ErrorKind, RetryAfter};
use crate::protocol::RetrySafety;
use crate::transport::{Delivery, TransportErrorKind};
use crate::values::{Now, UnixMillis};

/// What a failure means for an operation. See the table in [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Asking again would not help, or is not wanted.
    Stop,
    /// Ask again at once, the first time; back off after that.
    AtOnce,
    /// Ask again after a while.
    Backoff,
    /// It may have been done: never ask again, say so.
    Unknown,
}

impl Verdict {
    pub(crate) fn of(error: &Error, replay: RetrySafety) -> Self {
        let doubt = match replay {
            RetrySafety::Safe => Self::Backoff,
            RetrySafety::OnlyIfUnsent => Self::Unknown,
        };
        match (error.kind(), error.status()) {
            (ErrorKind::Connection { kind, delivery }, _) => match (kind, delivery, replay) {
                (TransportErrorKind::Tls | TransportErrorKind::Setup, Delivery::Unsent, _) => Self::Stop,
                (_, Delivery::Unsent, _) => Self::Backoff,
                (TransportErrorKind::Closed, Delivery::MaybeSent, RetrySafety::Safe) => Self::AtOnce,
                _ => doubt,
            },
            (ErrorKind::Server, _) | (ErrorKind::Rejected, Some(408 | 425)) => doubt,
            (ErrorKind::RateLimited { .. }, _) => Self::Backoff,
            // A redirect may well mean "done, look there".
            (ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::Redirected, _) => {
                match replay {
                    RetrySafety::Safe => Self::Stop,
                    RetrySafety::OnlyIfUnsent => Self::Unknown,
                }
            }
            _ => Self::Stop,
        }
    }

    /// Whether a look that failed like this may succeed later, for whoever looks again and again.
    pub(crate) fn may_pass(error: &Error) -> bool {
        match error.kind() {
            // A proxy's page in between, say: asking again does no harm.
            ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::PathNotFound => true,
            _ => Self::of(error, RetrySafety::Safe) != Self::Stop,
        }
    }
}

/// How long the server wants not to be asked. A date is compared with the server's own clock, if it is known.
pub(crate) fn asked_to_rest(error: &Error, server_time: Option<UnixMillis>, now: Now) -> Duration {
    match error.retry_after() {
        None => Duration::ZERO,
        Some(RetryAfter::In(wait)) => wait,
        Some(RetryAfter::At(moment)) => moment.saturating_since(server_time.unwrap_or(now.unix)),
    }
}
