//! `renew`: the next invoice of an order, and late payments of the old ones.

use strike_async::NewCharge;
use strike_orders::{DeskBuilder, Error, Order, OrderState};

use crate::world::{
    Blocking, Database, Gate, Instance, Moment, Till, World, notification, seconds, tea, until,
};

/// Places an order, and lets its invoice expire. It was paid in the last moment, but the host does
/// not show that yet.
async fn paid_but_expired(world: &World, instance: &Instance) -> Order {
    let old = instance.place("order-17", tea()).await.unwrap();
    world.host.hide(old.charge().id());
    world.pay(&old);
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    old
}

/// Shows a hidden payment, and lets a webhook tell the desk.
async fn show(world: &World, instance: &Instance, order: &Order) {
    world.host.show(order.charge().id());
    let hint = notification(order);
    instance.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
}

async fn renew_of_a_pending_order_returns_it(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let order = instance.place("order-17", tea()).await.unwrap();
    assert_eq!(instance.renew("order-17", tea()).await.unwrap(), order);
    assert_eq!(world.host.requests(), 1);
    let error = instance.renew("order-17", NewCharge::satoshis(4300, "a pot of tea")).await.unwrap_err();
    assert!(matches!(error, Error::DifferentOrder { field: "amount", .. }), "{error:?}");
}

async fn renew_of_an_unknown_order_is_not_found(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let error = instance.renew("order-17", tea()).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound { name } if name == "order-17"), "{error:?}");
    assert_eq!(world.host.requests(), 0);
}

async fn renew_of_an_expired_order_creates_the_next_invoice(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = instance.place("order-17", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    let new = instance.renew("order-17", tea()).await.unwrap();
    assert_eq!((new.state(), new.attempt(), new.ended_at()), (OrderState::Pending, 2, None));
    assert_ne!(new.payment_request(), old.payment_request());
    assert_eq!(instance.place("order-17", tea()).await.unwrap(), new);
    world.pay(&new);
    world.until_sold(&["expired order-17 1", "paid order-17 2"]).await;
}

async fn order_can_be_renewed_again_and_again(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let mut order = instance.place("order-17", tea()).await.unwrap();
    for attempt in 2..=4 {
        world.expire(&order);
        until("the expiry", async || {
            instance.order("order-17").await.unwrap().state() == OrderState::Expired
        })
        .await;
        order = instance.renew("order-17", tea()).await.unwrap();
        assert_eq!((order.attempt(), order.state()), (attempt, OrderState::Pending));
    }
    assert_eq!(world.host.sandbox.charges(), 4);
}

async fn concurrent_renewals_on_two_desks_create_one_invoice(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let running = instances[0].run(&Till::default());
    let old = instances[0].place("order-17", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    let calls: Vec<_> = (0..20).map(|call| instances[call % 2].renew("order-17", tea())).collect();
    let orders = futures_util::future::join_all(calls).await;
    for order in orders {
        let order = order.unwrap();
        assert_eq!((order.attempt(), order.state()), (2, OrderState::Pending));
    }
    assert_eq!(world.host.sandbox.charges(), 2);
    drop(running);
}

async fn renewal_may_have_another_price(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = instance.place("order-17", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    let dearer = NewCharge::satoshis(4300, "a pot of tea, this year");
    let new = instance.renew("order-17", dearer.clone()).await.unwrap();
    assert_eq!((new.new_charge(), new.amount().get()), (&dearer, 4300));
    assert_eq!(instance.place("order-17", dearer).await.unwrap(), new);
    let error = instance.place("order-17", tea()).await.unwrap_err();
    assert!(matches!(error, Error::DifferentOrder { field: "amount", .. }), "{error:?}");
}

async fn concurrent_renewals_with_two_prices_agree_on_one(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let _running = instances[0].run(&Till::default());
    let old = instances[0].place("order-17", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    let price = |call: u64| NewCharge::satoshis(4300 + call % 2, "a pot of tea");
    let calls = (0..10_u64).map(|call| instances[usize::from(call % 4 > 1)].renew("order-17", price(call)));
    let calls: Vec<_> = calls.collect();
    let mut invoices: Vec<_> = Vec::new();
    for result in futures_util::future::join_all(calls).await {
        match result {
            Ok(order) => invoices.push(order),
            Err(error) => assert!(matches!(error, Error::DifferentOrder { .. }), "{error:?}"),
        }
    }
    let shown = instances[0].order("order-17").await.unwrap();
    assert!(invoices.iter().all(|order| *order == shown), "{invoices:?}");
    assert_eq!(shown.attempt(), 2);
    assert_eq!(world.host.sandbox.charges(), 2);
}

async fn late_payment_of_an_expired_order_is_told(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    show(&world, &instance, &old).await;
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
    assert_eq!(instance.order("order-17").await.unwrap().state(), OrderState::Paid);
}

async fn late_payment_is_found_without_a_webhook(db: Database) {
    let world = World::new(db).await;
    let late_checks = |builder: DeskBuilder| builder.late_checks([seconds(3), seconds(5)]);
    let instance = world.instance_with(late_checks).await;
    let running = instance.run(&Till::default());
    let order = instance.place("order-17", tea().expiry_sec(1)).await.unwrap();
    world.host.hide(order.charge().id());
    world.pay(&order);
    world.until_sold(&["expired order-17 1"]).await;
    let reads = world.host.reads_of(order.charge().id());
    until("the first look", async || world.host.reads_of(order.charge().id()) > reads).await;
    world.host.show(order.charge().id());
    // The next look is due whichever instance runs then.
    drop(running);
    instance.crash();
    let instance = world.instance_with(late_checks).await;
    let _running = instance.run(&Till::default());
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
}

async fn late_payment_of_the_old_invoice_pays_a_renewed_order(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    let new = instance.renew("order-17", NewCharge::satoshis(4300, "dearer tea")).await.unwrap();
    assert_eq!(new.attempt(), 2);
    show(&world, &instance, &old).await;
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
    let order = instance.order("order-17").await.unwrap();
    assert_eq!((order.state(), order.attempt()), (OrderState::Paid, 1), "the paid invoice should be shown");
    assert_eq!(order.amount().get(), 4200);

    // The payer pays the new invoice, too.
    world.pay(&new);
    world.until_sold(&["expired order-17 1", "paid order-17 1", "paid_again order-17 2"]).await;
    let order = instance.order("order-17").await.unwrap();
    assert_eq!((order.state(), order.attempt()), (OrderState::Paid, 1));
}

async fn late_payment_after_the_new_invoice_was_paid_is_told_as_second(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    let new = instance.renew("order-17", tea()).await.unwrap();
    world.pay(&new);
    world.until_sold(&["expired order-17 1", "paid order-17 2"]).await;
    show(&world, &instance, &old).await;
    world.until_sold(&["expired order-17 1", "paid order-17 2", "paid_again order-17 1"]).await;
    let order = instance.order("order-17").await.unwrap();
    assert_eq!((order.state(), order.attempt()), (OrderState::Paid, 2));
}

async fn new_invoice_of_an_order_that_was_paid_late_expires_silently(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    let new = instance.renew("order-17", tea()).await.unwrap();
    show(&world, &instance, &old).await;
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
    world.expire(&new);
    until("the end of the new charge", async || {
        world.db.number("SELECT count(*) FROM strike_charges WHERE state = 'expired'").await == 1
    })
    .await;
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
}

async fn renew_finds_a_late_payment_itself(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    world.host.show(old.charge().id());
    let error = instance.renew("order-17", tea()).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyPaid { .. }), "{error:?}");
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
    let order = instance.renew("order-17", tea()).await.unwrap();
    assert_eq!((order.state(), world.host.sandbox.charges()), (OrderState::Paid, 1));
}

async fn late_payment_during_a_renewal_is_told_and_the_new_invoice_too(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = paid_but_expired(&world, &instance).await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::AfterHost, &gate);
    let call = instance.renew("order-17", tea());
    gate.arrived().await;
    show(&world, &instance, &old).await;
    world.until_sold(&["expired order-17 1", "paid order-17 1"]).await;
    gate.open();
    let order = call.await.unwrap();
    assert_eq!((order.state(), order.attempt()), (OrderState::Paid, 1));
}

on_both![
    renew_of_a_pending_order_returns_it,
    renew_of_an_unknown_order_is_not_found,
    renew_of_an_expired_order_creates_the_next_invoice,
    order_can_be_renewed_again_and_again,
    concurrent_renewals_on_two_desks_create_one_invoice,
    renewal_may_have_another_price,
    concurrent_renewals_with_two_prices_agree_on_one,
    late_payment_of_an_expired_order_is_told,
    late_payment_is_found_without_a_webhook,
    late_payment_of_the_old_invoice_pays_a_renewed_order,
    late_payment_after_the_new_invoice_was_paid_is_told_as_second,
    new_invoice_of_an_order_that_was_paid_late_expires_silently,
    renew_finds_a_late_payment_itself,
    late_payment_during_a_renewal_is_told_and_the_new_invoice_too,
];
