//! Opens or creates the data file. The file is locked and checked before anything in it is changed.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use strike_core::{Network, UnixMillis};

use super::file_identity::FileIdentity;
use super::journal::{ErrorCallback, FileJournal};
use super::lock::Lock;
use super::tables::{self, StoredSandbox};
use super::{DataError, with_suffix};
use crate::builder::Identity;
use crate::ledger::{Charge, ServiceState};

/// The SQLite `application_id` of data files: `STRK` in ASCII.
const APPLICATION_ID: i64 = 0x5354_524b;
/// The first bytes of every SQLite database.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";
/// The latest format, which is stored in SQLite's `user_version`.
const FORMAT: i64 = 2;
/// How long a change waits while another program reads the file, for example to copy it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open data file, locked against other sandboxes.
pub(super) struct File {
    connection: Connection,
    path: PathBuf,
    /// The format of the contents. It is the latest one until [`read`](Self::read) finds another.
    format: i64,
    identity: FileIdentity,
    lock: Lock,
}

impl File {
    /// Opens a file, or creates an empty one. An existing file is not changed.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable { path: path.into(), source };
        create_if_missing(path).map_err(unusable)?;
        // SQLite treats some names specially, such as `:memory:`, but not absolute paths.
        let canonical = path.canonicalize().map_err(unusable)?;
        let file_type = canonical.metadata().map_err(unusable)?.file_type();
        if file_type.is_dir() {
            return Err(unusable(io::ErrorKind::IsADirectory.into()));
        }
        // Opening a pipe would block, and a device may not store anything.
        if !file_type.is_file() {
            return Err(DataError::Foreign { path: path.into() });
        }
        let lock = Lock::take(&canonical).map_err(unusable)?;
        let lock = lock.ok_or_else(|| DataError::InUse { path: path.into() })?;
        if !is_database(&canonical).map_err(unusable)? {
            return Err(DataError::Foreign { path: path.into() });
        }
        let identity = FileIdentity::of(path).map_err(unusable)?;
        if identity.has_hard_links() {
            let why = "it has several names (hard links); remove the other names or open a copy";
            return Err(unusable(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connect = || {
            let connection = Connection::open_with_flags(&canonical, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        };
        let connection = connect().map_err(|error| data_error(path, error))?;
        Ok(Self { connection, path: path.into(), format: FORMAT, identity, lock })
    }

    /// Reads everything but the charges. Returns `None` if the file is empty.
    pub(super) fn read(&mut self) -> Result<Option<StoredSandbox>, DataError> {
        let pragma_value =
            |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let versions = || {
            Ok((
                pragma_value("application_id")?,
                pragma_value("user_version")?,
                pragma_value("schema_version")?,
            ))
        };
        match versions().map_err(|error| self.error(error))? {
            (0, 0, 0) => Ok(None),
            (APPLICATION_ID, format @ 1..=FORMAT, _) => {
                self.format = format;
                tables::read_sandbox(&self.connection).map(Some).map_err(|error| self.error(error))
            }
            (APPLICATION_ID, found, _) => {
                Err(DataError::Newer { path: self.path.clone(), found, known: FORMAT })
            }
            _ => Err(DataError::Foreign { path: self.path.clone() }),
        }
    }

    /// Reads all charges, oldest first.
    pub(super) fn charges(&self) -> Result<Vec<Charge>, DataError> {
        tables::read_charges(&self.connection, self.format).map_err(|error| self.error(error))
    }

    /// Creates the tables and stores the identity of a new sandbox.
    pub(super) fn initialize(
        self,
        network: Network,
        identity: &Identity,
        on_error: ErrorCallback,
    ) -> Result<FileJournal, DataError> {
        let entropy = identity.entropy.position();
        let state = ServiceState { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_millis(0) };
        self.write(state, on_error, |connection| {
            connection.execute_batch(tables::CREATE_TABLES)?;
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
            tables::insert_sandbox(connection, network, identity, &state)
        })
    }

    /// Continues with the stored sandbox. Stores the API key, which may be a new one, and changes an
    /// older format to the latest one.
    pub(super) fn resume(
        self,
        api_key: &str,
        state: ServiceState,
        on_error: ErrorCallback,
    ) -> Result<FileJournal, DataError> {
        let format = self.format;
        self.write(state, on_error, |connection| {
            if format == 1 {
                connection.execute_batch(tables::MIGRATE_FROM_1)?;
                connection.pragma_update(None, "user_version", FORMAT)?;
            }
            tables::set_api_key(connection, api_key)
        })
    }

    /// Configures the database, makes the first change and returns the journal.
    fn write(
        mut self,
        state: ServiceState,
        on_error: ErrorCallback,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<FileJournal, DataError> {
        let write = || {
            // With a rollback journal, the data file is complete between changes and can be moved
            // or copied. A write-ahead log would be faster, but moving the file would lose the
            // latest changes.
            self.connection.pragma_update(None, "journal_mode", "DELETE")?;
            // EXTRA also syncs the folder. Otherwise a removed journal could reappear after a power
            // failure.
            self.connection.pragma_update(None, "synchronous", "EXTRA")?;
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction)?;
            transaction.commit()
        };
        write().map_err(|error| data_error(&self.path, error))?;
        let Self { connection, identity, lock, .. } = self;
        Ok(FileJournal { connection, identity, state, on_error, _lock: lock })
    }

    fn error(&self, error: rusqlite::Error) -> DataError {
        data_error(&self.path, error)
    }
}

/// Creates an empty file that only its owner can access. An existing file is not changed.
fn create_if_missing(path: &Path) -> io::Result<()> {
    for journal in ["-journal", "-wal"].map(|suffix| with_suffix(path, suffix)) {
        // SQLite would delete this journal with the first change of the new file.
        if journal.exists() && !path.exists() {
            let journal = journal.display();
            let why = format!(
                "the file is missing, but its journal {journal} exists; restore the file or remove the journal"
            );
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

/// Returns true if a file is empty or starts with the SQLite header.
fn is_database(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    file.take(SQLITE_HEADER.len() as u64).read_to_end(&mut start)?;
    // SQLite treats a file that is shorter than the header as empty and overwrites it.
    Ok(start.is_empty() || start == SQLITE_HEADER)
}

fn data_error(path: &Path, error: rusqlite::Error) -> DataError {
    let path = path.into();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DataError::InUse { path },
        Some(ErrorCode::NotADatabase) => DataError::Foreign { path },
        // Unreadable data, missing tables, or values that a sandbox does not write.
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
            .initialize(Network::Testnet, &identity, std::sync::Arc::new(|_| ()))
            .expect("the data file can be initialized");
        let number = |name| journal.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        assert_eq!(number("synchronous").expect("a pragma value"), 3);
        let mode = journal.connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        assert_eq!(mode.expect("a pragma value"), "delete");
    }
}
