//! A desk that does everything it can do, beside 100,000 pending charges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_async::http::HeaderMap;
use strike_async::{Client, Exchange, NewCharge, Schedule};
use strike_orders::{Desk, HandlerError};
use strike_orders_tests::host;
use strike_sandbox::Sandbox;
use strike_sandbox::faults::{Fault, Match, Plan};

/// How many charges are pending besides those of the test: half of them on the lease of the desk.
pub const PENDING: u32 = 100_000;

/// The orders of the test, of which a half is paid and the others expire.
const ORDERS: usize = 20;

/// Statements that add the pending charges. The leases belong to the desk, to another instance, and
/// to one that died with 100 charges.
pub const FILL: [&str; 3] = [
    "INSERT INTO strike_leases (renewed_at, lapses_at, held, capacity) VALUES (1, 9000000000000000, 50000, 50000), (1, 0, 100, 100)",
    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000) \
     INSERT INTO strike_orders (name, state, satoshi, description, attempt, placed_at) \
     SELECT 'bulk-' || n, 'pending', 4200, 'a pot of tea', 1, n FROM n",
    "INSERT INTO strike_charges \
     (order_id, attempt, begun_at, state, satoshi, charge_id, payment_request, expires_at, mirror, lease_id) \
     SELECT id, 1, placed_at, 'pending', 4200, name, 'lntb', 9000000000000000, '{}', \
     (SELECT id FROM strike_leases WHERE CASE WHEN placed_at <= 100 THEN lapses_at = 0 \
     WHEN placed_at <= 50000 THEN lapses_at > 8000000000000000 ELSE renewed_at > 1 END) \
     FROM strike_orders WHERE name LIKE 'bulk-%'",
];

/// A running desk, and what its handler was told.
pub struct Shop {
    pub desk: Desk,
    sandbox: Sandbox,
    told: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Shop {
    /// Opens a desk, and runs it. Each first call of the handler fails.
    pub async fn open(url: &str) -> Self {
        let faults = Plan::new().on(Match::create().every(7), Fault::close());
        let sandbox = Sandbox::builder().faults(faults).build();
        let server = sandbox.clone();
        let transport = move |exchange: Exchange| std::future::ready(server.reply(exchange));
        let client = Client::builder_with_transport(sandbox.endpoint().unwrap(), transport).build().unwrap();
        let desk = Desk::builder(client)
            .lease(Duration::from_secs(3))
            .poll_interval(Duration::from_millis(50))
            .grace(Duration::ZERO)
            .schedule(Schedule::every(Duration::from_millis(200)))
            .late_checks([Duration::from_millis(500), Duration::from_secs(3600)])
            .connect(url)
            .await
            .unwrap();
        let told = Arc::new(Mutex::new(BTreeMap::new()));
        let (running, calls) = (desk.clone(), Arc::clone(&told));
        tokio::spawn(async move {
            let handler = async move |event: strike_orders::Event, _: &mut strike_orders::Transaction| {
                let mut told = calls.lock().unwrap();
                let calls = told.entry(event.order().name().to_owned()).or_insert(0);
                *calls += 1;
                if *calls == 1 { Err(HandlerError::from("the first call fails")) } else { Ok(()) }
            };
            running.run(handler).await.unwrap();
        });
        // The lease of the desk exists when an order was completed.
        let shop = Self { desk, sandbox, told };
        shop.order("first", true).await;
        shop.until_told(1).await;
        shop
    }

    /// Places orders, pays some of them, lets the others expire, and waits until all was told.
    pub async fn work(&self) {
        for number in 0..ORDERS {
            self.order(&format!("order-{number}"), number % 2 == 0).await;
        }
        self.until_told(1 + ORDERS).await;
        self.desk.renew("order-1", order(3600)).await.unwrap();
        assert!(self.desk.order("order-0").await.unwrap().is_some());
    }

    async fn order(&self, name: &str, pays: bool) {
        let lifetime = if pays { 3600 } else { 1 };
        // A lost response makes a call fail. The next one finds the charge.
        let placed = loop {
            match self.desk.place(name, order(lifetime)).await {
                Ok(placed) => break placed,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        };
        if pays {
            self.sandbox.pay(placed.charge().id()).unwrap();
            let body = host::webhook(placed.charge().id().as_str());
            let endpoint = self.desk.client().endpoint();
            let hint = endpoint.read_webhook(&HeaderMap::new(), body.as_bytes()).unwrap();
            self.desk.hint(&hint).await.unwrap();
        }
    }

    /// Waits until the handler was called for this many orders, twice for each.
    async fn until_told(&self, orders: usize) {
        let mut often = tokio::time::interval(Duration::from_millis(20));
        while self.told.lock().unwrap().values().filter(|calls| **calls >= 2).count() < orders {
            often.tick().await;
        }
    }
}

fn order(lifetime: u32) -> NewCharge {
    NewCharge::satoshis(4200, "a pot of tea").expiry_sec(lifetime)
}
