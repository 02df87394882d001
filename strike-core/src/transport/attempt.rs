//! Attempts: the outcome of each exchange, for errors, logs and metrics.

use std::time::Duration;

use super::{Delivery, Exchange, Reply, TransportErrorKind};

/// One attempt of an operation. [`Error::attempts`](crate::Error::attempts) lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempt {
    /// Returns when the request was sent, by the driver's monotonic clock.
    #[must_use]
    pub const fn sent(&self) -> Duration {
        self.sent
    }

    /// Returns when the attempt ended, by the same clock.
    #[must_use]
    pub const fn ended(&self) -> Duration {
        self.ended
    }

    /// Returns the outcome.
    #[must_use]
    pub const fn outcome(&self) -> AttemptOutcome {
        self.outcome
    }
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// A response with this status.
    Status(u16),
    /// No response: the reason, and whether the request may have arrived.
    NoResponse(TransportErrorKind, Delivery),
}

impl AttemptOutcome {
    /// Returns the outcome of a reply.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        match reply {
            Ok(response) => Self::Status(response.status().as_u16()),
            Err(error) => Self::NoResponse(error.kind(), error.delivery()),
        }
    }
}

/// One finished attempt, for logs and metrics.
///
/// It contains no API key, no invoice, no id and no text from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The name of the operation, such as `create charge`.
    pub operation: &'static str,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// The time between passing the request to the transport and receiving its reply.
    pub latency: Duration,
}

impl AttemptReport {
    /// Starts the report of an exchange that is sent now. `sent` is the time of the monotonic
    /// clock.
    pub const fn start(exchange: &Exchange, sent: Duration) -> StartedAttempt {
        StartedAttempt { operation: exchange.operation, attempt: exchange.attempt, sent }
    }
}

/// An attempt that has no reply yet.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct StartedAttempt {
    operation: &'static str,
    attempt: u32,
    sent: Duration,
}

impl StartedAttempt {
    /// Finishes the report. `received` is the time of the monotonic clock.
    #[must_use]
    pub fn finish(self, reply: &Reply, received: Duration) -> AttemptReport {
        AttemptReport {
            operation: self.operation,
            attempt: self.attempt,
            outcome: AttemptOutcome::of(reply),
            latency: received.saturating_sub(self.sent),
        }
    }
}

/// Receives a report of each attempt of a client. Closures implement it.
///
/// The client calls it on the thread or task of the operation, so it should return quickly.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use strike_core::{AttemptReport, Observer};
///
/// static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
/// let count = |_: &AttemptReport| {
///     ATTEMPTS.fetch_add(1, Ordering::Relaxed);
/// };
/// fn accepts(_: impl Observer) {}
/// accepts(count); // or `Client::builder(endpoint).observer(count)`
/// ```
pub trait Observer: Send + Sync {
    /// Receives the report of one attempt.
    fn attempt(&self, report: &AttemptReport);
}

impl<F: Fn(&AttemptReport) + Send + Sync> Observer for F {
    fn attempt(&self, report: &AttemptReport) {
        self(report);
    }
}
