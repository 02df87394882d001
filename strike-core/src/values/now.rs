//! A reading of the clocks.

use std::time::Duration;

use crate::values::UnixMillis;

/// One reading of both clocks, made by whoever drives the machine.
///
/// Durations and timeouts use `monotonic` alone; `unix` serves invoice expiry and dated `Retry-After` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a reading of two clocks has two parts")]
pub struct Now {
    /// Time since a start that the driver chooses once and keeps; it should not run backwards.
    pub monotonic: Duration,
    /// The wall clock, in milliseconds since the epoch; it may jump either way.
    pub unix: UnixMillis,
}

impl Now {
    /// Puts one reading together.
    #[must_use]
    pub const fn new(monotonic: Duration, unix: UnixMillis) -> Self {
        Self { monotonic, unix }
    }
}
