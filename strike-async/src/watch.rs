//! `Watch`: a stream of the events of watched charges.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::SharedWatcher;
use strike_core::{Error, Event, WatchHandle, Watcher};

use crate::driver::{Driver, in_span};
use crate::lanes::Lanes;
use crate::wake::Wake;

/// A stream of the events of watched charges. [`Client::watch`](crate::Client::watch) returns it.
///
/// Use it as a [`Stream`], or call [`next`](Self::next), which needs no other crate. It ends when
/// no charge is pending and every [`WatchHandle`] was dropped. It continues after an error.
/// [`Watcher`] describes the errors.
///
/// Several requests are in flight at the same time, up to [`Watcher::max_in_flight`]. They belong to
/// the stream: nothing is spawned, and dropping the stream cancels them.
///
/// ```
/// use strike_async::{ApiKey, Client, Endpoint, Event, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| std::future::ready(server.reply(x))).build()?;
/// let charge = client.create(NewCharge::satoshis(4200, "coffee")).await?;
/// let mut watcher = client.watcher();
/// watcher.add(&charge);
/// sandbox.pay(charge.id())?; // the payer pays
/// let mut events = client.watch(watcher);
/// while let Some(event) = events.next().await {
///     match event? {
///         Event::Paid(charge) => println!("complete the order of {charge}"),
///         Event::Expired(id) => println!("{id} was not paid"),
///         Event::Failed(id, error) => println!("{id} cannot be watched: {error}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is watched until it is polled"]
pub struct Watch {
    events: BoxStream<'static, Result<Event, Error>>,
    watcher: SharedWatcher,
}

impl Watch {
    pub(crate) fn new(driver: Driver, watcher: Watcher) -> Self {
        let wake = Wake::default();
        let on_change = wake.clone();
        let watcher = SharedWatcher::new(watcher, move || on_change.wake());
        let lanes = Lanes::new(driver, &watcher, wake);
        let events = stream::unfold(lanes, |mut lanes| async {
            let event = in_span("watch", lanes.next()).await.transpose()?;
            Some((event, lanes))
        });
        Self { events: Box::pin(events), watcher }
    }

    /// Returns the next event, or `None` at the end.
    ///
    /// You can drop the future; the next call returns the same event.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns a handle with which other tasks add and remove charges while the stream is polled.
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
