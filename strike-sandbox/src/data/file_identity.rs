//! Detects that a data file was moved, removed or replaced while it is open.

use std::fs::{self, Metadata};
use std::io;
use std::path::{self, Path, PathBuf};

use crate::ledger::StorageError;

/// A path, and the file that it referred to when the sandbox opened it.
pub(super) struct FileIdentity {
    path: PathBuf,
    file: Metadata,
}

impl FileIdentity {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        // A relative path would change its meaning with the working directory.
        Ok(Self { path: path::absolute(path)?, file: fs::metadata(path)? })
    }

    /// Returns an error if the path refers to another file now. Writes to the open file would then
    /// be missing after a restart.
    pub(super) fn check_unchanged(&self) -> Result<(), StorageError> {
        let problem = match fs::metadata(&self.path) {
            Ok(current) if is_same_file(&current, &self.file) => return Ok(()),
            Ok(_) => "was replaced by another file".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was moved or removed".to_owned(),
            Err(error) => format!("cannot be found ({error})"),
        };
        let path = self.path.display();
        Err(StorageError(format!(
            "{path} {problem} while the sandbox had it open; put it back, or restart the sandbox"
        )))
    }

    /// Returns true if the file has more than one name. SQLite names its journal after one of them.
    /// When the file is opened by another name, SQLite does not find that journal.
    #[cfg(unix)]
    pub(super) fn has_hard_links(&self) -> bool {
        std::os::unix::fs::MetadataExt::nlink(&self.file) != 1
    }

    #[cfg(not(unix))]
    pub(super) fn has_hard_links(&self) -> bool {
        false
    }
}

#[cfg(unix)]
pub(super) fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Other systems do not allow an open file to be moved, removed or replaced.
#[cfg(not(unix))]
pub(super) fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}
