//! The `Now` type: one reading of the clocks.

use std::time::Duration;

use crate::values::UnixMillis;

/// One reading of both clocks, which the driver of a machine provides.
///
/// Waits and timeouts use only `monotonic`. Invoice expiry and `Retry-After` dates use `unix`.
///
/// ```
/// use std::time::Duration;
/// use strike_core::{Now, UnixMillis};
///
/// let now = Now::new(Duration::from_secs(3), UnixMillis::from_secs(1_700_000_000));
/// assert_eq!(now.unix.to_string(), "2023-11-14T22:13:20Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a reading of two clocks has two parts")]
pub struct Now {
    /// The time since a fixed start that the driver chooses. It should never decrease.
    pub monotonic: Duration,
    /// The wall clock. It may jump forward or backward.
    pub unix: UnixMillis,
}

impl Now {
    /// Creates a reading from the two clocks.
    #[must_use]
    pub const fn new(monotonic: Duration, unix: UnixMillis) -> Self {
        Self { monotonic, unix }
    }
}
