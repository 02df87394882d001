//! Handlers that fail: the sale and the end are committed together, or not at all.

use strike_orders::{Event, OrderState};

use crate::world::{Blocking, Database, Gate, Till, Trouble, World, millis, tea, until};

const FAILURES: &str = "SELECT handler_failures FROM strike_charges";
const ERRORS: &str = "SELECT coalesce(handler_error, '') FROM strike_charges";

async fn until_failures(world: &World, failures: i64) {
    until("a failed handler", async || world.db.number(FAILURES).await >= failures).await;
}

/// Checks that a failure is rolled back and visible, and that the event is told again.
async fn assert_told_again(db: Database, trouble: Trouble, wanted_error: &str) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let till = Till::with([trouble]);
    let _running = instance.run(&till);
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    until_failures(&world, 1).await;
    let errors = world.db.texts(ERRORS).await;
    // It may be told again already.
    if till.calls() == 1 {
        assert!(errors[0].contains(wanted_error), "{errors:?}");
    }
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!((till.calls(), world.db.number(FAILURES).await), (2, 1));
    assert_eq!(instance.order("order-17").await.unwrap().state(), OrderState::Paid);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_ends").await, 1);
}

async fn event_is_told_again_after_an_error(db: Database) {
    let trouble = Trouble::Error("the printer is out of paper".to_owned());
    assert_told_again(db, trouble, "the printer is out of paper").await;
}

async fn event_is_told_again_after_a_panic(db: Database) {
    let trouble = Trouble::Panic("the printer is on fire".to_owned());
    assert_told_again(db, trouble, "the printer is on fire").await;
}

async fn event_is_told_again_after_an_error_that_is_hard_to_store(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let till = Till::with([Trouble::Error(format!("zero \0 and {}", "long ".repeat(200_000)))]);
    let _running = instance.run(&till);
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    until_failures(&world, 1).await;
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(till.calls(), 2);
    let health = instance.on(|desk| async move { desk.health().await.unwrap() }).await;
    assert!(health.is_healthy());
    let length = world.db.number("SELECT CAST(length(handler_error) AS BIGINT) FROM strike_charges WHERE handler_error IS NOT NULL UNION ALL SELECT 0").await;
    assert!(length < 10_000, "{length} characters of an error are kept");
}

async fn failed_handler_leaves_no_sale_and_the_order_pending(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    let till = Till::with([Trouble::Error("no paper".to_owned()), Trouble::Wait(gate.clone())]);
    let _running = instance.run(&till);
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    // The second call has booked the sale, and is not committed.
    gate.arrived().await;
    assert_eq!(world.db.sales().await, [""; 0]);
    assert_eq!(instance.order("order-17").await.unwrap().state(), OrderState::Pending);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_ends").await, 0);
    gate.open();
    world.until_sold(&["paid order-17 1"]).await;
}

async fn expiry_is_told_again_after_an_error(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let till = Till::with([Trouble::Error("no paper".to_owned())]);
    let _running = instance.run(&till);
    let order = instance.place("order-17", tea()).await.unwrap();
    world.expire(&order);
    world.until_sold(&["expired order-17 1"]).await;
    assert_eq!(till.calls(), 2);
}

async fn failing_handler_waits_longer_each_time(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let error = || Trouble::Error("no paper".to_owned());
    let _running = instance.run(&Till::with([error(), error()]));
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    let wait = "SELECT handler_retry_at FROM strike_charges WHERE handler_failures = 2";
    let mut retry_at = Vec::new();
    until("the second failure", async || {
        retry_at = world.db.numbers(wait).await;
        !retry_at.is_empty()
    })
    .await;
    let now = i64::try_from(crate::world::system_time().as_millis()).unwrap();
    assert!((1_000..2_100).contains(&(retry_at[0] - now)), "{}", retry_at[0] - now);
    world.until_sold(&["paid order-17 1"]).await;
}

async fn failing_handler_does_not_delay_other_orders(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let errors = (0..2).map(|_| Trouble::Error("no paper".to_owned()));
    let _running = instance.run(&Till::with(errors));
    let first = instance.place("first", tea()).await.unwrap();
    world.pay(&first);
    until_failures(&world, 1).await;
    let second = instance.place("second", tea()).await.unwrap();
    world.pay(&second);
    world.until_sold(&["paid first 1", "paid second 1"]).await;
}

async fn failed_event_is_told_by_another_instance_after_a_crash(db: Database) {
    let world = World::new(db).await;
    let [first, second] = world.two_instances().await;
    let running = first.run(&Till::with([Trouble::Error("no paper".to_owned())]));
    let order = first.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    until_failures(&world, 1).await;
    drop(running);
    first.crash();
    let _running = second.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

async fn slow_handler_is_given_up_and_told_again(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance_with(|builder| builder.handler_timeout(millis(200))).await;
    let gate = Gate::new(Blocking::Task);
    let till = Till::with([Trouble::Wait(gate.clone())]);
    let _running = instance.run(&till);
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    gate.arrived().await;
    until_failures(&world, 1).await;
    world.until_sold(&["paid order-17 1"]).await;
    gate.open();
    assert_eq!(till.calls(), 2);
}

async fn handler_that_ignores_an_error_of_the_database_is_told_again(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let (till, desk) = (Till::default(), instance.desk.clone());
    let told = till.clone();
    let _running = instance.spawn(async move {
        desk.run(async move |event, tx| {
            let result = told.handle(&event, tx).await;
            if told.calls() == 1 {
                let sql = "INSERT INTO no_such_table VALUES (1)";
                match tx.connection() {
                    strike_orders::Connection::Sqlite(c) => drop(sqlx::raw_sql(sql).execute(c).await),
                    strike_orders::Connection::Postgres(c) => drop(sqlx::raw_sql(sql).execute(c).await),
                }
            }
            result
        })
        .await
    });
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    // PostgreSQL gives the transaction up after an error, SQLite goes on.
    world.until_sold(&["paid order-17 1"]).await;
    assert_eq!(world.db.number("SELECT count(*) FROM strike_ends").await, 1);
}

async fn handler_gets_the_paid_charge_and_the_order_as_it_becomes(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let desk = instance.desk.clone();
    let _running = instance.spawn(async move {
        desk.run(async move |event, _tx| {
            let _ = sender.send(event);
            Ok(())
        })
        .await
    });
    let ordered = tea().customer_id("customer-3");
    let placed = instance.place("order-17", ordered.clone()).await.unwrap();
    world.pay(&placed);
    let Some(Event::Paid { order, charge }) = receiver.recv().await else { panic!("the order is paid") };
    assert_eq!((charge.id(), charge.amount().get()), (placed.charge().id(), 4200));
    assert_eq!((order.name(), order.state(), order.new_charge()), ("order-17", OrderState::Paid, &ordered));
    assert!(order.charge().is_paid() && order.ended_at() >= Some(order.placed_at()));
    until("the end", async || instance.order("order-17").await.unwrap() == order).await;
}

async fn crash_in_a_handler_rolls_back_and_the_event_is_told_again(db: Database) {
    let world = World::new(db).await;
    let [first, second] = world.two_instances().await;
    let gate = Gate::new(Blocking::Task);
    let running = first.run(&Till::with([Trouble::Wait(gate.clone())]));
    let order = first.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    gate.arrived().await;
    drop(running);
    first.crash();
    let _running = second.run(&Till::default());
    world.until_sold(&["paid order-17 1"]).await;
}

async fn handler_can_read_the_transaction_of_its_own_database_only(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let desk = instance.desk.clone();
    let _running = instance.spawn(async move {
        desk.run(async move |_, tx| {
            let errors = [tx.sqlite().err(), tx.postgres().err()];
            let _ = sender.send(errors.map(|error| error.map(|error| error.to_string())));
            Ok(())
        })
        .await
    });
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    let [sqlite, postgres] = receiver.recv().await.unwrap();
    let (error, advice) = match &world.db {
        Database::Sqlite(_) => (postgres, "tx.sqlite()"),
        Database::Postgres { .. } => (sqlite, "tx.postgres()"),
    };
    assert!(error.as_ref().is_some_and(|error| error.contains(advice)), "{error:?}");
}

on_both![
    event_is_told_again_after_an_error,
    event_is_told_again_after_a_panic,
    event_is_told_again_after_an_error_that_is_hard_to_store,
    failed_handler_leaves_no_sale_and_the_order_pending,
    expiry_is_told_again_after_an_error,
    failing_handler_waits_longer_each_time,
    failing_handler_does_not_delay_other_orders,
    failed_event_is_told_by_another_instance_after_a_crash,
    slow_handler_is_given_up_and_told_again,
    handler_that_ignores_an_error_of_the_database_is_told_again,
    handler_gets_the_paid_charge_and_the_order_as_it_becomes,
    crash_in_a_handler_rolls_back_and_the_event_is_told_again,
    handler_can_read_the_transaction_of_its_own_database_only,
];
