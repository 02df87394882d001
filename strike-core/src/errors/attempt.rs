//! The attempts of an operation.

use std::time::Duration;

use crate::transport::{Delivery, TransportErrorKind};

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
    /// No response.
    NoResponse(TransportErrorKind, Delivery),
}
