//! `run` and `stop`: each end is told once, on whichever instance, also after restarts.

use strike_async::Schedule;
use strike_orders::{Cursor, DeskBuilder, Error, OrderState};
use strike_sandbox::faults::{Fault, Match, Plan};

use crate::world::{Blocking, Database, Gate, Till, Trouble, World, notification, seconds, tea, until};

async fn each_end_is_told_once(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    let gone = instances[0].place("gone", tea()).await.unwrap();
    // The host forgets every charge so far.
    world.host.sandbox.reset().unwrap();
    world.until_sold(&["failed gone 1"]).await;
    let paid = instances[0].place("paid", tea()).await.unwrap();
    let expired = instances[1].place("expired", tea()).await.unwrap();
    world.pay(&paid);
    world.expire(&expired);
    world.until_sold(&["failed gone 1", "paid paid 1", "expired expired 1"]).await;
    let states = ["gone", "paid", "expired"].map(|name| instances[0].order(name));
    let states = futures_util::future::join_all(states).await;
    let states: Vec<_> = states.into_iter().map(|order| order.unwrap().state()).collect();
    assert_eq!(states, [OrderState::Failed, OrderState::Paid, OrderState::Expired]);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_ends").await, 3);
    let renewed = instances[1].renew("gone", tea()).await.unwrap();
    assert_ne!(renewed.charge().id(), gone.charge().id());
}

async fn payment_during_a_restart_is_told(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    instance.desk.stop();
    running.await.unwrap().unwrap();
    drop(instance);
    world.pay(&order);
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

async fn order_of_an_instance_that_does_not_run_is_told_by_another(db: Database) {
    let world = World::new(db).await;
    let [shop, runner] = world.two_instances().await;
    let _running = runner.run(&Till::default());
    let order = shop.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(shop.order("order-17").await.unwrap().state(), OrderState::Paid);
}

async fn run_returns_after_stop_and_can_run_again(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    for round in ["first", "second"] {
        let running = instance.run(&Till::default());
        let order = instance.place(round, tea()).await.unwrap();
        world.pay(&order);
        until("the sale", async || world.db.sales().await.contains(&format!("paid {round} 1"))).await;
        instance.desk.stop();
        running.await.unwrap().unwrap();
        let health = instance.on(|desk| async move { desk.health().await.unwrap() }).await;
        assert_eq!((health.runners, health.runs_here), (0, false));
    }
    assert_eq!(world.db.sales().await.len(), 2);
}

async fn desk_runs_once_at_a_time(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let first = instance.run(&Till::default());
    until("the lease", async || world.db.number("SELECT count(*) FROM strike_leases").await == 1).await;
    let error = instance.run(&Till::default()).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::AlreadyRunning), "{error:?}");
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1"]).await;
    instance.desk.stop();
    first.await.unwrap().unwrap();
}

async fn stop_waits_for_a_handler_that_has_begun(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    let running = instance.run(&Till::with([Trouble::Wait(gate.clone())]));
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    gate.arrived().await;
    instance.desk.stop();
    // Everything that can happen without the handler has happened after some turns.
    for _ in 0..50 {
        instance.on(|_| tokio::task::yield_now()).await;
    }
    assert!(!running.is_finished());
    gate.open();
    running.await.unwrap().unwrap();
    assert_eq!(world.db.sales().await, ["paid order-17 1"]);
}

async fn stop_gives_orders_to_another_instance_at_once(db: Database) {
    let world = World::new(db).await;
    let hour = |builder: DeskBuilder| builder.lease(seconds(3600));
    let [first, second] = [world.instance_with(hour).await, world.instance_with(hour).await];
    let running = first.run(&Till::default());
    let order = first.place("order-17", tea()).await.unwrap();
    until("the order to be watched", async || {
        world.db.number("SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL").await == 1
    })
    .await;
    let _second = second.run(&Till::default());
    first.desk.stop();
    running.await.unwrap().unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1"]).await;
}

async fn two_runners_share_the_orders(db: Database) {
    let world = World::new(db).await;
    let [shop, first] = world.two_instances().await;
    let second = world.instance().await;
    let mut orders = Vec::new();
    for number in 0..60 {
        orders.push(shop.place(&format!("order-{number}"), tea()).await.unwrap());
    }
    let _running = [first.run(&Till::default()), second.run(&Till::default())];
    until("a fair share", async || {
        let shares = "SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL GROUP BY lease_id";
        let shares = world.db.numbers(shares).await;
        shares.len() == 2 && shares.iter().all(|share| *share >= 15)
    })
    .await;
    orders.iter().for_each(|order| world.pay(order));
    let sales: Vec<_> = (0..60).map(|number| format!("paid order-{number} 1")).collect();
    world.until_sold(&sales.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn instance_watches_at_most_what_it_may_hold(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(|builder| builder.max_held(3)).await;
    let mut orders = Vec::new();
    for number in 0..8 {
        orders.push(instance.place(&format!("order-{number}"), tea()).await.unwrap());
    }
    let _running = instance.run(&Till::default());
    let held = "SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL";
    until("three orders", async || world.db.number(held).await == 3).await;
    orders.iter().for_each(|order| world.pay(order));
    let sales: Vec<_> = (0..8).map(|number| format!("paid order-{number} 1")).collect();
    world.until_sold(&sales.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn desk_wakes_its_own_runner_without_polling(db: Database) {
    let world = World::new(db).await;
    let hour = |builder: DeskBuilder| builder.poll_interval(seconds(3600)).lease(seconds(36_000));
    let instance = world.instance_with(hour).await;
    let running = instance.run(&Till::default());
    until("the lease", async || world.db.number("SELECT count(*) FROM strike_leases").await == 1).await;
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    world.until_sold(&["paid order-17 1"]).await;
    instance.desk.stop();
    running.await.unwrap().unwrap();
}

async fn runner_goes_on_after_the_host_was_away(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    world.host.sandbox.add_faults(Plan::new().on(Match::any(), Fault::refuse()));
    world.pay(&order);
    let requests = world.host.requests();
    until("failed reads", async || world.host.requests() > requests + 2).await;
    world.host.sandbox.clear_faults();
    // The pause after failures is over.
    world.advance(seconds(300));
    world.until_sold(&["paid order-17 1"]).await;
}

async fn payment_in_the_last_moment_is_told_as_paid(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    world.expire(&order);
    let _running = instance.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

/// Nothing is polled, in the database or at the host.
async fn notifications_wake_other_instances(db: Database) {
    let world = World::new(db).await;
    let rarely = |builder: DeskBuilder| {
        let builder = builder.poll_interval(seconds(3600)).lease(seconds(36_000));
        builder.schedule(Schedule::every(seconds(3600)))
    };
    let [shop, runner] = [world.instance_with(rarely).await, world.instance_with(rarely).await];
    let running = runner.run(&Till::default());
    until("the lease", async || world.db.number("SELECT count(*) FROM strike_leases").await == 1).await;
    let end = shop.on(|desk| async move { desk.ends(Cursor::start()).next().await.unwrap() });
    let order = shop.place("order-17", tea()).await.unwrap();
    until("the runner to watch the order", async || {
        world.db.number("SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL").await == 1
    })
    .await;
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let desk = shop.desk.clone();
    let _following = shop.spawn(async move {
        let mut order = desk.follow("order-17");
        while let Ok(order) = order.next().await {
            let _ = sender.send(order.state());
        }
    });
    assert_eq!(seen.recv().await, Some(OrderState::Pending));
    world.pay(&order);
    let hint = notification(&order);
    shop.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(seen.recv().await, Some(OrderState::Paid));
    assert_eq!(end.await.order.name(), "order-17");
    runner.desk.stop();
    running.await.unwrap().unwrap();
}

on_both![
    each_end_is_told_once,
    payment_during_a_restart_is_told,
    order_of_an_instance_that_does_not_run_is_told_by_another,
    run_returns_after_stop_and_can_run_again,
    desk_runs_once_at_a_time,
    stop_waits_for_a_handler_that_has_begun,
    stop_gives_orders_to_another_instance_at_once,
    two_runners_share_the_orders,
    instance_watches_at_most_what_it_may_hold,
    desk_wakes_its_own_runner_without_polling,
    runner_goes_on_after_the_host_was_away,
    payment_in_the_last_moment_is_told_as_paid,
];

mod on_postgres_only {
    #[tokio::test]
    #[ignore = "needs PostgreSQL; run .ci/postgres"]
    async fn notifications_wake_other_instances_without_polling() {
        super::notifications_wake_other_instances(crate::world::Database::postgres()).await;
    }
}
