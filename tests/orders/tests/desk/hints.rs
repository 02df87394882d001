//! Hints: a webhook on any instance makes the holder of the charge read it.

use strike_async::{ChargeId, NewCharge, Schedule};
use strike_orders::DeskBuilder;

use crate::world::{
    Blocking, Database, Gate, Instance, Moment, Till, World, notification, notification_of, seconds, tea,
    until,
};

/// After the first poll, a charge is read again only because of a hint.
fn rarely(builder: DeskBuilder) -> DeskBuilder {
    builder.schedule(Schedule::every(seconds(3600)))
}

/// Waits until a charge was read for the first time, and pays it then.
async fn pay_after_the_first_poll(world: &World, order: &strike_orders::Order) {
    until("the first poll", async || world.host.reads_of(order.charge().id()) > 0).await;
    world.pay(order);
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
    pay_after_the_first_poll(&world, &order).await;
    hint(&instance, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
}

async fn hint_on_another_instance_makes_the_holder_read_the_charge(db: Database) {
    let world = World::new(db).await;
    let [holder, other] = [world.instance_with(rarely).await, world.instance_with(rarely).await];
    let _running = holder.run(&Till::default());
    let order = holder.place("order-17", tea()).await.unwrap();
    pay_after_the_first_poll(&world, &order).await;
    hint(&other, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(world.host.reads_of(order.charge().id()), 2);
}

async fn hint_without_a_payment_reads_the_charge_and_tells_nothing(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    let id = order.charge().id();
    until("the first poll", async || world.host.reads_of(id) == 1).await;
    hint(&instance, id).await;
    until("the second read", async || world.host.reads_of(id) == 2).await;
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
    // The holder has looked for hints since.
    let other = instance.place("order-16", NewCharge::satoshis(1, "")).await.unwrap();
    until("the first poll of another charge", async || world.host.reads_of(other.charge().id()) > 0).await;
    let left = "SELECT count(*) FROM strike_hints";
    assert_eq!(world.db.number(left).await, 1);
    gate.open();
    let order = call.await.unwrap();
    until("the hint to be used", async || world.db.number(left).await == 0).await;
    assert!(world.host.reads_of(order.charge().id()) >= 1);
}

async fn hint_while_no_instance_runs_is_kept(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    pay_after_the_first_poll(&world, &order).await;
    instance.desk.stop();
    running.await.unwrap().unwrap();
    world.db.execute("DELETE FROM sales").await;
    hint(&instance, order.charge().id()).await;
    let _running = instance.run(&Till::default());
    until("the sale", async || {
        instance.order("order-17").await.unwrap().state() == strike_orders::OrderState::Paid
    })
    .await;
}

async fn hint_of_an_unknown_charge_is_accepted_and_sends_nothing(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(rarely).await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    pay_after_the_first_poll(&world, &order).await;
    let requests = world.host.requests();
    hint(&instance, &ChargeId::new("ch_of_another_shop").unwrap()).await;
    hint(&instance, order.charge().id()).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(world.host.requests(), requests + 1);
}

async fn repeated_hints_of_a_paid_charge_tell_nothing_more(db: Database) {
    let world = World::new(db).await;
    let instances = [world.instance_with(rarely).await, world.instance_with(rarely).await];
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    let order = instances[0].place("order-17", tea()).await.unwrap();
    pay_after_the_first_poll(&world, &order).await;
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
