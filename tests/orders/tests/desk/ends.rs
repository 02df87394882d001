//! The stream of ends, and following one order.

use std::time::Duration;

use strike_orders::{Cursor, Desk, End, EndKind, Error, OrderState};

use crate::world::{Blocking, Database, Gate, Instance, Till, Trouble, World, notification, tea, until};

/// Reads this many ends after a cursor.
async fn read(desk: Desk, after: Cursor, count: usize) -> Vec<End> {
    let mut stream = desk.ends(after);
    let mut ends = Vec::new();
    while ends.len() < count {
        let end = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
        ends.push(end.expect("too few ends").unwrap());
    }
    ends
}

async fn ends_after(instance: &Instance, after: Cursor, count: usize) -> Vec<End> {
    instance.on(move |desk| read(desk, after, count)).await
}

fn names(ends: &[End]) -> Vec<&str> {
    ends.iter().map(|end| end.order.name()).collect()
}

async fn stream_returns_each_end_in_the_order_of_the_commits(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    let mut told = Vec::new();
    for number in 0..6 {
        let name = format!("order-{number}");
        let order = instances[number % 2].place(&name, tea()).await.unwrap();
        if number % 3 == 2 {
            world.expire(&order)
        } else {
            world.pay(&order)
        }
        until("the end", async || world.db.sales().await.len() == number + 1).await;
        told.push(name);
    }
    let ends = ends_after(&instances[0], Cursor::start(), 6).await;
    assert_eq!(names(&ends), told);
    let kinds: Vec<_> = ends.iter().map(|end| end.kind).collect();
    use EndKind::{Expired, Paid};
    assert_eq!(kinds, [Paid, Paid, Expired, Paid, Paid, Expired]);
    assert!(ends.is_sorted_by(|a, b| a.cursor < b.cursor && a.told_at <= b.told_at));
    assert_eq!(ends[2].order.state(), OrderState::Expired);
}

async fn stored_cursor_continues_after_the_end_that_it_names(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let running = instance.run(&Till::default());
    for number in 0..4 {
        let order = instance.place(&format!("order-{number}"), tea()).await.unwrap();
        world.pay(&order);
        until("the end", async || world.db.sales().await.len() == number + 1).await;
    }
    let first = ends_after(&instance, Cursor::start(), 2).await;
    let stored = first[1].cursor.to_string();
    instance.desk.stop();
    running.await.unwrap().unwrap();
    drop(instance);
    let instance = world.instance().await;
    let rest = ends_after(&instance, stored.parse().unwrap(), 2).await;
    assert_eq!(names(&rest), ["order-2", "order-3"]);
}

async fn stream_waits_for_ends_on_another_instance(db: Database) {
    let world = World::new(db).await;
    let [reader, runner] = world.two_instances().await;
    let _running = runner.run(&Till::default());
    let waiting = reader.on(|desk| read(desk, Cursor::start(), 1));
    let order = reader.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    assert_eq!(names(&waiting.await), ["order-17"]);
}

async fn stream_misses_no_end_that_is_committed_late(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let gate = Gate::new(Blocking::Task);
    let _running = instance.run(&Till::with([Trouble::Wait(gate.clone())]));
    let slow = instance.place("slow", tea()).await.unwrap();
    let quick = instance.place("quick", tea()).await.unwrap();
    world.pay(&slow);
    gate.arrived().await;
    world.pay(&quick);
    let waiting = instance.on(|desk| read(desk, Cursor::start(), 2));
    if matches!(world.db, Database::Postgres { .. }) {
        // The end of `quick` has a later id, and is committed earlier.
        until("the other end", async || world.db.sales().await == ["paid quick 1"]).await;
    }
    gate.open();
    let ends = waiting.await;
    let mut found = names(&ends);
    found.sort_unstable();
    assert_eq!(found, ["quick", "slow"]);
}

async fn stream_returns_every_end_of_concurrent_handlers(db: Database) {
    let world = World::new(db).await;
    let instances = world.two_instances().await;
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    let waiting = instances[0].on(|desk| read(desk, Cursor::start(), 40));
    let mut told = Vec::new();
    for number in 0..40 {
        let name = format!("order-{number:02}");
        let order = instances[number % 2].place(&name, tea()).await.unwrap();
        world.pay(&order);
        told.push(name);
    }
    let ends = waiting.await;
    let mut found = names(&ends);
    found.sort_unstable();
    assert_eq!(found, told);
}

async fn dropped_next_loses_no_end(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let reading = instance.on(|desk| async move {
        let (mut stream, mut names) = (desk.ends(Cursor::start()), Vec::new());
        while names.len() < 10 {
            // Most of these futures are dropped somewhere in the middle.
            if let Ok(end) = tokio::time::timeout(Duration::from_micros(300), stream.next()).await {
                names.push(end.unwrap().order.name().to_owned());
            }
        }
        names
    });
    let mut told = Vec::new();
    for number in 0..10 {
        let order = instance.place(&format!("order-{number}"), tea()).await.unwrap();
        world.pay(&order);
        told.push(order.name().to_owned());
    }
    let mut found = reading.await;
    found.sort_unstable();
    assert_eq!(found, told);
}

async fn both_payments_of_an_order_are_two_ends(db: Database) {
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
    let hint = notification(&old);
    instance.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    let ends = ends_after(&instance, Cursor::start(), 3).await;
    let found: Vec<_> = ends.iter().map(|end| (end.kind.as_str(), end.order.attempt())).collect();
    assert_eq!(found, [("expired", 1), ("paid", 2), ("paid_again", 1)]);
}

async fn invalid_cursor_is_refused(db: Database) {
    drop(db);
    for text in ["", "-", "-1", "a", "1-2", "1.0", " 1", "99999999999999999999"] {
        let error = text.parse::<Cursor>().unwrap_err();
        assert!(matches!(error, Error::InvalidCursor), "{text:?}: {error:?}");
    }
}

async fn followed_order_changes_with_each_state_and_invoice(db: Database) {
    let world = World::new(db).await;
    let [shop, runner] = world.two_instances().await;
    let _running = runner.run(&Till::default());
    let old = shop.place("order-17", tea()).await.unwrap();
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let desk = shop.desk.clone();
    let _following = shop.spawn(async move {
        let mut order = desk.follow("order-17");
        loop {
            let order = order.next().await.unwrap();
            let _ = sender.send((order.state(), order.attempt()));
        }
    });
    let mut next =
        async || tokio::time::timeout(Duration::from_secs(60), seen.recv()).await.unwrap().unwrap();
    assert_eq!(next().await, (OrderState::Pending, 1));
    world.expire(&old);
    assert_eq!(next().await, (OrderState::Expired, 1));
    let new = runner.renew("order-17", tea()).await.unwrap();
    assert_eq!(next().await, (OrderState::Pending, 2));
    world.pay(&new);
    assert_eq!(next().await, (OrderState::Paid, 2));
}

async fn follow_of_an_unknown_order_is_not_found(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let error = instance.on(|desk| async move { desk.follow("order-17").next().await.unwrap_err() }).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

on_both![
    stream_returns_each_end_in_the_order_of_the_commits,
    stored_cursor_continues_after_the_end_that_it_names,
    stream_waits_for_ends_on_another_instance,
    stream_misses_no_end_that_is_committed_late,
    stream_returns_every_end_of_concurrent_handlers,
    dropped_next_loses_no_end,
    both_payments_of_an_order_are_two_ends,
    invalid_cursor_is_refused,
    followed_order_changes_with_each_state_and_invoice,
    follow_of_an_unknown_order_is_not_found,
];
