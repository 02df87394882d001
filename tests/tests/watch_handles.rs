//! Watch handles in both adapters, with the system clock: add, remove, hint, and end when the last
//! handle is dropped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use strike_core::http::{Method, Response};
use strike_core::{ApiKey, Endpoint, Event, Exchange, NewCharge, Reply, RetryPolicy, Schedule};
use strike_sandbox::{RunningSandbox, Sandbox};

/// A schedule so slow that within the test only a hint can trigger a read.
fn half_hourly() -> Schedule {
    Schedule::every(Duration::from_secs(1800))
}

fn shop() -> (RunningSandbox, Endpoint) {
    let sandbox = Sandbox::builder().start().unwrap();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let endpoint = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    (sandbox, endpoint)
}

fn paid(event: Event) -> String {
    match event {
        Event::Paid(charge) => charge.id().to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hint_wakes_blocking_watch_and_dropping_last_handle_ends_it() {
    let (sandbox, endpoint) = shop();
    let client = strike_blocking::Client::new(endpoint).unwrap();
    let watch = client.watch(client.watcher().schedule(half_hourly()));
    let handle = watch.handle();
    let (events, seen) = mpsc::channel();
    let watching = std::thread::spawn(move || {
        for event in watch {
            events.send(paid(event.unwrap())).unwrap();
        }
    });
    // The watcher is still empty, so the watch waits for the handle.
    for amount in 1..=3 {
        let charge = client.create(NewCharge::satoshis(amount, "")).unwrap();
        handle.add(&charge);
        sandbox.pay(charge.id()).unwrap();
        handle.clone().check_soon(charge.id());
        assert_eq!(seen.recv().unwrap(), charge.id().as_str());
        assert!(handle.snapshot().is_empty());
    }
    let removed = client.create(NewCharge::satoshis(4, "")).unwrap();
    handle.add(&removed);
    assert_eq!(handle.snapshot().len(), 1);
    assert!(handle.remove(removed.id()) && !handle.remove(removed.id()));
    drop(handle);
    watching.join().unwrap();
    assert!(seen.recv().is_err(), "there should be no further event");
}

#[tokio::test]
async fn hint_wakes_async_watch_and_dropping_last_handle_ends_it() {
    let (sandbox, endpoint) = shop();
    let client = strike_async::Client::new(endpoint).unwrap();
    let mut watch = client.watch(client.watcher().schedule(half_hourly()));
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
        handle.clone().check_soon(charge.id());
        assert_eq!(seen.recv().await.unwrap(), charge.id().as_str());
        assert!(handle.snapshot().is_empty());
    }
    let removed = client.create(NewCharge::satoshis(4, "")).await.unwrap();
    handle.add(&removed);
    assert_eq!(handle.snapshot().len(), 1);
    assert!(handle.remove(removed.id()) && !handle.remove(removed.id()));
    drop(handle);
    watching.await.unwrap();
    assert!(seen.recv().await.is_none(), "there should be no further event");
}

/// A server that responds to the first GET with 429 and `Retry-After: 1800`, and a retry policy
/// that accepts this delay.
fn rate_limited_server(
    sandbox: Sandbox,
) -> (impl Fn(Exchange) -> Reply + Clone + Send + Sync + 'static, RetryPolicy) {
    let reads = Arc::new(AtomicUsize::new(0));
    let respond = move |exchange: Exchange| {
        if exchange.request.method() == Method::GET && reads.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Response::builder()
                .status(429)
                .header("retry-after", "1800")
                .body(Vec::new())
                .unwrap());
        }
        sandbox.reply(exchange)
    };
    (respond, RetryPolicy::default().max_retry_after(Duration::from_secs(1800)))
}

#[test]
fn hint_interrupts_a_retry_after_delay_in_a_blocking_watch() {
    let (sandbox, endpoint) = shop();
    let (respond, policy) = rate_limited_server((*sandbox).clone());
    let (exchanges, exchanged) = mpsc::channel();
    let transport = move |exchange: Exchange| {
        let reply = respond(exchange);
        let _ = exchanges.send(());
        reply
    };
    let client =
        strike_blocking::Client::builder(endpoint).transport(transport).retry(policy).build().unwrap();
    let charge = client.create(NewCharge::satoshis(1, "")).unwrap();
    exchanged.recv().unwrap();
    let mut watcher = client.watcher().schedule(Schedule::every(Duration::from_millis(10)));
    watcher.add(&charge);
    let mut watch = client.watch(watcher);
    let handle = watch.handle();
    let watching = std::thread::spawn(move || paid(watch.next().unwrap().unwrap()));
    exchanged.recv().unwrap();
    sandbox.pay(charge.id()).unwrap();
    handle.check_soon(charge.id());
    assert_eq!(watching.join().unwrap(), charge.id().as_str());
}

#[tokio::test]
async fn hint_interrupts_a_retry_after_delay_in_an_async_watch() {
    let (sandbox, endpoint) = shop();
    let (respond, policy) = rate_limited_server((*sandbox).clone());
    let (exchanges, mut exchanged) = tokio::sync::mpsc::unbounded_channel();
    let transport = move |exchange: Exchange| {
        let reply = respond(exchange);
        let _ = exchanges.send(());
        std::future::ready(reply)
    };
    let client = strike_async::Client::builder(endpoint).transport(transport).retry(policy).build().unwrap();
    let charge = client.create(NewCharge::satoshis(1, "")).await.unwrap();
    exchanged.recv().await.unwrap();
    let mut watcher = client.watcher().schedule(Schedule::every(Duration::from_millis(10)));
    watcher.add(&charge);
    let mut watch = client.watch(watcher);
    let handle = watch.handle();
    let watching = tokio::spawn(async move { paid(watch.next().await.unwrap().unwrap()) });
    exchanged.recv().await.unwrap();
    sandbox.pay(charge.id()).unwrap();
    handle.check_soon(charge.id());
    assert_eq!(watching.await.unwrap(), charge.id().as_str());
}
