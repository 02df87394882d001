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

/// A [`Watcher`] with [handles](WatchHandle) and [lanes](WatchLane). The adapters' `Watch` runs one.
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

    /// The watcher is locked for each step, and never while an exchange or a wait is in progress.
    fn poll(&self, lane: usize, now: Now) -> Step<Option<Event>> {
        match self.watcher().lane(lane).poll(now) {
            Step::Done(Ok(None)) if self.handles.load(Ordering::SeqCst) > 0 => Step::Wait(IDLE),
            step => step,
        }
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

    /// Returns all lanes, one for each request that may be in flight at the same time. Take them once,
    /// and drive all of them: see [`Watcher::lane`].
    ///
    /// This driver polls the lanes in turn. It has two requests in flight:
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::machine::{Machine, SharedWatcher, Step};
    /// use strike_core::{ApiKey, CoreClient, Endpoint, Event, Network, Now, RetryPolicy, UnixMillis};
    /// # use strike_core::Charge;
    /// # fn charge(id: &str, paid: bool) -> String {
    /// #     format!(r#"{{"id":"{id}","object":"charge","amount":1,"currency":"btc","amount_satoshi":1,
    /// #     "payment_hash":"{}","payment_request":"x","description":"","paid":{paid},"created":1700000000000,
    /// #     "updated":1700000000000}}"#, "ab".repeat(32))
    /// # }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "http://127.0.0.1:8420/api/v1/";
    /// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
    /// let watcher = CoreClient::new(endpoint, RetryPolicy::default(), 7).watcher();
    /// let watcher = SharedWatcher::new(watcher.max_in_flight(2).request_interval(Duration::ZERO), || ());
    /// let handle = watcher.handle();
    /// for id in ["ch_1", "ch_2"] {
    ///     handle.add(&serde_json::from_str::<Charge>(&charge(id, false))?);
    ///     handle.check_soon(&id.parse()?);
    /// }
    /// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
    /// let mut lanes = watcher.lanes();
    /// for lane in &mut lanes {
    ///     assert!(matches!(lane.poll(now), Step::Send(_)));
    /// }
    /// // The response to the second request is the first to arrive.
    /// lanes[1].handle(Ok(http::Response::new(charge("ch_2", true).into_bytes())), now);
    /// assert!(matches!(lanes[1].poll(now), Step::Done(Ok(Some(Event::Paid(paid)))) if paid.id().as_str() == "ch_2"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn lanes(&self) -> Vec<WatchLane> {
        let lanes = self.0.watcher().lanes();
        (0..lanes).map(|lane| WatchLane { shared: Arc::clone(&self.0), lane }).collect()
    }
}

impl Machine for &SharedWatcher {
    /// The next event, or `None` if nothing is pending and no handle is left.
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        self.0.poll(0, now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.watcher().next().handle(reply, now);
    }
}

/// One of the machines that run a [`SharedWatcher`]. Each has at most one request in flight.
#[derive(Debug)]
pub struct WatchLane {
    shared: Arc<Shared>,
    lane: usize,
}

impl Machine for WatchLane {
    /// The next event, or `None` if nothing is pending and no handle is left.
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        self.shared.poll(self.lane, now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.shared.watcher().lane(self.lane).handle(reply, now);
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
