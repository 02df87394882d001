//! `Watch`: an iterator over the events of watched charges.

use strike_core::machine::SharedWatcher;
use strike_core::{Error, Event, WatchHandle, Watcher};

use crate::driver::{Driver, in_span};
use crate::lanes::Lanes;
use crate::timer::Wake;

/// An iterator over the events of watched charges. [`Client::watch`](crate::Client::watch) returns
/// it.
///
/// The iteration ends when no charge is pending and every [`WatchHandle`] was dropped. It continues
/// after an error. [`Watcher`] describes the errors.
///
/// Several requests are in flight at the same time, up to [`Watcher::max_in_flight`]. Threads of the
/// watch make them. Only `next` begins requests. Dropping the watch ends the threads. One that still
/// waits for a response ends at the request's timeout at the latest. With `max_in_flight(1)`, the
/// watch makes its requests in the calling thread.
///
/// ```
/// use strike_blocking::{ApiKey, Client, Endpoint, Event, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// let sandbox = Sandbox::new();
/// let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| server.reply(x)).build()?;
/// let charge = client.create(NewCharge::satoshis(4200, "coffee"))?;
/// let mut watcher = client.watcher();
/// watcher.add(&charge);
/// sandbox.pay(charge.id())?; // the payer pays
/// for event in client.watch(watcher) {
///     match event? {
///         Event::Paid(charge) => println!("complete the order of {charge}"),
///         Event::Expired(id) => println!("{id} was not paid"),
///         Event::Failed(id, error) => println!("{id} cannot be watched: {error}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is watched until it is iterated"]
pub struct Watch {
    watcher: SharedWatcher,
    lanes: Lanes,
}

impl Watch {
    pub(crate) fn new(driver: Driver, watcher: Watcher) -> Self {
        let wake = Wake::default();
        let on_change = wake.clone();
        let watcher = SharedWatcher::new(watcher, move || on_change.wake());
        let lanes = Lanes::new(driver, &watcher, wake);
        Self { watcher, lanes }
    }

    /// Returns a handle with which other threads add and remove charges during the iteration.
    #[must_use]
    pub fn handle(&self) -> WatchHandle {
        self.watcher.handle()
    }
}

impl Iterator for Watch {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        in_span("watch", || self.lanes.next()).transpose()
    }
}
