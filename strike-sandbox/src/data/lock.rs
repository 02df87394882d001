//! A lock beside the data file, so that one sandbox at a time has it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::beside;
use super::place::is_same;

/// A lock that is held until this is dropped.
///
/// SQLite's own locks are not enough. On Unix they belong to the process and not to the open file: a copy of the data
/// file that is made and closed anywhere in the same process drops them. This one belongs to a file of its own, which
/// nobody has a reason to copy, and to the open file.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Locks the data file at this canonical path; `None` if somebody else has it, in this process or in another.
    pub(super) fn take(data: &Path) -> io::Result<Option<Self>> {
        let path = beside(data, "-lock");
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
            // The one before may have removed the file after it was opened here. Then a third would make a new one.
            if is_in_place(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }
}

/// Whether the path leads to the open file.
fn is_in_place(file: &File, path: &Path) -> bool {
    let Ok(held) = file.metadata() else { return false };
    fs::metadata(path).is_ok_and(|there| is_same(&there, &held))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The folder may have been renamed, and the path may lead to another sandbox's lock.
        if is_in_place(&self.file, &self.path) {
            // A lock file that stays behind locks nothing.
            let _ = fs::remove_file(&self.path);
        }
    }
}
