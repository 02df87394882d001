//! What a ledger that outlives its process is written to, before anything changes in memory.

use std::time::Duration;

use strike_core::UnixMillis;

use super::Charge;
use crate::entropy::Position;

/// Where the service stands beside its charges. It is kept with every change, so that no id comes twice and no
/// clock runs back.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only a file reads it"))]
pub(crate) struct Standing {
    pub(crate) entropy: Position,
    /// How far the clock was moved forward.
    pub(crate) ahead: Duration,
    /// The latest moment that the service acted on.
    pub(crate) seen: UnixMillis,
}

/// Keeps what the ledger tells it. When a call returns `Ok`, the change outlives the process; when it returns an
/// error, nothing of the change is left.
pub(crate) trait Journal: Send {
    /// A charge more, at this place.
    fn append(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), StorageError>;

    /// The charge at this place was paid, or has expired.
    fn change(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), StorageError>;

    /// No charge is left.
    fn clear(&mut self, standing: &Standing) -> Result<(), StorageError>;

    /// The charges are the same, and the rest has moved on.
    fn stand(&mut self, standing: &Standing) -> Result<(), StorageError>;
}

/// A change could not be written to the sandbox's file, and so was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the change could not be written to the data file: {0}")]
pub struct StorageError(pub(crate) String);
