//! Watches pending charges: a stream of their events.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::SharedWatcher;
use strike_core::{Error, Event, WatchHandle, Watcher};

use crate::driver::Driver;
use crate::wake::Wake;

/// The events of watched charges; see [`Client::watch`](crate::Client::watch).
///
/// It is a [`Stream`]; [`next`](Self::next) works without another crate. It ends when no charge is pending and no
/// [`WatchHandle`] is left. It continues after an error; see [`Watcher`] for when there is one.
#[must_use = "nothing is watched until it is polled"]
pub struct Watch {
    events: BoxStream<'static, Result<Event, Error>>,
    watcher: Arc<SharedWatcher>,
}

impl Watch {
    pub(crate) fn new(driver: Driver, watcher: Watcher) -> Self {
        let wake = Wake::default();
        let on_change = wake.clone();
        let watcher = Arc::new(SharedWatcher::new(watcher, move || on_change.wake()));
        let events = stream::unfold((driver, Arc::clone(&watcher), wake), |(driver, watcher, wake)| async {
            let event = driver.run_until("watch", &*watcher, &wake).await.transpose()?;
            Some((event, (driver, watcher, wake)))
        });
        Self { events: Box::pin(events), watcher }
    }

    /// Returns the next event, or `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns a handle with which other tasks add and remove charges while this is polled.
    #[must_use]
    pub fn handle(&self) -> WatchHandle {
        self.watcher.handle()
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
        f.debug_struct("Watch").field("watcher", &self.watcher).finish_non_exhaustive()
    }
}
