//! Decides whether a failed attempt is retried.

use std::time::Duration;

use crate::errors::{Error, ErrorKind, RetryAfter};
use crate::protocol::RetrySafety;
use crate::transport::{Delivery, TransportErrorKind};
use crate::values::{Now, UnixMillis};

/// What to do after a failed attempt. The table in [`Call`](crate::machine::Call) lists every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// Do not retry: it would not help.
    Stop,
    /// Retry without a delay the first time, after a backoff later.
    RetryNow,
    /// Retry after a backoff.
    Backoff,
    /// Do not retry: the server may have created a charge.
    OutcomeUnknown,
}

impl RetryDecision {
    /// Returns the decision for this failure of an operation.
    pub(crate) fn of(error: &Error, safety: RetrySafety) -> Self {
        let maybe_done = match safety {
            RetrySafety::Safe => Self::Backoff,
            RetrySafety::OnlyIfUnsent => Self::OutcomeUnknown,
        };
        match (error.kind(), error.status()) {
            (ErrorKind::Connection { kind, delivery }, _) => match (kind, delivery, safety) {
                (TransportErrorKind::Tls | TransportErrorKind::Setup, Delivery::Unsent, _) => Self::Stop,
                (_, Delivery::Unsent, _) => Self::Backoff,
                (TransportErrorKind::Closed, Delivery::MaybeSent, RetrySafety::Safe) => Self::RetryNow,
                _ => maybe_done,
            },
            (ErrorKind::Server, _) | (ErrorKind::Rejected, Some(408 | 425)) => maybe_done,
            (ErrorKind::RateLimited { .. }, _) => Self::Backoff,
            // A redirect can mean that the charge was created, and where to read it.
            (ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::Redirected, _) => {
                match safety {
                    RetrySafety::Safe => Self::Stop,
                    RetrySafety::OnlyIfUnsent => Self::OutcomeUnknown,
                }
            }
            _ => Self::Stop,
        }
    }
}

/// Returns true if the same read may succeed later. Machines that check a charge repeatedly use
/// this to go on after an error.
pub(crate) fn is_transient(error: &Error) -> bool {
    match error.kind() {
        // Possibly the page of a proxy in between. Another read does no harm.
        ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::PathNotFound => true,
        _ => RetryDecision::of(error, RetrySafety::Safe) != RetryDecision::Stop,
    }
}

/// Returns the delay of the error's `Retry-After`, or zero. A date is compared with the server's
/// clock if it is known, else with the local clock.
pub(crate) fn requested_delay(error: &Error, server_time: Option<UnixMillis>, now: Now) -> Duration {
    match error.retry_after() {
        None => Duration::ZERO,
        Some(RetryAfter::In(wait)) => wait,
        Some(RetryAfter::At(moment)) => moment.saturating_since(server_time.unwrap_or(now.unix)),
    }
}
