//! Measures a shop without faults: orders placed and completed in a second, and requests to the host.
//! It prints figures, and asserts only that each order is completed.
//!
//! ```bash
//! STRIKE_ORDERS=5000 cargo test --release -p strike-orders-tests --test load -- --ignored --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use strike_orders_tests::commands::{Action, Outcome, Wanted};
use strike_orders_tests::completions::Completions;
use strike_orders_tests::host::{self, Host};
use strike_orders_tests::postgres::Cluster;
use strike_orders_tests::record::Record;
use strike_orders_tests::shop::{Setup, Shop};
use strike_sandbox::faults::Plan;

/// How many customers are served at the same moment.
const AT_ONCE: usize = 64;

/// Whether the host sends a webhook for each payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Webhooks {
    Sent,
    NotSent,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
async fn load_on_postgres() {
    // As in production: a commit is on the disk before it is confirmed.
    let cluster = Cluster::start(&[("fsync", "on")]);
    for processes in [1, 2, 4] {
        measure("PostgreSQL", &cluster.database(), processes, Webhooks::Sent).await;
    }
    measure("PostgreSQL", &cluster.database(), 4, Webhooks::NotSent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: run it alone"]
async fn load_on_sqlite() {
    for webhooks in [Webhooks::Sent, Webhooks::NotSent] {
        let folder = tempfile::tempdir().unwrap();
        measure("SQLite", &format!("sqlite://{}/orders.db", folder.path().display()), 1, webhooks).await;
    }
}

async fn measure(name: &str, database: &str, processes: u64, webhooks: Webhooks) {
    let orders = std::env::var("STRIKE_ORDERS").map_or(500, |orders| orders.parse().unwrap());
    let host = Host::start(1, Plan::new());
    let setup = Setup {
        program: env!("CARGO_BIN_EXE_order-worker").into(),
        processes,
        database: database.to_owned(),
        lease_ms: 5000,
        rough: None,
    };
    let record = Arc::new(Record::default());
    let shop = Shop::open(&setup, &host, &record);
    // Opening the tables is not measured.
    shop.all_ready().await;
    let completions = Completions::create(database).await;
    let began = Instant::now();
    let completed = async {
        let mut often = tokio::time::interval(Duration::from_millis(50));
        while completions.read().await.unwrap().len() < orders {
            often.tick().await;
        }
        began.elapsed()
    };
    let placed = async {
        let serve = |number| serve(&shop, &host, number, webhooks);
        stream::iter(0..orders).for_each_concurrent(AT_ONCE, serve).await;
        began.elapsed()
    };
    let (completed, placed) = tokio::join!(completed, placed);
    let per_second = |time: Duration| orders as f64 / time.as_secs_f64();
    println!(
        "{name}, {processes} processes, {orders} orders, webhooks {webhooks:?}: {:.0} placed and {:.0} completed \
         in a second, {:.2} requests to the host for each order",
        per_second(placed),
        per_second(completed),
        host.requests() as f64 / orders as f64
    );
    let rows = completions.read().await.unwrap();
    assert!(rows.len() == orders && rows.iter().all(|row| row.kind == "paid"), "{} rows", rows.len());
    shop.close().await;
}

/// Places an order and pays it.
async fn serve(shop: &Shop, host: &Host, number: usize, webhooks: Webhooks) {
    let mut rng = fastrand::Rng::with_seed(number as u64);
    let wanted = Wanted { name: format!("order-{number}"), satoshi: 4200, lifetime: 3600 };
    let outcome = shop.ask(&mut rng, Action::Place(wanted)).await;
    let Ok(Outcome::Shown(shown)) = outcome else { panic!("order-{number}: {outcome:?}") };
    assert!(host.pay(&shown.charge));
    if webhooks == Webhooks::Sent {
        let body = host::webhook(&shown.charge);
        assert!(matches!(shop.ask(&mut rng, Action::Webhook(body)).await, Ok(Outcome::Hinted)));
    }
}
