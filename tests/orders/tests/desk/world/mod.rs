//! The world of a test: a database, a host, and instances of a shop.

mod clock;
mod database;
mod gate;
mod host;
mod instance;
mod till;

use std::time::{Duration, Instant};

use strike_async::{NewCharge, UnixMillis};
use strike_orders::{DeskBuilder, Order};

pub use clock::Clock;
pub use database::Database;
pub use gate::{Blocking, Gate};
pub use host::{Host, Moment, Wire, notification, notification_of};
pub use instance::Instance;
pub use till::{Till, Trouble};

/// How long a test waits for something before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database, a host, and the time.
pub struct World {
    pub db: Database,
    pub host: Host,
    pub clock: Clock,
}

impl World {
    pub async fn new(db: Database) -> Self {
        db.execute("CREATE TABLE sales (kind TEXT NOT NULL, name TEXT NOT NULL, attempt BIGINT NOT NULL)")
            .await;
        Self { db, host: Host::default(), clock: Clock::default() }
    }

    /// Starts an instance with short intervals.
    pub async fn instance(&self) -> Instance {
        self.instance_with(|builder| builder).await
    }

    /// Starts an instance with further settings.
    pub async fn instance_with(&self, settings: impl FnOnce(DeskBuilder) -> DeskBuilder) -> Instance {
        Instance::start(self, self.clock.clone(), settings).await
    }

    /// Starts two instances.
    pub async fn two_instances(&self) -> [Instance; 2] {
        [self.instance().await, self.instance().await]
    }

    /// Moves the clocks of the host and of every instance. The database's clock stays.
    pub fn advance(&self, time: Duration) {
        self.host.sandbox.advance(time);
        self.clock.advance(time);
    }

    /// Moves the clocks until an order has expired for everybody.
    pub fn expire(&self, order: &Order) {
        let now = self.host.sandbox.now();
        let left = order.expires_at().as_millis().saturating_sub(now.as_millis());
        self.advance(Duration::from_millis(left) + Duration::from_secs(120));
    }

    /// Pays the invoice that an order shows.
    pub fn pay(&self, order: &Order) {
        self.host.sandbox.pay(order.charge().id()).unwrap();
    }

    /// Waits until the handlers have booked these sales, in any order, and no other.
    pub async fn until_sold(&self, sales: &[&str]) {
        until(&format!("sales {sales:?}"), async || self.db.sales().await.len() >= sales.len()).await;
        let mut wanted = sales.to_vec();
        wanted.sort_unstable();
        let mut found = self.db.sales().await;
        found.sort_unstable();
        assert_eq!(found, wanted);
    }
}

/// Waits until a condition holds.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A pot of tea.
pub fn tea() -> NewCharge {
    NewCharge::satoshis(4200, "a pot of tea")
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The time by the system's clock, which is also the database's.
pub fn system_time() -> UnixMillis {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMillis::from_millis(now.as_millis().try_into().unwrap())
}
