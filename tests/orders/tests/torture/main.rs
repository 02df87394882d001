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
mod host;
mod record;
mod shop;
mod trouble;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use strike_orders_tests::completions::Completions;
use strike_orders_tests::postgres::Cluster;

use customer::Plan;
use host::Host;
use record::Record;
use shop::Shop;

/// Orders begin at this rate, if the machine is fast enough.
const PER_SECOND: u64 = 100;

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
    let processes = setting("STRIKE_PROCESSES", 4);
    torture("PostgreSQL", &cluster.database(), processes, Some(Arc::clone(&cluster))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: run .ci/postgres"]
async fn killed_process_on_sqlite_completes_each_paid_order_once() {
    let folder = tempfile::tempdir().unwrap();
    torture("SQLite", &format!("sqlite://{}/orders.db", folder.path().display()), 1, None).await;
}

async fn torture(name: &str, url: &str, processes: u64, cluster: Option<Arc<Cluster>>) {
    let orders = setting("STRIKE_ORDERS", 1000);
    let seed = setting("STRIKE_SEED", u64::from(std::process::id()));
    println!("{name}: {orders} orders, {processes} processes, STRIKE_SEED={seed}");
    let began = Instant::now();
    let host = Arc::new(Host::start(seed));
    let desk = checks::reader(url, &host).await;
    let completions = Completions::create(url).await;
    let record = Arc::new(Record::default());
    let shop = Shop::open(processes, url, &host, seed, &record);

    let window = SHORTEST.max(Duration::from_secs(orders / PER_SECOND));
    let trouble = trouble::start(&shop, cluster, seed, &record, orders);
    let plans = (0..orders).map(|number| Plan::new(seed, number, window)).collect();
    customer::serve_all(plans, &shop, &host, &record, AT_ONCE).await;
    trouble.stop().await;
    let calm = Instant::now();
    let settled = checks::settle(&completions, &host, &record).await;
    checks::reading(&desk, &host, &record).await;
    shop.close().await;
    println!(
        "{name}: {settled}\n{record}\n{host}\n{:.1} s, of which {:.1} s without kills at the end",
        began.elapsed().as_secs_f64(),
        calm.elapsed().as_secs_f64()
    );
}
