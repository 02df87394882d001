//! Many orders through shop processes that are killed every second, a database that restarts, and
//! a network with faults. At the end each order must have been completed as the host was paid.
//!
//! ```bash
//! STRIKE_ORDERS=20000 cargo test --release -p strike-orders-tests --test torture -- --ignored --nocapture
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

mod checks;
mod customer;
mod trouble;

use std::sync::Arc;
use std::time::{Duration, Instant};

use strike_orders_tests::completions::Completions;
use strike_orders_tests::host::{self, Host};
use strike_orders_tests::postgres::Cluster;
use strike_orders_tests::record::Record;
use strike_orders_tests::shop::{Setup, Shop};

use customer::Plan;

/// Orders begin at this rate, if the machine is fast enough.
const PER_SECOND: u64 = 25;

/// Orders begin during at least this time, so that enough processes are killed.
const SHORTEST: Duration = Duration::from_secs(25);

/// How many customers order at the same moment.
const AT_ONCE: usize = 64;

fn setting(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
async fn killed_processes_on_one_postgres_complete_each_paid_order_once() {
    let cluster = Arc::new(Cluster::start(&[]));
    let database = cluster.database();
    let processes = setting("STRIKE_PROCESSES", 4);
    torture("PostgreSQL", Setup { database, processes, lease_ms: 2000, ..setup() }, Some(cluster)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: run .ci/postgres"]
async fn killed_process_on_sqlite_completes_each_paid_order_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/orders.db", folder.path().display());
    // A process lives for a second, so it must take over within that time.
    torture("SQLite", Setup { database, processes: 1, lease_ms: 400, ..setup() }, None).await;
}

fn setup() -> Setup {
    let seed = setting("STRIKE_SEED", u64::from(std::process::id()));
    Setup {
        program: env!("CARGO_BIN_EXE_order-worker").into(),
        processes: 0,
        database: String::new(),
        lease_ms: 0,
        rough: Some(seed),
    }
}

async fn torture(name: &str, setup: Setup, cluster: Option<Arc<Cluster>>) {
    let (orders, seed) = (setting("STRIKE_ORDERS", 1000), setup.rough.unwrap());
    println!("{name}: {orders} orders, {} processes, STRIKE_SEED={seed}", setup.processes);
    let began = Instant::now();
    let host = Arc::new(Host::start(seed, host::faults()));
    let desk = checks::reader(&setup.database, &host).await;
    let completions = Completions::create(&setup.database).await;
    let record = Arc::new(Record::default());
    let shop = Shop::open(&setup, &host, &record);

    let window = SHORTEST.max(Duration::from_secs(orders / PER_SECOND));
    let trouble = trouble::start(&shop, cluster.clone(), seed, &record, orders);
    let plans = (0..orders).map(|number| Plan::new(seed, number, window)).collect();
    customer::serve_all(plans, &shop, &host, &record, AT_ONCE).await;
    trouble.stop().await;
    println!("{name}: {:.1} s with kills: {record}", began.elapsed().as_secs_f64());
    let settled = checks::settle(&completions, &host, &record, &shop).await;
    checks::reading(&desk, &completions, &host, &record).await;
    shop.close().await;
    println!("{name}: {settled}; {host}; {:.1} s", began.elapsed().as_secs_f64());
}
