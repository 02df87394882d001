//! A watch that others add to, hint at and end, by the system's clocks, in both adapters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use strike_core::http::{Method, Response};
use strike_core::{ApiKey, Endpoint, Event, Exchange, NewCharge, Reply, RetryPolicy, Schedule};
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
    assert!(seen.recv().await.is_none(), "no other event came");
}

/// A host that asks for half an hour of rest after its first look, and the policy of a client that obeys.
fn limiting(sandbox: Sandbox) -> (impl Fn(Exchange) -> Reply + Clone + Send + Sync + 'static, RetryPolicy) {
    let looks = Arc::new(AtomicUsize::new(0));
    let answer = move |exchange: Exchange| {
        if exchange.request.method() == Method::GET && looks.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Response::builder()
                .status(429)
                .header("retry-after", "1800")
                .body(Vec::new())
                .unwrap());
        }
        sandbox.reply(exchange)
    };
    (answer, RetryPolicy::default().max_retry_after(Duration::from_secs(1800)))
}

#[test]
fn a_hint_breaks_the_rest_that_a_host_asks_for_in_a_blocking_watch() {
    let (sandbox, at) = shop();
    let (answer, policy) = limiting((*sandbox).clone());
    let (limited, looked) = mpsc::channel();
    let transport = strike_blocking::FnTransport::new(move |exchange| {
        let reply = answer(exchange);
        let _ = limited.send(());
        reply
    });
    let client = strike_blocking::Client::builder(at).transport(transport).retry(policy).build().unwrap();
    let charge = client.create(NewCharge::satoshis(1, "")).unwrap();
    looked.recv().unwrap();
    let mut watcher = client.watcher().schedule(Schedule::every(Duration::from_millis(10)));
    watcher.add(&charge);
    let mut watch = client.watch(watcher);
    let handle = watch.handle();
    let watching = std::thread::spawn(move || paid(watch.next().unwrap().unwrap()));
    looked.recv().unwrap();
    sandbox.pay(charge.id()).unwrap();
    handle.check_soon(charge.id());
    assert_eq!(watching.join().unwrap(), charge.id().as_str());
}

#[tokio::test]
async fn a_hint_breaks_the_rest_that_a_host_asks_for_in_an_async_watch() {
    let (sandbox, at) = shop();
    let (answer, policy) = limiting((*sandbox).clone());
    let (limited, mut looked) = tokio::sync::mpsc::unbounded_channel();
    let transport = strike_async::FnTransport::new(move |exchange| {
        let reply = answer(exchange);
        let _ = limited.send(());
        std::future::ready(reply)
    });
    let client = strike_async::Client::builder(at).transport(transport).retry(policy).build().unwrap();
    let charge = client.create(NewCharge::satoshis(1, "")).await.unwrap();
    looked.recv().await.unwrap();
    let mut watcher = client.watcher().schedule(Schedule::every(Duration::from_millis(10)));
    watcher.add(&charge);
    let mut watch = client.watch(watcher);
    let handle = watch.handle();
    let watching = tokio::spawn(async move { paid(watch.next().await.unwrap().unwrap()) });
    looked.recv().await.unwrap();
    sandbox.pay(charge.id()).unwrap();
    handle.check_soon(charge.id());
    assert_eq!(watching.await.unwrap(), charge.id().as_str());
}
