//! The attempts of an operation.

use std::time::Duration;

use crate::transport::{Delivery, TransportErrorKind};

/// One attempt of an operation, for the history in an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempt {
    /// When it was sent, by the driver's monotonic clock.
    #[must_use]
    pub const fn sent(&self) -> Duration {
        self.sent
    }

    /// When it had ended, by the same clock.
    #[must_use]
    pub const fn ended(&self) -> Duration {
        self.ended
    }

    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> AttemptOutcome {
        self.outcome
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// An answer with this status.
    Status(u16),
    /// No answer.
    NoResponse(TransportErrorKind, Delivery),
}
