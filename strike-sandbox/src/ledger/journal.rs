//! The interface to persistent storage, which stores the changes of a ledger in groups.

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

/// A change of the charges.
pub(crate) enum Change {
    /// The charge at this index is new.
    Added(usize),
    /// The charge at this index was paid or made to expire.
    Updated {
        index: usize,
        /// What it was before.
        before: Box<Charge>,
    },
    /// All charges were removed.
    Cleared,
}

/// Stores the changes of a ledger.
pub(crate) trait Journal: Send {
    /// Stores a group of changes, in their order, and the service state. `charges` has the charges
    /// after the changes. Without changes it stores only the state.
    ///
    /// When this returns `Ok`, the whole group survives a restart of the process. When it returns an
    /// error, no part of the group is stored.
    fn store(
        &mut self,
        changes: &[Change],
        charges: &[Charge],
        state: &ServiceState,
    ) -> Result<(), StorageError>;
}

/// A change could not be written to the data file and was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the change could not be written to the data file: {0}")]
pub struct StorageError(pub(crate) String);
