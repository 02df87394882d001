//! Which file a path leads to, and whether it still does.

use std::fs::{self, Metadata};
use std::io;
use std::path::{self, Path, PathBuf};

use crate::ledger::StorageError;

/// A path, and the file that it led to when the sandbox opened it.
pub(super) struct Place {
    path: PathBuf,
    file: Metadata,
}

impl Place {
    pub(super) fn find(path: &Path) -> io::Result<Self> {
        // The working directory may change.
        Ok(Self { path: path::absolute(path)?, file: fs::metadata(path)? })
    }

    /// Whether the path still leads to that file. What is written elsewhere is lost to whoever opens the path next.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        let what = match fs::metadata(&self.path) {
            Ok(there) if is_same(&there, &self.file) => return Ok(()),
            Ok(_) => "was replaced by another file".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was moved or removed".to_owned(),
            Err(error) => format!("cannot be found ({error})"),
        };
        let path = self.path.display();
        Err(StorageError(format!(
            "{path} {what} while the sandbox had it open; put it back, or restart the sandbox"
        )))
    }

    /// Whether the file has one name. SQLite's journal stands beside one of them, and the others do not lead to it.
    #[cfg(unix)]
    pub(super) fn has_one_name(&self) -> bool {
        std::os::unix::fs::MetadataExt::nlink(&self.file) == 1
    }

    #[cfg(not(unix))]
    pub(super) fn has_one_name(&self) -> bool {
        true
    }
}

#[cfg(unix)]
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere the system keeps an open file from being moved, removed or replaced.
#[cfg(not(unix))]
pub(super) fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
