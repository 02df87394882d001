//! The file itself: found or made, locked, and known to be a sandbox's before a byte of it is changed.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use strike_core::Network;

use super::DataError;
use super::held::Held;
use super::rows::{self, Kept};
use crate::builder::Identity;
use crate::ledger::{Charge, Journal, NotKept, Standing};

/// `STRK` in ASCII, where SQLite lets an application sign its files.
const APPLICATION: i64 = 0x5354_524b;
/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The latest format, in `user_version`.
const FORMAT: i64 = 1;

/// A sandbox's file, which nobody else has open.
pub(super) struct File {
    connection: Connection,
    path: PathBuf,
    /// Given back after the connection is closed, as it stands behind it.
    _held: Held,
}

impl File {
    /// Opens a file, or makes one, and changes nothing in it.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable { path: path.into(), source };
        make(path).map_err(unusable)?;
        // SQLite has its own ideas about some names, such as `:memory:`, and none about a whole path.
        let whole = path.canonicalize().map_err(unusable)?;
        let held = Held::take(whole).ok_or_else(|| DataError::InUse { path: path.into() })?;
        if !is_database(held.path()).map_err(unusable)? {
            return Err(DataError::Foreign { path: path.into() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connect = || {
            let connection = Connection::open_with_flags(held.path(), flags)?;
            // Whoever has the file open keeps it: waiting would not help.
            connection.busy_timeout(Duration::ZERO)?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            Ok(connection)
        };
        let connection = connect().map_err(|error| data_error(path, error))?;
        Ok(Self { connection, path: path.into(), _held: held })
    }

    /// What the file says of its sandbox; `None` for an empty one.
    pub(super) fn read(&self) -> Result<Option<Kept>, DataError> {
        let number = |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let signature =
            || Ok((number("application_id")?, number("user_version")?, number("schema_version")?));
        match signature().map_err(|error| self.error(error))? {
            (0, 0, 0) => Ok(None),
            // An older format will be brought to the latest one here.
            (APPLICATION, FORMAT, _) => {
                rows::read_sandbox(&self.connection).map(Some).map_err(|error| self.error(error))
            }
            (APPLICATION, found, _) => {
                Err(DataError::Newer { path: self.path.clone(), found, known: FORMAT })
            }
            _ => Err(DataError::Foreign { path: self.path.clone() }),
        }
    }

    /// Writes down who a new sandbox is.
    pub(super) fn begin(&mut self, network: Network, identity: &Identity) -> Result<(), DataError> {
        self.write(|connection| {
            connection.execute_batch(rows::TABLES)?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
            rows::insert_sandbox(connection, network, identity)
        })
    }

    /// Goes on with a sandbox that the file has; its key may have changed.
    pub(super) fn resume(&mut self, api_key: &str) -> Result<(), DataError> {
        self.write(|connection| rows::set_api_key(connection, api_key))
    }

    /// Every charge, oldest first.
    pub(super) fn charges(&self) -> Result<Vec<Charge>, DataError> {
        rows::read_charges(&self.connection).map_err(|error| self.error(error))
    }

    /// The first change: it takes the lock, which is held from then on.
    fn write(&mut self, change: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), DataError> {
        let write = || {
            // A log of its own, synchronised with each change: one synchronisation, and whatever happens to the
            // process, a change is there whole or not at all.
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            transaction(&mut self.connection, change)
        };
        let path = self.path.clone();
        write().map_err(|error| data_error(&path, error))
    }

    fn error(&self, error: rusqlite::Error) -> DataError {
        data_error(&self.path, error)
    }
}

impl Journal for File {
    fn append(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), NotKept> {
        self.keep(standing, |connection| rows::insert_charge(connection, place, charge))
    }

    fn change(&mut self, place: usize, charge: &Charge, standing: &Standing) -> Result<(), NotKept> {
        self.keep(standing, |connection| rows::update_charge(connection, place, charge))
    }

    fn clear(&mut self, standing: &Standing) -> Result<(), NotKept> {
        self.keep(standing, rows::delete_charges)
    }

    fn stand(&mut self, standing: &Standing) -> Result<(), NotKept> {
        self.keep(standing, |_| Ok(()))
    }
}

impl File {
    fn keep(
        &mut self,
        standing: &Standing,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), NotKept> {
        let both = |connection: &Connection| {
            change(connection)?;
            rows::update_standing(connection, standing)
        };
        transaction(&mut self.connection, both).map_err(|error| NotKept(error.to_string()))
    }
}

/// All of a change, or nothing.
fn transaction(
    connection: &mut Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change(&transaction)?;
    transaction.commit()
}

/// Makes an empty file for its owner alone, unless there is one: that one is not touched.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whether a file is empty or begins as SQLite's do.
fn is_database(path: &Path) -> io::Result<bool> {
    let mut begins = Vec::new();
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // A pipe would be waited for, and a device keeps nothing.
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    file.take(MAGIC.len() as u64).read_to_end(&mut begins)?;
    // SQLite takes a file that is shorter than this for an empty one, and writes over it.
    Ok(begins.is_empty() || begins == MAGIC)
}

fn data_error(path: &Path, error: rusqlite::Error) -> DataError {
    let path = path.into();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DataError::InUse { path },
        Some(ErrorCode::NotADatabase) => DataError::Foreign { path },
        // What SQLite cannot read; tables that are not there; values that no sandbox wrote.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) | None => {
            DataError::Damaged { path, what: error.to_string() }
        }
        Some(_) => DataError::Unusable { path, source: io::Error::other(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No client can see whether a change was synchronised, only a computer that loses its power.
    #[test]
    fn each_change_is_synchronised() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = File::open(&folder.path().join("shop.sqlite")).expect("it opens");
        file.write(|connection| connection.execute_batch(rows::TABLES)).expect("it is written");
        let pragma = |name| file.connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        assert_eq!(pragma("journal_mode").expect("a mode"), "wal");
        assert_eq!(pragma("locking_mode").expect("a mode"), "exclusive");
        let full = file.connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));
        assert_eq!(full.expect("a mode"), 2);
    }
}
