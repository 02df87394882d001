//! A watch that others add to, hint at and end, by the system's clocks, in both adapters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::mpsc;
use std::time::Duration;

use strike_core::{ApiKey, Endpoint, Event, NewCharge, Schedule};
use strike_sandbox::{RunningSandbox, Sandbox};

/// So rare that only a hint can be the cause of a look within the test.
fn rare() -> Schedule {
    Schedule::every(Duration::from_secs(1800))
}

fn shop() -> (RunningSandbox, Endpoint) {
    let sandbox = Sandbox::builder().start().unwrap();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let at = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    (sandbox, at)
}

fn paid(event: Event) -> String {
    match event {
        Event::Paid(charge) => charge.id().to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hint_wakes_a_blocking_watch_and_the_last_handle_ends_it() {
    let (sandbox, at) = shop();
    let client = strike_blocking::Client::new(at).unwrap();
    let watch = client.watch(client.watcher().schedule(rare()));
    let handle = watch.handle();
    let (events, seen) = mpsc::channel();
    let watching = std::thread::spawn(move || {
        for event in watch {
            events.send(paid(event.unwrap())).unwrap();
        }
    });
    // Nothing is pending, and the watch waits for the handle.
    for amount in 1..=3 {
        let charge = client.create(NewCharge::satoshis(amount, "")).unwrap();
        handle.add(&charge);
        sandbox.pay(charge.id()).unwrap();
        handle.clone().hint(charge.id());
        assert_eq!(seen.recv().unwrap(), charge.id().as_str());
        assert!(handle.state().is_empty());
    }
    let removed = client.create(NewCharge::satoshis(4, "")).unwrap();
    handle.add(&removed);
    assert_eq!(handle.state().len(), 1);
    assert!(handle.remove(removed.id()) && !handle.remove(removed.id()));
    drop(handle);
    watching.join().unwrap();
    assert!(seen.recv().is_err(), "no other event came");
}

#[tokio::test]
async fn a_hint_wakes_an_async_watch_and_the_last_handle_ends_it() {
    let (sandbox, at) = shop();
    let client = strike_async::Client::new(at).unwrap();
    let mut watch = client.watch(client.watcher().schedule(rare()));
    let handle = watch.handle();
    let (events, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let watching = tokio::spawn(async move {
        while let Some(event) = watch.next().await {
            events.send(paid(event.unwrap())).unwrap();
        }
    });
    for amount in 1..=3 {
        let charge = client.create(NewCharge::satoshis(amount, "")).await.unwrap();
        handle.add(&charge);
        sandbox.pay(charge.id()).unwrap();
        handle.clone().hint(charge.id());
        assert_eq!(seen.recv().await.unwrap(), charge.id().as_str());
        assert!(handle.state().is_empty());
    }
    let removed = client.create(NewCharge::satoshis(4, "")).await.unwrap();
    handle.add(&removed);
    assert_eq!(handle.state().len(), 1);
    assert!(handle.remove(removed.id()) && !handle.remove(removed.id()));
    drop(handle);
    watching.await.unwrap();
    assert!(seen.recv().await.is_none(), "no other event came");
}
