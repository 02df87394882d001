//! A group of changes that are made in memory and not stored yet. All of them are stored together.

use std::sync::{Arc, OnceLock};

use super::{Change, StorageError};

/// The changes since the last group was stored.
#[derive(Default)]
pub(super) struct Group {
    pub(super) changes: Vec<Change>,
    outcome: GroupOutcome,
}

/// Whether a group was stored. It is empty as long as the group is open.
///
/// A response that depends on the group must not be sent before.
#[derive(Clone, Default)]
pub(crate) struct GroupOutcome(Arc<OnceLock<Result<(), StorageError>>>);

impl GroupOutcome {
    pub(crate) fn get(&self) -> Option<Result<(), StorageError>> {
        self.0.get().cloned()
    }
}

impl Group {
    /// Returns the outcome that [`end`](Self::end) sets. `None` if the group has no changes.
    pub(super) fn outcome(&self) -> Option<GroupOutcome> {
        (!self.changes.is_empty()).then(|| self.outcome.clone())
    }

    /// Ends the group. Everyone who has its outcome gets this one.
    pub(super) fn end(self, outcome: &Result<(), StorageError>) {
        // Cannot fail: a group ends once.
        let _ = self.outcome.0.set(outcome.clone());
    }
}
