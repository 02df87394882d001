//! An instance that ends or sleeps while it creates a charge: at any moment, one invoice is shown.

use strike_orders::{Order, OrderState};

use crate::world::{Blocking, Database, Gate, Instance, Moment, Till, World, tea, until};

/// Places an order, and lets the instance crash at this moment of its create.
async fn crash_at(world: &World, moment: Moment) {
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(moment, &gate);
    let _call = instance.place("order-17", tea());
    gate.arrived().await;
    instance.crash();
}

/// Places an order, and lets the instance crash when it has the response but has not written it.
async fn crash_before_the_write(world: &World) {
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::AfterHost, &gate);
    let _call = instance.place("order-17", tea());
    gate.arrived().await;
    let lock = world.db.lock().await;
    gate.open();
    // The thread is free again when everything else of the instance waits for the lock.
    instance.on(|_| tokio::task::yield_now()).await;
    instance.crash();
    lock.release().await;
}

async fn assert_place_finishes(world: &World, instance: &Instance, charges: usize) {
    let order = instance.place_patiently("order-17", tea()).await;
    assert_eq!((order.state(), order.attempt()), (OrderState::Pending, 1));
    assert_eq!(world.host.sandbox.charges(), charges);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_charges").await, 1);
}

async fn place_finishes_what_crashed_before_the_create_arrived(db: Database) {
    let world = World::new(db).await;
    crash_at(&world, Moment::BeforeHost).await;
    assert_place_finishes(&world, &world.instance().await, 1).await;
}

async fn place_finds_the_charge_of_an_instance_that_crashed(db: Database) {
    let world = World::new(db).await;
    crash_at(&world, Moment::AfterHost).await;
    assert_place_finishes(&world, &world.instance().await, 1).await;
    assert_eq!(world.host.creates(), 1);
}

async fn place_finds_the_charge_that_a_crash_left_unwritten(db: Database) {
    let world = World::new(db).await;
    crash_before_the_write(&world).await;
    assert_place_finishes(&world, &world.instance().await, 1).await;
    assert_eq!(world.host.creates(), 1);
}

async fn runner_finishes_what_a_crash_left(db: Database) {
    let world = World::new(db).await;
    crash_at(&world, Moment::BeforeHost).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    until("the order", async || instance.order("order-17").await.is_some()).await;
    assert_eq!(world.host.sandbox.charges(), 1);
}

async fn charge_paid_before_the_crash_is_found_is_told(db: Database) {
    let world = World::new(db).await;
    crash_at(&world, Moment::AfterHost).await;
    // No payer can see this invoice. The desk must still not lose it.
    let charge = world.host.sandbox.list_all()[0].id().clone();
    world.host.sandbox.pay(&charge).unwrap();
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

/// Lets one instance sleep during its create, until another has taken over. Returns what both show.
async fn sleep_at(world: &World, moment: Moment) -> [Order; 2] {
    let [sleeper, other] = world.two_instances().await;
    let gate = Gate::new(Blocking::Thread);
    sleeper.wire.hold_create(moment, &gate);
    let call = sleeper.place("order-17", tea());
    gate.arrived().await;
    let theirs = other.place_patiently("order-17", tea()).await;
    gate.open();
    let ours = match call.await {
        Ok(order) => order,
        // Its time was over when it woke.
        Err(error) => {
            assert!(error.is_retryable(), "{error}");
            sleeper.place_patiently("order-17", tea()).await
        }
    };
    [ours, theirs]
}

async fn sleeper_before_the_create_shows_the_invoice_of_its_successor(db: Database) {
    let world = World::new(db).await;
    let [ours, theirs] = sleep_at(&world, Moment::BeforeHost).await;
    assert_eq!(ours, theirs);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_charges").await, 1);
}

async fn sleeper_after_the_create_shows_the_invoice_of_its_successor(db: Database) {
    let world = World::new(db).await;
    let [ours, theirs] = sleep_at(&world, Moment::AfterHost).await;
    assert_eq!((ours, world.host.sandbox.charges()), (theirs, 1));
}

async fn renew_finishes_what_a_crash_left_and_the_old_invoice_is_shown(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = instance.place("order-17", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    drop(instance);

    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::AfterHost, &gate);
    let _call = instance.renew("order-17", tea());
    gate.arrived().await;
    instance.crash();

    let instance = world.instance().await;
    let shown = instance.place("order-17", tea()).await.unwrap();
    assert_eq!((shown.state(), shown.attempt()), (OrderState::Expired, 1));
    let mut renewed = None;
    until("the renewal", async || {
        renewed = instance.renew("order-17", tea()).await.ok();
        renewed.is_some()
    })
    .await;
    let renewed = renewed.unwrap();
    assert_eq!((renewed.state(), renewed.attempt()), (OrderState::Pending, 2));
    assert_eq!(world.host.sandbox.charges(), 2);
}

on_both![
    place_finishes_what_crashed_before_the_create_arrived,
    place_finds_the_charge_of_an_instance_that_crashed,
    place_finds_the_charge_that_a_crash_left_unwritten,
    runner_finishes_what_a_crash_left,
    charge_paid_before_the_crash_is_found_is_told,
    sleeper_before_the_create_shows_the_invoice_of_its_successor,
    sleeper_after_the_create_shows_the_invoice_of_its_successor,
    renew_finishes_what_a_crash_left_and_the_old_invoice_is_shown,
];
