//! `Session`: everything that happens while one lease is valid.

use strike_async::{Watch, WatchHandle};
use tokio::sync::{Semaphore, mpsc, watch as flag};

use super::queue::{self, Work};
use crate::desk::Desk;
use crate::error::{Error, HandlerError};
use crate::event::Event;
use crate::runner::Active;
use crate::signal::Change;
use crate::store::{Transaction, millis, within};

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The desk was stopped.
    Stopped,
    /// The lease lapsed, or it is unknown which charges it holds.
    Broken,
}

pub(super) struct Session<'a> {
    pub(super) desk: &'a Desk,
    pub(super) lease: i64,
    pub(super) handle: WatchHandle,
    /// How many handlers may run at the same time.
    pub(super) handlers: Semaphore,
    /// Set when the session is over. Work that has begun is finished then.
    pub(super) over: flag::Sender<bool>,
}

impl<'a> Session<'a> {
    /// Takes a lease, and returns the watch of its charges.
    pub(super) async fn begin(desk: &'a Desk) -> Result<(Self, Watch), Error> {
        let settings = &desk.inner().settings;
        let watcher = desk.client().watcher().schedule(settings.schedule).grace(settings.grace);
        let watcher = watcher.request_interval(settings.request_interval);
        let watcher = watcher.max_in_flight(settings.max_in_flight);
        let watch = desk.client().watch(watcher);
        let lease = async {
            let mut tx = desk.inner().store.begin().await?;
            let now = tx.now().await?;
            let lapses_at = now.saturating_add(millis(settings.lease));
            let lease = tx.insert_lease(now, lapses_at, i64::from(settings.max_held)).await?;
            tx.commit().await?;
            Ok(lease)
        };
        let lease = within("take a lease", lease).await?;
        tracing::info!(lease, "running");
        let session = Self {
            desk,
            lease,
            handle: watch.handle(),
            handlers: Semaphore::new(desk.inner().store.writers()),
            over: flag::Sender::new(false),
        };
        Ok((session, watch))
    }

    /// Runs until the desk is stopped or the lease is lost.
    pub(super) async fn run<H>(self, watch: Watch, handler: &H) -> Over
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let runner = &self.desk.inner().runner;
        runner.set_active(Some(Active { lease: self.lease, handle: self.handle.clone() }));
        let (queue, found) = mpsc::channel::<Work>(queue::LENGTH);
        let tick_queue = queue.clone();
        let ticks = async {
            let over = self.ticks(tick_queue).await;
            runner.set_active(None);
            self.over.send_replace(true);
            over
        };
        let (over, (), ()) = tokio::join!(ticks, self.watch(watch, queue), self.work(found, handler));
        self.give_up().await;
        over
    }

    /// Ends the lease, so that other instances take over at once. If that fails, it lapses.
    async fn give_up(&self) {
        let change = Change::Work;
        let end = async {
            let mut tx = self.desk.inner().store.begin().await?;
            tx.end_lease(self.lease).await?;
            tx.remove_empty_lease(self.lease).await?;
            tx.notify(&change.payload()).await?;
            tx.commit().await
        };
        match within("end the lease", end).await {
            Ok(()) => tracing::info!(lease = self.lease, "gave the orders back"),
            Err(error) => {
                tracing::warn!(lease = self.lease, %error, "the lease could not be given up; it lapses")
            }
        }
        self.desk.inner().signal.send(change);
    }
}
