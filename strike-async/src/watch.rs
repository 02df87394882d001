//! Watches pending charges: a stream of what becomes of them, and a handle for other tasks.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::{Machine, Step};
use strike_core::{Charge, ChargeId, Error, Event, Now, Reply, Watcher, WatcherSnapshot};

use crate::client::Client;
use crate::wake::Wake;

/// How long to wait where nothing is pending but a handle could add something; a handle ends that wait.
const IDLE: Duration = Duration::from_secs(3600);

/// What becomes of watched charges, one [`Event`] after the other; see [`Client::watch`].
///
/// It ends when nothing is pending and no [`WatchHandle`] is left that could add something. After an error it goes on. See
/// [`Watcher`] for when there is one.
/// It is a [`Stream`], and it can be asked with [`next`](Self::next) without another crate.
#[must_use = "nothing is watched until it is polled"]
pub struct Watch {
    events: BoxStream<'static, Result<Event, Error>>,
    shared: Arc<Shared>,
}

struct Shared {
    watcher: Mutex<Watcher>,
    wake: Wake,
    handles: AtomicUsize,
}

impl Shared {
    fn watcher(&self) -> MutexGuard<'_, Watcher> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    pub(crate) fn new(client: Client, watcher: Watcher) -> Self {
        let shared =
            Shared { watcher: Mutex::new(watcher), wake: Wake::default(), handles: AtomicUsize::new(0) };
        let shared = Arc::new(shared);
        let events = stream::unfold((client, Arc::clone(&shared)), |(client, shared)| async {
            let event = client.drive_until(Locked(&shared), &shared.wake).await.transpose()?;
            Some((event, (client, shared)))
        });
        Self { events: Box::pin(events), shared }
    }

    /// The next event; `None` at the end. Dropping the future half-way loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// A handle with which other tasks add, remove and hint while this is polled.
    #[must_use]
    pub fn handle(&self) -> WatchHandle {
        self.shared.handles.fetch_add(1, Ordering::SeqCst);
        WatchHandle { shared: Arc::clone(&self.shared) }
    }
}

impl Stream for Watch {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Locks the watcher for each step, never while an exchange or a wait is under way.
struct Locked<'a>(&'a Shared);

impl Machine for Locked<'_> {
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        match self.0.watcher().next().poll(now) {
            Step::Done(Ok(None)) if self.0.handles.load(Ordering::SeqCst) > 0 => Step::Wait(IDLE),
            step => step,
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.watcher().next().handle(reply, now);
    }
}

/// Adds, removes and hints while a [`Watch`] is polled elsewhere. As long as one is left, the stream does not end.
pub struct WatchHandle {
    shared: Arc<Shared>,
}

impl WatchHandle {
    /// Watches this charge, too.
    pub fn add(&self, charge: &Charge) {
        self.shared.watcher().add(charge);
        self.shared.wake.wake();
    }

    /// Stops watching this charge; true if it was watched. An event that was handed out already stays true.
    #[must_use]
    pub fn remove(&self, id: &ChargeId) -> bool {
        self.shared.watcher().remove(id)
    }

    /// Looks at this charge now: a webhook has named it. This also ends a rest after a failure, once a second at most.
    /// Nothing happens for a charge that is not watched.
    pub fn check_soon(&self, id: &ChargeId) {
        self.shared.watcher().check_soon(id);
        self.shared.wake.wake();
    }

    /// What must be kept to go on after a restart; see [`Watcher::state`].
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
        // Whoever polls may have waited for nothing but this handle.
        self.shared.wake.wake();
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
