//! `DeskBuilder`: opens a desk, with settings of your own.

use std::time::Duration;

use strike_async::{Client, Schedule};

use crate::desk::Desk;
use crate::error::Error;
use crate::settings::Settings;
use crate::store::Store;

impl Desk {
    /// Opens the database, creates or updates its tables, and returns a desk with the default settings.
    ///
    /// | URL | database |
    /// | --- | --- |
    /// | `sqlite://orders.db` | this SQLite file, which is created if it does not exist |
    /// | `sqlite::memory:` | SQLite in memory, for tests |
    /// | `postgres://user@host/database` | PostgreSQL 13 or later |
    ///
    /// # Errors
    /// - [`Error::UnsupportedUrl`] if the URL names another database.
    /// - [`Error::NewerSchema`] if a newer release has migrated the database.
    /// - [`Error::Database`] if it cannot be opened or written.
    pub async fn connect(url: &str, client: Client) -> Result<Self, Error> {
        Self::builder(client).connect(url).await
    }

    /// Starts building a desk with settings of your own.
    pub fn builder(client: Client) -> DeskBuilder {
        DeskBuilder::new(client)
    }
}

/// Builds a [`Desk`] with settings of your own.
///
/// ```no_run
/// use std::time::Duration;
/// use strike_orders::strike_async::Client;
/// use strike_orders::{Desk, Error};
///
/// async fn open(client: Client) -> Result<Desk, Error> {
///     Desk::builder(client).lease(Duration::from_secs(60)).connect("sqlite://orders.db").await
/// }
/// # let _ = open;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct DeskBuilder {
    client: Client,
    settings: Settings,
    max_connections: u32,
}

impl DeskBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, settings: Settings::default(), max_connections: 10 }
    }

    /// Sets how long the charges of a dead instance wait for another. The default is 15 s.
    ///
    /// A running instance renews its lease three times in this time. The database's clock counts.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// Sets how often a running desk looks for work in the database. The default is 1 s.
    ///
    /// On PostgreSQL, notifications arrive at once, and this is only for those that get lost.
    pub const fn poll_interval(mut self, interval: Duration) -> Self {
        self.settings.poll_interval = interval;
        self
    }

    /// Sets how long the create of a charge may take, with its retries. The default is 30 s.
    ///
    /// If an instance dies during a create, the order waits at most this long.
    pub const fn create_timeout(mut self, timeout: Duration) -> Self {
        self.settings.create_timeout = timeout;
        self
    }

    /// Sets how long your handler may take for one event. The default is 30 s.
    ///
    /// After that, its transaction is rolled back, and the event is handled again later.
    pub const fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handler_timeout = timeout;
        self
    }

    /// Sets when to look for a late payment, after the expiry of an invoice. By default after 10
    /// minutes, 1 hour, 6 hours and 24 hours.
    ///
    /// Each look is one request for each unpaid invoice. A webhook causes a look at any time.
    pub fn late_checks(mut self, after_expiry: impl Into<Vec<Duration>>) -> Self {
        self.settings.late_checks = after_expiry.into();
        self
    }

    /// Sets how long after an invoice's expiry a payment is still awaited. The default is one minute.
    /// See [`Watcher::grace`](strike_async::Watcher::grace).
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Sets how often each charge is checked. See [`Watcher::schedule`](strike_async::Watcher::schedule).
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.settings.schedule = schedule;
        self
    }

    /// Sets the shortest time between the beginnings of two requests that look for payments. The default
    /// is 3 ms, so one instance completes at most about 330 orders a second that webhooks name.
    ///
    /// Creates are not delayed. See [`Watcher::request_interval`](strike_async::Watcher::request_interval).
    pub const fn request_interval(mut self, interval: Duration) -> Self {
        self.settings.request_interval = interval;
        self
    }

    /// Sets how many requests that look for payments may be in flight at the same time. The default is
    /// 8. See [`Watcher::max_in_flight`](strike_async::Watcher::max_in_flight).
    pub const fn max_in_flight(mut self, requests: u32) -> Self {
        self.settings.max_in_flight = requests;
        self
    }

    /// Sets the most charges that this instance watches. The default is 100 000.
    pub const fn max_held(mut self, charges: u32) -> Self {
        self.settings.max_held = charges;
        self
    }

    /// Sets the most connections to the database. The default is 10.
    ///
    /// On PostgreSQL, at most half of them run handlers. SQLite has one writer, and this many readers.
    pub const fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// Opens the database and builds the desk.
    ///
    /// # Errors
    /// As [`Desk::connect`].
    pub async fn connect(self, url: &str) -> Result<Desk, Error> {
        // One connection listens, and one works while a handler has one.
        let connections = self.max_connections.max(3);
        let store = Store::connect(url, connections, self.settings.handler_timeout).await?;
        Ok(Desk::new(store, self.client, self.settings))
    }
}
