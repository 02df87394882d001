//! `place`: one name, one order, one invoice.

use strike_async::{ErrorKind, NewCharge};
use strike_orders::{Error, Order, OrderState};
use strike_sandbox::faults::{Fault, Match, Plan};

use crate::world::{Blocking, Database, Gate, Moment, Till, World, seconds, tea, until};

/// What the payer sees of an order.
fn shown(order: &Order) -> (&str, u32, &str) {
    (order.name(), order.attempt(), order.payment_request())
}

async fn placed_order_is_returned_as_it_was_ordered(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let ordered = tea().customer_id("customer-3").expiry_sec(600);
    let before = world.host.sandbox.now();
    let order = instance.place("order-17", ordered.clone()).await.unwrap();
    assert_eq!((order.name(), order.attempt(), order.state()), ("order-17", 1, OrderState::Pending));
    assert_eq!((order.new_charge(), order.amount().get(), order.ended_at()), (&ordered, 4200, None));
    let lifetime = order.expires_at().as_millis() - before.as_millis() / 1000 * 1000;
    assert!((600_000..610_000).contains(&lifetime), "{lifetime}");
    assert_eq!(instance.order("order-17").await, Some(order));
}

async fn same_name_is_the_same_order(db: Database) {
    let world = World::new(db).await;
    let [here, there] = world.two_instances().await;
    let first = here.place("order-17", tea()).await.unwrap();
    assert_eq!(here.place("order-17", tea()).await.unwrap(), first);
    assert_eq!(there.place("order-17", tea()).await.unwrap(), first);
    assert_eq!(world.host.requests(), 1, "the second place should read the database only");
}

async fn concurrent_places_on_two_desks_create_one_charge(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let calls: Vec<_> = (0..20).map(|call| instances[call % 2].place("order-17", tea())).collect();
    let orders = futures_util::future::join_all(calls).await;
    let first = orders[0].as_ref().unwrap();
    assert!(orders.iter().all(|order| shown(order.as_ref().unwrap()) == shown(first)));
    assert_eq!((world.host.creates(), world.host.sandbox.charges()), (1, 1));
}

async fn names_that_differ_only_in_case_or_spaces_are_different_orders(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let longest = "ö".repeat(200);
    let names = ["order", "Order", "order ", "%", "'; DROP TABLE strike_orders; --", "🫖", &longest];
    for name in names {
        assert_eq!(instance.place(name, tea()).await.unwrap().name(), name);
    }
    assert_eq!(world.host.creates(), names.len());
    for name in names {
        assert_eq!(instance.order(name).await.unwrap().name(), name);
    }
}

async fn same_name_for_something_else_is_refused(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    instances[0].place("order-17", tea().customer_id("3")).await.unwrap();
    let requests = world.host.requests();
    let others = [
        (NewCharge::satoshis(4201, "a pot of tea").customer_id("3"), "amount"),
        (NewCharge::satoshis(4200, "a cup of tea").customer_id("3"), "description"),
        (tea().customer_id("4"), "customer_id"),
        (tea(), "customer_id"),
    ];
    for (other, differs) in others {
        for instance in &instances {
            let error = instance.place("order-17", other.clone()).await.unwrap_err();
            assert!(matches!(error, Error::DifferentOrder { field, .. } if field == differs), "{error:?}");
            assert!(error.to_string().contains("order-17") && !error.is_retryable(), "{error}");
        }
    }
    assert_eq!(world.host.requests(), requests);
}

async fn invalid_input_is_refused_before_anything_is_written_or_sent(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let too_long = "n".repeat(201);
    for name in ["", "\n", "a\0b", "order\u{7f}", too_long.as_str()] {
        let error = instance.place(name, tea()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidName { .. }), "{name:?}: {error:?}");
        let error = instance.renew(name, tea()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidName { .. }), "{name:?}: {error:?}");
    }
    let orders = [
        NewCharge::satoshis(0, "nothing"),
        NewCharge::satoshis(5_000_000, "above the limit of the host"),
        NewCharge::satoshis(1, "d".repeat(257)),
        // The order's key takes the rest of the host's limit.
        tea().customer_id("c".repeat(41)),
        tea().expiry_sec(0),
    ];
    for order in orders {
        let error = instance.place("order-17", order).await.unwrap_err();
        let is_invalid =
            matches!(&error, Error::Client(error) if matches!(error.kind(), ErrorKind::InvalidInput(_)));
        assert!(is_invalid && !error.is_retryable(), "{error:?}");
    }
    assert_eq!(world.host.requests(), 0);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_orders").await, 0);
}

async fn longest_texts_and_odd_characters_are_kept(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let texts = ["d".repeat(256), "tea for \u{1fad6} & \"two\" \\ '%_'".to_owned(), String::new()];
    for (number, text) in texts.into_iter().enumerate() {
        let ordered = NewCharge::satoshis(1, text).customer_id("ö".repeat(40));
        let name = format!("order-{number}");
        let order = instance.place(&name, ordered.clone()).await.unwrap();
        assert_eq!(*order.new_charge(), ordered);
        assert_eq!(instance.place(&name, ordered).await.unwrap(), order);
    }
}

async fn nul_character_is_refused_on_every_database(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    for (ordered, at) in
        [(NewCharge::satoshis(1, "tea\0"), "description"), (tea().customer_id("\0"), "customer_id")]
    {
        let error = instance.place("order-17", ordered).await.unwrap_err();
        assert!(matches!(error, Error::NulCharacter { field } if field == at), "{error:?}");
        assert!(!error.is_retryable(), "{error:?}");
    }
    assert_eq!(world.host.requests(), 0);
}

async fn refused_create_leaves_nothing_and_frees_the_name(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let refuse = Fault::status(strike_async::http::StatusCode::BAD_REQUEST).processed(false);
    world.host.sandbox.add_faults(Plan::new().on(Match::create().first(1), refuse));
    let error = instance.place("order-17", tea()).await.unwrap_err();
    assert!(matches!(error, Error::Client(_)), "{error:?}");
    assert_eq!(instance.order("order-17").await, None);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_orders").await, 0);
    assert_eq!(world.db.number("SELECT count(*) FROM strike_charges").await, 0);
    let order = instance.place("order-17", NewCharge::satoshis(100, "a biscuit")).await.unwrap();
    assert_eq!(order.amount().get(), 100);
}

async fn place_after_an_unknown_outcome_returns_the_charge(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let plan = Plan::new().on(Match::create().first(1), Fault::close()).on(Match::list(), Fault::close());
    world.host.sandbox.add_faults(plan);
    let error = instance.place("order-17", tea()).await.unwrap_err();
    assert!(error.is_retryable() && matches!(error, Error::Client(_)), "{error:?}");
    assert_eq!(instance.order("order-17").await, None);
    world.host.sandbox.clear_faults();
    let order = instance.place_patiently("order-17", tea()).await;
    assert_eq!((world.host.creates(), world.host.sandbox.charges()), (1, 1));
    assert!(world.host.sandbox.charge(order.charge().id()).is_some());
}

async fn different_order_is_refused_after_an_unknown_outcome(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let plan = Plan::new().on(Match::create().first(1), Fault::close()).on(Match::list(), Fault::close());
    world.host.sandbox.add_faults(plan);
    instance.place("order-17", tea()).await.unwrap_err();
    world.host.sandbox.clear_faults();
    let error = instance.place("order-17", NewCharge::satoshis(100, "a biscuit")).await.unwrap_err();
    assert!(matches!(error, Error::DifferentOrder { field: "amount", .. }), "{error:?}");
}

async fn runner_finishes_a_create_with_an_unknown_outcome(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let plan = Plan::new().on(Match::create().first(1), Fault::close()).on(Match::list(), Fault::close());
    world.host.sandbox.add_faults(plan);
    instance.place("order-17", tea()).await.unwrap_err();
    world.host.sandbox.clear_faults();
    let _running = instance.run(&Till::default());
    until("the order", async || instance.order("order-17").await.is_some()).await;
    assert_eq!(world.host.sandbox.charges(), 1);
}

async fn dropped_place_still_creates_the_invoice(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::BeforeHost, &gate);
    let desk = instance.desk.clone();
    let call = instance.spawn(async move { desk.place("order-17", tea()).await });
    gate.arrived().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    gate.open();
    until("the order", async || instance.order("order-17").await.is_some()).await;
    assert_eq!(world.host.creates(), 1);
}

async fn place_on_another_desk_waits_for_a_create_under_way(db: Database) {
    let world = World::new(db).await;
    let [here, there] = world.two_instances().await;
    let gate = Gate::new(Blocking::Task);
    here.wire.hold_create(Moment::BeforeHost, &gate);
    let first = here.place("order-17", tea());
    gate.arrived().await;
    let desk = there.desk.clone();
    let second = there.spawn(async move { desk.place("order-17", tea()).await });
    for _ in 0..20 {
        assert_eq!(here.order("order-17").await, None, "an order without an invoice should not be shown");
    }
    assert!(!second.is_finished());
    gate.open();
    let (first, second) = (first.await.unwrap(), second.await.unwrap().unwrap());
    assert_eq!((shown(&first), world.host.requests()), (shown(&second), 1));
}

async fn many_places_at_once_need_few_connections(db: Database) {
    let world = World::new(db).await;
    let instance =
        world.instance_with(|builder| builder.max_connections(1).create_timeout(seconds(30))).await;
    let _running = instance.run(&Till::default());
    let calls: Vec<_> = (0..100).map(|number| instance.place(&format!("order-{number}"), tea())).collect();
    for order in futures_util::future::join_all(calls).await {
        order.unwrap();
    }
    assert_eq!((world.host.creates(), world.host.sandbox.charges()), (100, 100));
}

async fn slow_create_times_out_and_a_later_place_returns_its_charge(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    instance.wire.hold_create(Moment::AfterHost, &gate);
    let error = instance.place("order-17", tea()).await.unwrap_err();
    assert!(matches!(error, Error::CreateTimedOut { seconds: 1, .. }) && error.is_retryable(), "{error:?}");
    gate.open();
    instance.place_patiently("order-17", tea()).await;
    assert_eq!((world.host.creates(), world.host.sandbox.charges()), (1, 1));
}

async fn invoice_for_another_amount_is_never_shown(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    world.host.cheat(true);
    let error = instance.place("order-17", tea()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Client(error) if matches!(error.kind(), ErrorKind::Mismatch(_))),
        "{error:?}"
    );
    assert_eq!(world.host.sandbox.list_all()[0].amount().get(), 4300);
    assert_eq!(instance.order("order-17").await, None);
    let again = instance.place("order-17", tea()).await;
    assert!(again.is_err(), "{again:?}");
}

async fn place_of_an_ended_order_returns_its_end(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let paid = instance.place("paid", tea()).await.unwrap();
    let expired = instance.place("expired", tea()).await.unwrap();
    world.pay(&paid);
    world.expire(&expired);
    let _running = instance.run(&Till::default());
    world.until_sold(&["paid paid 1", "expired expired 1"]).await;
    let creates = world.host.creates();
    assert_eq!(instance.place("paid", tea()).await.unwrap().state(), OrderState::Paid);
    let expired = instance.place("expired", tea()).await.unwrap();
    assert_eq!((expired.state(), expired.attempt()), (OrderState::Expired, 1));
    assert!(expired.ended_at().is_some());
    assert_eq!(world.host.creates(), creates);
}

on_both![
    placed_order_is_returned_as_it_was_ordered,
    same_name_is_the_same_order,
    concurrent_places_on_two_desks_create_one_charge,
    names_that_differ_only_in_case_or_spaces_are_different_orders,
    same_name_for_something_else_is_refused,
    invalid_input_is_refused_before_anything_is_written_or_sent,
    longest_texts_and_odd_characters_are_kept,
    nul_character_is_refused_on_every_database,
    refused_create_leaves_nothing_and_frees_the_name,
    place_after_an_unknown_outcome_returns_the_charge,
    different_order_is_refused_after_an_unknown_outcome,
    runner_finishes_a_create_with_an_unknown_outcome,
    dropped_place_still_creates_the_invoice,
    place_on_another_desk_waits_for_a_create_under_way,
    many_places_at_once_need_few_connections,
    slow_create_times_out_and_a_later_place_returns_its_charge,
    invoice_for_another_amount_is_never_shown,
    place_of_an_ended_order_returns_its_end,
];
