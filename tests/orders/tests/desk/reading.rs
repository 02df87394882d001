//! Reading: orders by name and in pages, totals for each day, and the health check.

use strike_async::{NewCharge, UnixMillis};
use strike_orders::{DayTotal, Health, OrderFilter, OrderState};

use crate::world::{Database, Instance, Till, Trouble, World, seconds, system_time, tea, until};

/// Reads all pages of a filter.
async fn pages(instance: &Instance, filter: OrderFilter) -> Vec<Vec<String>> {
    let mut filter = filter;
    let mut pages = Vec::new();
    loop {
        let asked = filter.clone();
        let page = instance.on(|desk| async move { desk.orders(&asked).await.unwrap() }).await;
        let Some(last) = page.last() else { return pages };
        filter = filter.after(last);
        pages.push(page.iter().map(|order| order.name().to_owned()).collect());
        assert!(pages.len() < 100, "the pages do not end");
    }
}

async fn pages_return_each_order_once_newest_first(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    for number in 1..=5 {
        instance.place(&format!("order-{number}"), tea()).await.unwrap();
    }
    let all = OrderFilter::all();
    let found = pages(&instance, all.clone().page_size(2)).await;
    assert_eq!(found, [vec!["order-5", "order-4"], vec!["order-3", "order-2"], vec!["order-1"]]);
    assert_eq!(pages(&instance, all.clone()).await.len(), 1);
    // A page has at least one order.
    assert_eq!(pages(&instance, all.page_size(0)).await.len(), 5);
}

async fn new_order_between_two_pages_repeats_none(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    for name in ["order-1", "order-2"] {
        instance.place(name, tea()).await.unwrap();
    }
    let filter = OrderFilter::all().page_size(1);
    let asked = filter.clone();
    let first = instance.on(|desk| async move { desk.orders(&asked).await.unwrap() }).await;
    instance.place("order-3", tea()).await.unwrap();
    let rest = pages(&instance, filter.after(&first[0])).await;
    assert_eq!((first[0].name(), rest), ("order-2", vec![vec!["order-1".to_owned()]]));
}

async fn filter_returns_orders_in_one_state(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let [paid, expired] =
        [instance.place("paid", tea()).await.unwrap(), instance.place("expired", tea()).await.unwrap()];
    world.pay(&paid);
    world.expire(&expired);
    world.until_sold(&["paid paid 1", "expired expired 1"]).await;
    instance.place("pending", tea()).await.unwrap();
    for (state, name) in
        [(OrderState::Paid, "paid"), (OrderState::Expired, "expired"), (OrderState::Pending, "pending")]
    {
        assert_eq!(pages(&instance, OrderFilter::all().state(state)).await, [[name]]);
    }
    assert!(pages(&instance, OrderFilter::all().state(OrderState::Failed)).await.is_empty());
}

async fn unknown_order_is_none(db: Database) {
    let world = World::new(db).await;
    assert_eq!(world.instance().await.order("order-17").await, None);
}

async fn totals(instance: &Instance, from: u64, to: u64) -> Vec<(u64, u64, u64)> {
    let (from, to) = (UnixMillis::from_millis(from), UnixMillis::from_millis(to));
    let totals = instance.on(move |desk| async move { desk.totals(from, to).await.unwrap() }).await;
    let total = |total: &DayTotal| (total.day_start.as_millis(), total.orders, total.satoshi.get());
    totals.iter().map(total).collect()
}

async fn totals_count_paid_orders_by_the_utc_day(db: Database) {
    const DAY: u64 = 86_400_000;
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let names = ["last-of-day-1", "first-of-day-2", "later-on-day-2", "day-4"];
    for (number, name) in (0..).zip(names) {
        let order = instance.place(name, NewCharge::satoshis(1000 << number, "tea")).await.unwrap();
        world.pay(&order);
    }
    let unpaid = instance.place("unpaid", tea()).await.unwrap();
    world.expire(&unpaid);
    let sold = names.map(|name| format!("paid {name} 1"));
    let mut sold: Vec<_> = sold.iter().map(String::as_str).collect();
    sold.push("expired unpaid 1");
    world.until_sold(&sold).await;
    // Moves each end to a time at the border of a day. A test cannot move the database's clock.
    world
        .db
        .execute(
            "UPDATE strike_ends SET told_at = (SELECT CASE o.name \
               WHEN 'last-of-day-1' THEN 86400000 * 2 - 1 WHEN 'first-of-day-2' THEN 86400000 * 2 \
               WHEN 'later-on-day-2' THEN 86400000 * 2 + 5 ELSE 86400000 * 4 + 5 END \
             FROM strike_charges c JOIN strike_orders o ON o.id = c.order_id WHERE c.id = strike_ends.charge)",
        )
        .await;
    let expected = [(DAY, 1, 1000), (2 * DAY, 2, 2000 + 4000), (4 * DAY, 1, 8000)];
    assert_eq!(totals(&instance, 0, 10 * DAY).await, expected);
    assert_eq!(totals(&instance, 2 * DAY, 4 * DAY).await, expected[1..2]);
    assert_eq!(totals(&instance, 2 * DAY - 1, 2 * DAY).await, expected[..1]);
    assert_eq!(totals(&instance, 2 * DAY, 2 * DAY).await, []);
    assert_eq!(totals(&instance, 5 * DAY, u64::MAX).await, []);
}

async fn second_payment_of_an_order_does_not_count_in_totals(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let old = instance.place("order-17", tea()).await.unwrap();
    world.host.hide(old.charge().id());
    world.pay(&old);
    world.expire(&old);
    world.until_sold(&["expired order-17 1"]).await;
    let new = instance.renew("order-17", tea()).await.unwrap();
    world.pay(&new);
    world.until_sold(&["expired order-17 1", "paid order-17 2"]).await;
    world.host.show(old.charge().id());
    let hint = crate::world::notification(&old);
    instance.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    world.until_sold(&["expired order-17 1", "paid order-17 2", "paid_again order-17 1"]).await;
    let found = totals(&instance, 0, i64::MAX.unsigned_abs()).await;
    assert_eq!(found.iter().map(|day| (day.1, day.2)).collect::<Vec<_>>(), [(1, 4200)]);
}

async fn health(instance: &Instance) -> Health {
    instance.on(|desk| async move { desk.health().await.unwrap() }).await
}

async fn health_shows_whether_an_instance_runs(db: Database) {
    let world = World::new(db).await;
    let [shop, runner] = world.two_instances().await;
    assert!(!health(&shop).await.is_healthy());
    let order = shop.place("order-17", tea()).await.unwrap();
    let running = runner.run(&Till::default());
    until("the charge to be held", async || health(&shop).await.held == 1).await;
    let (here, there) = (health(&shop).await, health(&runner).await);
    assert!(here.is_healthy() && there.is_healthy());
    assert_eq!((here.runners, here.runs_here, here.lease_age), (1, false, None));
    assert_eq!((there.runners, there.runs_here), (1, true));
    assert!(there.lease_age.unwrap() < seconds(60));
    let oldest = here.oldest_pending.unwrap();
    assert_eq!(oldest, order.placed_at());
    assert!(oldest <= system_time());
    runner.desk.stop();
    running.await.unwrap().unwrap();
    let stopped = health(&runner).await;
    assert!(!stopped.is_healthy() && !stopped.runs_here);
    assert_eq!((stopped.runners, stopped.held), (0, 0));
}

async fn health_does_not_count_a_lapsed_lease(db: Database) {
    let world = World::new(db).await;
    let [shop, runner] = world.two_instances().await;
    let running = runner.run(&Till::default());
    until("the lease", async || health(&shop).await.is_healthy()).await;
    drop(running);
    runner.crash();
    until("the lease to lapse", async || !health(&shop).await.is_healthy()).await;
    assert_eq!(health(&shop).await.runners, 0);
    // Nobody has removed it yet.
    assert_eq!(world.db.number("SELECT count(*) FROM strike_leases").await, 1);
}

async fn health_shows_a_failing_handler_until_it_succeeds(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let errors = (0..2).map(|_| Trouble::Error("the printer is out of paper".to_owned()));
    let _running = instance.run(&Till::with(errors));
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    let mut failing = health(&instance).await;
    until("a failing handler", async || {
        failing = health(&instance).await;
        failing.failing_handlers == 1
    })
    .await;
    assert!(!failing.is_healthy());
    assert_eq!(failing.handler_error.as_deref(), Some("the printer is out of paper"));
    world.until_sold(&["paid order-17 1"]).await;
    let healthy = health(&instance).await;
    assert!(healthy.is_healthy(), "{healthy:?}");
    assert_eq!((healthy.handler_error, healthy.oldest_pending), (None, None));
}

on_both![
    pages_return_each_order_once_newest_first,
    new_order_between_two_pages_repeats_none,
    filter_returns_orders_in_one_state,
    unknown_order_is_none,
    totals_count_paid_orders_by_the_utc_day,
    second_payment_of_an_order_does_not_count_in_totals,
    health_shows_whether_an_instance_runs,
    health_does_not_count_a_lapsed_lease,
    health_shows_a_failing_handler_until_it_succeeds,
];
