//! The files that this process has open, each once. On Unix a lock is the process's: it keeps nobody in the same process
//! out, and whoever opens the file once more and closes it ends every lock on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn files() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that nobody else in this process has open until this is dropped.
pub(super) struct Held(PathBuf);

impl Held {
    /// Takes the file of this whole path, unless somebody holds it.
    pub(super) fn take(whole: PathBuf) -> Option<Self> {
        let is_free = files().insert(whole.clone());
        // Made only if it is free: dropping it gives the file back.
        is_free.then(|| Self(whole))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        files().remove(&self.0);
    }
}
