//! Kills a process every second, stops one for longer than its lease now and then, and restarts
//! PostgreSQL twice.

use std::sync::Arc;
use std::time::Duration;

use strike_orders_tests::postgres::{Cluster, Stop};
use strike_orders_tests::record::Record;
use strike_orders_tests::shop::Shop;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often a process is stopped, and for how long. Its lease lapses meanwhile.
const PAUSES: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(2600);

pub struct Trouble {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Begins to make trouble. PostgreSQL is restarted after a third and two thirds of the orders.
pub fn start(
    shop: &Shop,
    cluster: Option<Arc<Cluster>>,
    seed: u64,
    record: &Arc<Record>,
    orders: u64,
) -> Trouble {
    let (stop, mut stopped) = oneshot::channel();
    let (shop, record, mut rng) = (shop.clone(), Arc::clone(record), fastrand::Rng::with_seed(seed));
    let task = tokio::spawn(async move {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        let mut restarts = vec![(orders * 2 / 3, Stop::Immediate), (orders / 3, Stop::Fast)];
        let mut pauses = tokio::time::interval(PAUSES);
        loop {
            tokio::select! {
                _ = seconds.tick() => shop.kill(&mut rng),
                _ = pauses.tick(), if cluster.is_some() => {
                    let (shop, record, mut rng) = (shop.clone(), Arc::clone(&record), rng.fork());
                    tokio::spawn(async move {
                        shop.pause(&mut rng, PAUSE).await;
                        record.count("processes stopped for longer than their lease");
                    });
                }
                _ = &mut stopped => break,
            }
            let Some(cluster) = &cluster else { continue };
            let due = |(after, _): &mut (u64, Stop)| record.get("orders served") >= *after;
            if let Some((_, how)) = restarts.pop_if(due) {
                let cluster = Arc::clone(cluster);
                tokio::task::spawn_blocking(move || cluster.restart(how)).await.unwrap();
                record.count("restarts of PostgreSQL");
            }
        }
        assert!(cluster.is_none() || restarts.is_empty(), "the run was too short for {restarts:?}");
    });
    Trouble { stop, task }
}

impl Trouble {
    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}
