//! The interface to persistent storage. The ledger writes a change there first, then to memory.

use std::time::Duration;

use strike_core::UnixMillis;

use super::Charge;
use crate::entropy::Position;

/// The state of the service apart from its charges. It is stored with every change, so that after a
/// restart no id repeats and the clock does not go back.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only the data file reads it"))]
pub(crate) struct ServiceState {
    pub(crate) entropy: Position,
    /// How far the clock was advanced.
    pub(crate) ahead: Duration,
    /// The time of the latest change.
    pub(crate) seen: UnixMillis,
}

/// Stores the changes of a ledger.
///
/// When a method returns `Ok`, the change survives a restart of the process. When it returns an
/// error, no part of the change is stored.
pub(crate) trait Journal: Send {
    /// Adds a charge at this index.
    fn append(&mut self, index: usize, charge: &Charge, state: &ServiceState) -> Result<(), StorageError>;

    /// Updates the charge at this index after it was paid or made to expire.
    fn change(&mut self, index: usize, charge: &Charge, state: &ServiceState) -> Result<(), StorageError>;

    /// Removes all charges.
    fn clear(&mut self, state: &ServiceState) -> Result<(), StorageError>;

    /// Stores the service state. The charges do not change.
    fn save_state(&mut self, state: &ServiceState) -> Result<(), StorageError>;
}

/// A change could not be written to the data file and was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the change could not be written to the data file: {0}")]
pub struct StorageError(pub(crate) String);
