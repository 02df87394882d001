//! Writes each group of changes to the data file in a transaction.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::file_identity::FileIdentity;
use super::lock::Lock;
use super::tables;
use crate::ledger::{Change, Charge, Journal, ServiceState, StorageError};

/// Called for each group of changes that cannot be written.
pub(super) type ErrorCallback = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// The journal of a data file. The file is locked until this is dropped.
pub(super) struct FileJournal {
    pub(super) connection: Connection,
    pub(super) identity: FileIdentity,
    /// The state that this sandbox stored last. The file differs if another program wrote to it.
    pub(super) state: ServiceState,
    pub(super) on_error: ErrorCallback,
    /// Fields are dropped in order. This one is last, so that the connection closes first.
    pub(super) _lock: Lock,
}

impl Journal for FileJournal {
    fn store(
        &mut self,
        changes: &[Change],
        charges: &[Charge],
        state: &ServiceState,
    ) -> Result<(), StorageError> {
        let result = self.commit(changes, charges, state);
        match &result {
            Ok(()) => self.state = *state,
            Err(error) => (self.on_error)(error),
        }
        result
    }
}

impl FileJournal {
    /// Writes the changes and the new state in one transaction.
    fn commit(
        &mut self,
        changes: &[Change],
        charges: &[Charge],
        state: &ServiceState,
    ) -> Result<(), StorageError> {
        // SQLite would report a moved file only as read-only, so check for that first.
        self.identity.check_unchanged()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for change in changes {
            write(&transaction, change, charges)?;
        }
        if !tables::update_state(&transaction, &self.state, state)? {
            let why = "another program wrote to it while the sandbox had it open; restart the sandbox";
            return Err(StorageError(why.to_owned()));
        }
        self.identity.check_unchanged()?;
        Ok(transaction.commit()?)
    }
}

fn write(connection: &Connection, change: &Change, charges: &[Charge]) -> rusqlite::Result<()> {
    let charge = |index: usize| charges.get(index).ok_or(rusqlite::Error::InvalidQuery);
    match *change {
        Change::Added(index) => tables::insert_charge(connection, index, charge(index)?),
        Change::Updated { index, .. } => tables::update_charge(connection, index, charge(index)?),
        Change::Cleared => tables::delete_charges(connection),
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}
