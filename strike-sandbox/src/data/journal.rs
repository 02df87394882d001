//! Writes each change to the data file in a transaction.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::file_identity::FileIdentity;
use super::lock::Lock;
use super::tables;
use crate::ledger::{Charge, Journal, ServiceState, StorageError};

/// Called for each change that cannot be written.
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
    fn append(&mut self, index: usize, charge: &Charge, state: &ServiceState) -> Result<(), StorageError> {
        self.store(state, |connection| tables::insert_charge(connection, index, charge))
    }

    fn change(&mut self, index: usize, charge: &Charge, state: &ServiceState) -> Result<(), StorageError> {
        self.store(state, |connection| tables::update_charge(connection, index, charge))
    }

    fn clear(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        self.store(state, tables::delete_charges)
    }

    fn save_state(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        self.store(state, |_| Ok(()))
    }
}

impl FileJournal {
    fn store(
        &mut self,
        state: &ServiceState,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StorageError> {
        let result = self.commit(state, change);
        match &result {
            Ok(()) => self.state = *state,
            Err(error) => (self.on_error)(error),
        }
        result
    }

    /// Writes a change and the new state in one transaction.
    fn commit(
        &mut self,
        state: &ServiceState,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StorageError> {
        // SQLite would report a moved file only as read-only, so check for that first.
        self.identity.check_unchanged()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&transaction)?;
        if !tables::update_state(&transaction, &self.state, state)? {
            let why = "another program wrote to it while the sandbox had it open; restart the sandbox";
            return Err(StorageError(why.to_owned()));
        }
        self.identity.check_unchanged()?;
        Ok(transaction.commit()?)
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}
