//! A watcher that threads and tasks share: one runs it, others add and remove charges.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::machine::{Event, Machine, Step, Watcher, WatcherSnapshot};
use crate::transport::Reply;
use crate::values::{Charge, ChargeId, Now};

/// How long to wait while no charge is pending but a handle could add one. A handle ends that wait.
const IDLE: Duration = Duration::from_secs(3600);

/// A [`Watcher`] with [handles](WatchHandle). The adapters' `Watch` runs one.
#[derive(Debug)]
pub struct SharedWatcher(Arc<Shared>);

struct Shared {
    watcher: Mutex<Watcher>,
    handles: AtomicUsize,
    on_change: Box<dyn Fn() + Send + Sync>,
}

impl Shared {
    fn watcher(&self) -> MutexGuard<'_, Watcher> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedWatcher {
    /// Shares a watcher. `on_change` is called after a handle changed something: end the current wait then.
    pub fn new(watcher: Watcher, on_change: impl Fn() + Send + Sync + 'static) -> Self {
        let watcher = Mutex::new(watcher);
        Self(Arc::new(Shared { watcher, handles: AtomicUsize::new(0), on_change: Box::new(on_change) }))
    }

    /// Returns a new handle.
    #[must_use]
    pub fn handle(&self) -> WatchHandle {
        self.0.handles.fetch_add(1, Ordering::SeqCst);
        WatchHandle { shared: Arc::clone(&self.0) }
    }
}

impl Machine for &SharedWatcher {
    /// The next event, or `None` if nothing is pending and no handle is left.
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        // The watcher is locked for each step, and never while an exchange or a wait is in progress.
        match self.0.watcher().next().poll(now) {
            Step::Done(Ok(None)) if self.0.handles.load(Ordering::SeqCst) > 0 => Step::Wait(IDLE),
            step => step,
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.watcher().next().handle(reply, now);
    }
}

/// Adds and removes charges while a watch runs in another thread or task.
///
/// The watch does not end as long as a handle exists.
pub struct WatchHandle {
    shared: Arc<Shared>,
}

impl WatchHandle {
    /// Watches this charge, too.
    pub fn add(&self, charge: &Charge) {
        self.shared.watcher().add(charge);
        (self.shared.on_change)();
    }

    /// Stops watching this charge. Returns true if it was watched.
    ///
    /// An event that the watch has returned already stays valid.
    #[must_use]
    pub fn remove(&self, id: &ChargeId) -> bool {
        self.shared.watcher().remove(id)
    }

    /// Polls this charge now, for example because a webhook named it.
    ///
    /// It also ends the rest after a failure, at most once a second. It does nothing for a charge that is not watched.
    pub fn check_soon(&self, id: &ChargeId) {
        self.shared.watcher().check_soon(id);
        (self.shared.on_change)();
    }

    /// Returns the number of pending charges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.watcher().len()
    }

    /// Returns true if no charge is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.watcher().is_empty()
    }

    /// Returns what to store so that the watch can continue after a restart; see [`Watcher::snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> WatcherSnapshot {
        self.shared.watcher().snapshot()
    }
}

impl Clone for WatchHandle {
    fn clone(&self) -> Self {
        self.shared.handles.fetch_add(1, Ordering::SeqCst);
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        self.shared.handles.fetch_sub(1, Ordering::SeqCst);
        // The watch may be waiting for this handle alone.
        (self.shared.on_change)();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("pending", &self.watcher().len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchHandle").field("shared", &self.shared).finish()
    }
}
