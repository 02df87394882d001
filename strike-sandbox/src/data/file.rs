//! The file itself: found or made, locked, and known to be a sandbox's before a byte of it is changed.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use strike_core::{Network, UnixMillis};

use super::DataError;
use super::beside;
use super::journal::{FileJournal, Report};
use super::lock::Lock;
use super::place::Place;
use super::rows::{self, Kept};
use crate::builder::Identity;
use crate::ledger::{Charge, Standing};

/// `STRK` in ASCII, where SQLite lets an application sign its files.
const APPLICATION: i64 = 0x5354_524b;
/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The latest format, in `user_version`.
const FORMAT: i64 = 1;
/// How long a change waits for a program that reads the file, such as one that copies it.
const BUSY: Duration = Duration::from_secs(5);

/// A sandbox's file, which no other sandbox has open.
pub(super) struct File {
    connection: Connection,
    path: PathBuf,
    place: Place,
    lock: Lock,
}

impl File {
    /// Opens a file, or makes one, and changes nothing in it.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable { path: path.into(), source };
        make(path).map_err(unusable)?;
        // SQLite has its own ideas about some names, such as `:memory:`, and none about a whole path.
        let whole = path.canonicalize().map_err(unusable)?;
        let kind = whole.metadata().map_err(unusable)?.file_type();
        if kind.is_dir() {
            return Err(unusable(io::ErrorKind::IsADirectory.into()));
        }
        // A pipe would be waited for, and a device keeps nothing.
        if !kind.is_file() {
            return Err(DataError::Foreign { path: path.into() });
        }
        let lock = Lock::take(&whole).map_err(unusable)?;
        let lock = lock.ok_or_else(|| DataError::InUse { path: path.into() })?;
        if !is_database(&whole).map_err(unusable)? {
            return Err(DataError::Foreign { path: path.into() });
        }
        let place = Place::find(path).map_err(unusable)?;
        if !place.has_one_name() {
            let why = "it has more than one name (hard links): remove the others, or open a copy";
            return Err(unusable(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connect = || {
            let connection = Connection::open_with_flags(&whole, flags)?;
            connection.busy_timeout(BUSY)?;
            Ok(connection)
        };
        let connection = connect().map_err(|error| data_error(path, error))?;
        Ok(Self { connection, path: path.into(), place, lock })
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

    /// Every charge, oldest first.
    pub(super) fn charges(&self) -> Result<Vec<Charge>, DataError> {
        rows::read_charges(&self.connection).map_err(|error| self.error(error))
    }

    /// Writes down who a new sandbox is.
    pub(super) fn begin(
        self,
        network: Network,
        identity: &Identity,
        report: Report,
    ) -> Result<FileJournal, DataError> {
        let entropy = identity.entropy.position();
        let standing = Standing { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_millis(0) };
        self.write(standing, report, |connection| {
            connection.execute_batch(rows::TABLES)?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
            rows::insert_sandbox(connection, network, identity, &standing)
        })
    }

    /// Goes on with a sandbox that the file has; its key may have changed.
    pub(super) fn resume(
        self,
        api_key: &str,
        standing: Standing,
        report: Report,
    ) -> Result<FileJournal, DataError> {
        self.write(standing, report, |connection| rows::set_api_key(connection, api_key))
    }

    /// The first change, after which the file is the sandbox's.
    fn write(
        mut self,
        standing: Standing,
        report: Report,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<FileJournal, DataError> {
        let write = || {
            // Between two changes the one file holds everything, so that it can be moved and copied. A write-ahead
            // log would be faster, and whoever moves the file would leave its last changes behind.
            self.connection.pragma_update(None, "journal_mode", "DELETE")?;
            // With the folder, so that a journal which was removed does not come back after a loss of power.
            self.connection.pragma_update(None, "synchronous", "EXTRA")?;
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction)?;
            transaction.commit()
        };
        write().map_err(|error| data_error(&self.path, error))?;
        let Self { connection, place, lock, .. } = self;
        Ok(FileJournal { connection, place, standing, report, _lock: lock })
    }

    fn error(&self, error: rusqlite::Error) -> DataError {
        data_error(&self.path, error)
    }
}

/// Makes an empty file for its owner alone, unless there is one: that one is not touched.
fn make(path: &Path) -> io::Result<()> {
    for journal in ["-journal", "-wal"].map(|suffix| beside(path, suffix)) {
        // SQLite would throw it away with the first change of a new file.
        if journal.exists() && !path.exists() {
            let journal = journal.display();
            let why =
                format!("{journal} belongs to it, and it is not there: put it back, or remove the journal");
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
    }
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

    /// Checks the SQLite settings, because a missing sync shows only after a power failure.
    #[test]
    fn each_change_is_synced_to_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::open(&folder.path().join("shop.sqlite")).expect("the data file opens");
        let identity = crate::Sandbox::builder().identity();
        let journal = file
            .begin(Network::Testnet, &identity, std::sync::Arc::new(|_| ()))
            .expect("the data file can be initialized");
        let number = |name| journal.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        assert_eq!(number("synchronous").expect("a pragma value"), 3);
        let mode = journal.connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        assert_eq!(mode.expect("a pragma value"), "delete");
    }
}
