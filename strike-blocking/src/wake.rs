//! Ends a wait early, from another thread.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Ends a wait early: something has happened that is worth a look. Clones are the same.
///
/// A call to [`wake`](Self::wake) while nobody waits ends the next wait at once.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<(Mutex<bool>, Condvar)>);

impl Wake {
    /// Ends the wait of one thread, or the next wait.
    pub fn wake(&self) {
        let (woken, condition) = &*self.0;
        *woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_one();
    }

    /// Waits that long, or until woken.
    pub(crate) fn wait(&self, duration: Duration) {
        let (woken, condition) = &*self.0;
        let guard = woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condition.wait_timeout_while(guard, duration, |woken| !*woken);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
