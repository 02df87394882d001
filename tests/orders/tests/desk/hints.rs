//! Hints: a webhook on any instance makes the holder of the charge read it.

use strike_async::{ChargeId, NewCharge, Schedule};
use strike_orders::DeskBuilder;

use crate::world::{
    Blocking, Database, Gate, Instance, Moment, Till, World, notification, notification_of, seconds, tea,
    until,
};

/// A charge is read only because of a hint.
fn rarely(builder: DeskBuilder) -> DeskBuilder {
    builder.schedule(Schedule::every(seconds(3600)))
}

async fn hint(instance: &Instance, id: &ChargeId) {
    let hint = notification_of(id);
    instance.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
}

async fn hint_on_the_holder_makes_it_read_the_charge(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    hint(&instance, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
}

async fn hint_on_another_instance_makes_the_holder_read_the_charge(db: Database) {
    let world = World::new(db).await;
    let [holder, other] = [world.instance_with(rarely).await, world.instance_with(rarely).await];
    let _running = holder.run(&Till::default());
    let order = holder.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    hint(&other, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(world.host.reads_of(order.charge().id()), 1);
}

async fn hint_without_a_payment_reads_the_charge_and_tells_nothing(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    let id = order.charge().id();
    hint(&instance, id).await;
    until("the read", async || world.host.reads_of(id) == 1).await;
    assert_eq!(instance.order("order-17").await, Some(order.clone()));
    world.pay(&order);
    hint(&instance, id).await;
    world.until_sold(&["paid order-17 1"]).await;
}

async fn hint_before_the_charge_is_written_is_not_lost(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::AfterHost, &gate);
    let call = instance.place("order-17", tea());
    gate.arrived().await;
    let id = world.host.sandbox.list_all()[0].id().clone();
    hint(&instance, &id).await;
    world.host.sandbox.pay(&id).unwrap();
    // The holder has looked for hints since.
    let other = instance.place("order-16", NewCharge::satoshis(1, "")).await.unwrap();
    world.pay(&other);
    hint(&instance, other.charge().id()).await;
    world.until_sold(&["paid order-16 1"]).await;
    gate.open();
    call.await.unwrap();
    world.until_sold(&["paid order-16 1", "paid order-17 1"]).await;
}

async fn hint_while_no_instance_runs_is_kept(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    instance.desk.stop();
    running.await.unwrap().unwrap();
    world.pay(&order);
    hint(&instance, order.charge().id()).await;
    let _running = instance.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

async fn hint_of_an_unknown_charge_is_accepted_and_sends_nothing(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    hint(&instance, &ChargeId::new("ch_of_another_shop").unwrap()).await;
    hint(&instance, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(world.host.requests(), 2, "the create, and the read of the known charge");
}

async fn repeated_hints_of_a_paid_charge_tell_nothing_more(db: Database) {
    let world = World::new(db).await;
    let instances = [world.instance_with(rarely).await, world.instance_with(rarely).await];
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    let order = instances[0].place("order-17", tea()).await.unwrap();
    world.pay(&order);
    for round in 0..10 {
        let hint = notification(&order);
        instances[round % 2].on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    }
    world.until_sold(&["paid order-17 1"]).await;
    let left = "SELECT count(*) FROM strike_hints";
    until("the hints to be used", async || world.db.number(left).await == 0).await;
    world.until_sold(&["paid order-17 1"]).await;
}

on_both![
    hint_on_the_holder_makes_it_read_the_charge,
    hint_on_another_instance_makes_the_holder_read_the_charge,
    hint_without_a_payment_reads_the_charge_and_tells_nothing,
    hint_before_the_charge_is_written_is_not_lost,
    hint_while_no_instance_runs_is_kept,
    hint_of_an_unknown_charge_is_accepted_and_sends_nothing,
    repeated_hints_of_a_paid_charge_tell_nothing_more,
];
