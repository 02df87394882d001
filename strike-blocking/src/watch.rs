//! `Watch`: an iterator over the events of watched charges.

use strike_core::machine::SharedWatcher;
use strike_core::{Error, Event, WatchHandle, Watcher};

use crate::driver::Driver;
use crate::timer::Wake;

/// An iterator over the events of watched charges. [`Client::watch`](crate::Client::watch) returns
/// it.
///
/// The iteration ends when no charge is pending and every [`WatchHandle`] was dropped. It continues
/// after an error. [`Watcher`] describes the errors.
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
    driver: Driver,
    watcher: SharedWatcher,
    wake: Wake,
}

impl Watch {
    pub(crate) fn new(driver: Driver, watcher: Watcher) -> Self {
        let wake = Wake::default();
        let on_change = wake.clone();
        Self { driver, watcher: SharedWatcher::new(watcher, move || on_change.wake()), wake }
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
        self.driver.run_until("watch", &self.watcher, &self.wake).transpose()
    }
}
