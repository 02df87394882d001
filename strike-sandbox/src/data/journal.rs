//! Writes each change to the file, or refuses it.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::lock::Lock;
use super::place::Place;
use super::rows;
use crate::ledger::{Charge, Journal, Standing, StorageError};

/// Takes the changes that could not be written.
pub(super) type Report = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// A data file that belongs to this sandbox until it is dropped.
pub(super) struct FileJournal {
    pub(super) connection: Connection,
    pub(super) place: Place,
    /// What the file says of the sandbox unless another program wrote to it.
    pub(super) standing: Standing,
    pub(super) report: Report,
    /// Given back after the connection is closed, as it stands behind it.
    pub(super) _lock: Lock,
}

impl Journal for FileJournal {
    fn append(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), StorageError> {
        self.keep(standing, |connection| rows::insert_charge(connection, place, charge))
    }

    fn change(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), StorageError> {
        self.keep(standing, |connection| rows::update_charge(connection, place, charge))
    }

    fn clear(&mut self, standing: &Standing) -> Result<(), StorageError> {
        self.keep(standing, rows::delete_charges)
    }

    fn stand(&mut self, standing: &Standing) -> Result<(), StorageError> {
        self.keep(standing, |_| Ok(()))
    }
}

impl FileJournal {
    fn keep(
        &mut self,
        standing: &Standing,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StorageError> {
        let kept = self.commit(standing, change);
        match &kept {
            Ok(()) => self.standing = *standing,
            Err(error) => (self.report)(error),
        }
        kept
    }

    /// Writes all of a change, or nothing.
    fn commit(
        &mut self,
        standing: &Standing,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StorageError> {
        // Before SQLite looks, which would only say that the file is read-only.
        self.place.check()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&transaction)?;
        if !rows::move_standing(&transaction, &self.standing, standing)? {
            let why = "another program wrote to it while the sandbox had it open; restart the sandbox";
            return Err(StorageError(why.to_owned()));
        }
        self.place.check()?;
        Ok(transaction.commit()?)
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}
