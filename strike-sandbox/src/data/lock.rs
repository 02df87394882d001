//! The lock file next to a data file, so that only one sandbox at a time opens the data file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::file_identity::is_same_file;
use super::with_suffix;

/// A lock that is held until this is dropped.
///
/// SQLite's own locks are not enough. On Unix they belong to the process and not to the open file.
/// If another part of the process opens and closes the data file, for example to copy it, the locks
/// are lost. This lock belongs to the open file handle of a separate lock file.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Locks the data file at this canonical path. Returns `None` if another sandbox has locked it,
    /// in this process or in another.
    pub(super) fn take(data: &Path) -> io::Result<Option<Self>> {
        let path = with_suffix(data, "-lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let file = options.open(&path)?;
            match FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The previous owner may have removed the lock file after it was opened here. A third
            // sandbox could then create and lock a new one, so try again.
            if is_current(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }
}

/// Returns true if the path refers to the open file.
fn is_current(file: &File, path: &Path) -> bool {
    let Ok(open) = file.metadata() else { return false };
    fs::metadata(path).is_ok_and(|current| is_same_file(&current, &open))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If the folder was renamed, the path may refer to another sandbox's lock file.
        if is_current(&self.file, &self.path) {
            // A lock file that cannot be removed does no harm: without a handle it locks nothing.
            let _ = fs::remove_file(&self.path);
        }
    }
}
