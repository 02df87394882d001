//! Leases: orders of instances that end or sleep are taken over, and still told once.

use crate::world::{Blocking, Database, Gate, Till, Trouble, World, millis, seconds, tea, until};

const LEASES: &str = "SELECT id FROM strike_leases ORDER BY id";
const HOLDER: &str = "SELECT coalesce(max(lease_id), 0) FROM strike_charges";
const HELD: &str = "SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL";

async fn until_held(world: &World, charges: i64) {
    until("the charges to be watched", async || world.db.number(HELD).await == charges).await;
}

async fn orders_of_a_crashed_instance_are_taken_over(db: Database) {
    let world = World::new(db).await;
    let [first, second] = world.two_instances().await;
    let running = first.run(&Till::default());
    let order = first.place("order-17", tea()).await.unwrap();
    until_held(&world, 1).await;
    drop(running);
    first.crash();
    world.pay(&order);
    let _running = second.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

async fn orders_of_a_dropped_run_are_taken_over(db: Database) {
    let world = World::new(db).await;
    let [first, second] = world.two_instances().await;
    let running = first.run(&Till::default());
    let order = first.place("order-17", tea()).await.unwrap();
    until_held(&world, 1).await;
    running.abort();
    world.pay(&order);
    let _running = second.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
    // The desk itself can still place, and run again.
    let _again = first.run(&Till::default());
    let order = first.place("order-18", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1", "paid order-18 1"]).await;
}

async fn running_instance_keeps_its_lease(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    until("two leases", async || world.db.numbers(LEASES).await.len() == 2).await;
    let before = world.db.numbers(LEASES).await;
    let renewed = "SELECT min(renewed_at) FROM strike_leases";
    let start = world.db.number(renewed).await;
    until("several renewals", async || world.db.number(renewed).await > start + 4_000).await;
    assert_eq!(world.db.numbers(LEASES).await, before);
}

async fn payment_seen_by_a_sleeper_and_its_successor_is_told_once(db: Database) {
    let world = World::new(db).await;
    let [sleeper, other] = world.two_instances().await;
    let _running = sleeper.run(&Till::default());
    let order = sleeper.place("order-17", tea()).await.unwrap();
    until_held(&world, 1).await;
    let lease = world.db.number(HOLDER).await;
    let sleep = sleeper.freeze().await;
    let till = Till::default();
    let _other = other.run(&till);
    // The lease itself stays if its holder sleeps in a transaction.
    until("the takeover", async || world.db.number(HOLDER).await != lease).await;
    // Both watch the charge, and see the payment as soon as they can.
    world.pay(&order);
    sleep.open();
    world.until_sold(&["paid order-17 1"]).await;
    // The sleeper goes on with a new lease.
    until("two runners", async || {
        other.on(|desk| async move { desk.health().await.unwrap().runners == 2 }).await
    })
    .await;
    other.desk.stop();
    let order = other.place("order-18", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1", "paid order-18 1"]).await;
}

async fn payment_in_the_handler_of_a_sleeper_is_told_once(db: Database) {
    let world = World::new(db).await;
    let [sleeper, other] = world.two_instances().await;
    let gate = Gate::new(Blocking::Thread);
    let _running = sleeper.run(&Till::with([Trouble::Wait(gate.clone())]));
    let order = sleeper.place("order-17", tea()).await.unwrap();
    let lease = world.db.number(LEASES).await;
    world.pay(&order);
    gate.arrived().await;
    let _other = other.run(&Till::default());
    if matches!(world.db, Database::Postgres { .. }) {
        // The transaction of the sleeper is still open. SQLite has one writer, so all others wait.
        until("the lease to lapse", async || {
            world.db.numbers("SELECT lapses_at - (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM strike_leases ORDER BY id").await[0] < 0
                || !world.db.numbers(LEASES).await.contains(&lease)
        })
        .await;
    }
    gate.open();
    world.until_sold(&["paid order-17 1"]).await;
    let order = other.place("order-18", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1", "paid order-18 1"]).await;
}

/// On SQLite, an open transaction keeps every other instance from writing.
async fn sleeping_handler_does_not_stop_other_instances(db: Database) {
    let world = World::new(db).await;
    let [sleeper, other] = world.two_instances().await;
    let gate = Gate::new(Blocking::Thread);
    let _running = sleeper.run(&Till::with([Trouble::Wait(gate.clone())]));
    let [stuck, waiting] =
        [sleeper.place("stuck", tea()).await.unwrap(), sleeper.place("waiting", tea()).await.unwrap()];
    until_held(&world, 2).await;
    world.pay(&stuck);
    gate.arrived().await;
    // The lease of the sleeper lapses, while its transaction is open.
    let _other = other.run(&Till::default());
    world.pay(&waiting);
    world.until_sold(&["paid waiting 1"]).await;
    gate.open();
    world.until_sold(&["paid waiting 1", "paid stuck 1"]).await;
}

async fn wrong_clocks_of_instances_do_not_move_leases(db: Database) {
    let world = World::new(db).await;
    let hour = 3_600_000;
    let mut instances = Vec::new();
    for skew in [hour, -hour] {
        let clock = world.clock.skewed(skew);
        instances.push(crate::world::Instance::start(&world, clock, |builder| builder).await);
    }
    let _running: Vec<_> = instances.iter().map(|instance| instance.run(&Till::default())).collect();
    until("two leases", async || world.db.numbers(LEASES).await.len() == 2).await;
    let leases = world.db.numbers(LEASES).await;
    let orders =
        [instances[0].place("fast", tea()).await.unwrap(), instances[1].place("slow", tea()).await.unwrap()];
    let now = crate::world::system_time().as_millis();
    assert!(orders.iter().all(|order| order.placed_at().as_millis().abs_diff(now) < 60_000));
    let renewed = "SELECT min(renewed_at) FROM strike_leases";
    let start = world.db.number(renewed).await;
    until("several renewals", async || world.db.number(renewed).await > start + 4_000).await;
    assert_eq!(world.db.numbers(LEASES).await, leases);
    assert_eq!(world.db.sales().await, [""; 0], "no invoice has expired");
    orders.iter().for_each(|order| world.pay(order));
    world.until_sold(&["paid fast 1", "paid slow 1"]).await;
}

async fn long_lease_of_a_crashed_instance_is_respected(db: Database) {
    let world = World::new(db).await;
    let first = world.instance_with(|builder| builder.lease(seconds(3600))).await;
    let running = first.run(&Till::default());
    let order = first.place("order-17", tea()).await.unwrap();
    until_held(&world, 1).await;
    drop(running);
    first.crash();
    let second = world.instance_with(|builder| builder.poll_interval(millis(10))).await;
    let _running = second.run(&Till::default());
    world.pay(&order);
    // Another order shows that the second instance works.
    let other = second.place("order-18", tea()).await.unwrap();
    world.pay(&other);
    world.until_sold(&["paid order-18 1"]).await;
    assert_eq!(world.db.number(HELD).await, 1);
}

on_both![
    orders_of_a_crashed_instance_are_taken_over,
    orders_of_a_dropped_run_are_taken_over,
    running_instance_keeps_its_lease,
    payment_seen_by_a_sleeper_and_its_successor_is_told_once,
    payment_in_the_handler_of_a_sleeper_is_told_once,
    wrong_clocks_of_instances_do_not_move_leases,
    long_lease_of_a_crashed_instance_is_respected,
];

mod on_postgres_only {
    #[tokio::test]
    #[ignore = "needs PostgreSQL; run .ci/postgres"]
    async fn sleeping_handler_does_not_stop_other_instances() {
        super::sleeping_handler_does_not_stop_other_instances(crate::world::Database::postgres()).await;
    }
}
