//! One order, one charge: callers that come again or at the same moment, and lists that lag behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Barrier;
use std::time::Duration;

use strike_core::mirror::Query;
use strike_core::{ApiKey, Charge, CreateOutcome, Endpoint, ErrorKind, Exchange, NewCharge, Reply};
use strike_sandbox::faults::{Fault, On, Plan};
use strike_sandbox::{Quirks, Sandbox};

/// A host whose list lags an hour behind, so that no test is slow enough to see it catch up.
fn lagging() -> Sandbox {
    Sandbox::builder().quirks(Quirks::new().list_lag(Duration::from_secs(3600))).build()
}

fn endpoint(sandbox: &Sandbox) -> Endpoint {
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap()
}

fn blocking(sandbox: &Sandbox) -> strike_blocking::Client {
    let host = sandbox.clone();
    let transport = strike_blocking::FnTransport::new(move |exchange| {
        // Others may come first at every request.
        std::thread::yield_now();
        host.reply(exchange)
    });
    let clocks = strike_blocking::fixture::SimulatedHost::new(sandbox.clone());
    strike_blocking::Client::builder(endpoint(sandbox))
        .simulated(&clocks)
        .transport(transport)
        .build()
        .unwrap()
}

fn asynchronous(sandbox: &Sandbox) -> strike_async::Client {
    let host = sandbox.clone();
    let transport = strike_async::FnTransport::new(move |exchange: Exchange| {
        let host = host.clone();
        async move {
            tokio::task::yield_now().await;
            let reply: Reply = host.reply(exchange);
            tokio::task::yield_now().await;
            reply
        }
    });
    let clocks = strike_async::fixture::SimulatedHost::new(sandbox.clone());
    strike_async::Client::builder(endpoint(sandbox)).simulated(&clocks).transport(transport).build().unwrap()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// Time passes at the host and for its clients.
fn pass(host: &impl strike_blocking::Timer, time: Duration) {
    host.wait(time, &strike_blocking::Wake::default());
}

fn to_pay(made: CreateOutcome) -> Charge {
    if let CreateOutcome::Payable(charge) = made { charge } else { panic!("{made:?}") }
}

#[test]
fn a_repeat_gets_the_same_charge_although_the_list_lags() {
    let sandbox = lagging();
    let client = blocking(&sandbox);
    let charges = [0; 3].map(|_| to_pay(client.clone().create_once(order(), "order-17").unwrap()));
    assert_eq!((&charges[0], &charges[0], sandbox.charges()), (&charges[1], &charges[2], 1));
}

#[tokio::test]
async fn a_repeat_gets_the_same_charge_although_the_list_lags_async() {
    let sandbox = lagging();
    let client = asynchronous(&sandbox);
    let first = to_pay(client.create_once(order(), "order-17").await.unwrap());
    let second = to_pay(client.clone().create_once(order(), "order-17").await.unwrap());
    assert_eq!((first, sandbox.charges()), (second, 1));
}

#[test]
fn two_threads_with_one_name_get_one_charge() {
    let sandbox = lagging();
    let client = blocking(&sandbox);
    for round in 1..=20 {
        let (name, start) = (format!("order-{round}"), Barrier::new(4));
        let ids = std::thread::scope(|scope| {
            let call = || {
                start.wait();
                to_pay(client.create_once(order(), name.as_str()).unwrap()).id().clone()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(sandbox.charges(), round);
    }
}

#[tokio::test]
async fn two_tasks_with_one_name_get_one_charge() {
    let sandbox = lagging();
    let client = asynchronous(&sandbox);
    for round in 1..=20 {
        let name = format!("order-{round}");
        let call = || client.create_once(order(), name.as_str());
        let (one, two, three) = tokio::join!(call(), call(), call());
        let ids = [one, two, three].map(|made| to_pay(made.unwrap()).id().clone());
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(sandbox.charges(), round);
    }
}

#[tokio::test]
async fn a_task_that_is_dropped_after_its_create_leaves_no_second_charge() {
    let sandbox = lagging();
    let client = asynchronous(&sandbox);
    // Dropped at every point of its way: each poll is one step further.
    for polls in 1..8 {
        let name = format!("order-{polls}");
        let before = sandbox.charges();
        let mut call = Box::pin(client.create_once(order(), name.as_str()));
        let mut left = polls;
        while left > 0 && poll_once(call.as_mut()).await.is_none() {
            left -= 1;
        }
        drop(call);
        // The list does not show what was created, so only the client's memory can keep it from creating another.
        for _ in 0..2 {
            if let Err(error) = client.create_once(order(), name.as_str()).await {
                assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown, "{polls}");
            }
        }
        assert!(sandbox.charges() - before <= 1, "{polls}");
    }
}

/// Polls a future once, whatever comes of it.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let poll = future.as_mut().poll(context);
        std::task::Poll::Ready(match poll {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn after_an_unknown_outcome_the_same_name_is_looked_for_and_not_posted() {
    let quirks = Quirks::new().list_lag(Duration::from_secs(60));
    let plan = Plan::new().on(On::create(), Fault::close());
    let sandbox = Sandbox::builder().quirks(quirks).faults(plan).build();
    let host = strike_blocking::fixture::SimulatedHost::new(sandbox.clone());
    let client = strike_blocking::Client::builder(endpoint(&sandbox)).simulated(&host).build().unwrap();
    for _ in 0..3 {
        let error = client.create_once(order(), "order-17").unwrap_err();
        assert_eq!((error.kind(), sandbox.charges()), (&ErrorKind::OutcomeUnknown, 1));
    }
    pass(&host, Duration::from_secs(60));
    to_pay(client.create_once(order(), "order-17").unwrap());
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn an_order_is_found_after_a_day_and_behind_a_hundred_others() {
    let sandbox = Sandbox::new();
    let host = strike_blocking::fixture::SimulatedHost::new(sandbox.clone());
    let shop = || strike_blocking::Client::builder(endpoint(&sandbox)).simulated(&host).build().unwrap();
    let noon = to_pay(shop().create_once(order(), "order-17").unwrap());
    sandbox.pay(noon.id()).unwrap();
    for _ in 0..100 {
        pass(&host, Duration::from_secs(900));
        shop().create(order()).unwrap();
    }
    // Another client: nothing is remembered, and the list is all there is.
    let made = shop().create_once(order(), "order-17").unwrap();
    assert!(matches!(&made, CreateOutcome::Paid(charge) if charge.id() == noon.id()), "{made:?}");
    assert_eq!(sandbox.charges(), 101);
}

#[test]
fn copies_of_a_lazy_charge_make_one_charge() {
    let sandbox = lagging();
    let client = blocking(&sandbox);
    let mut one = client.lazy(order()).unwrap();
    let mut two = client.lazy_from(one.mirror().clone());
    let mut three =
        client.lazy_from(serde_json::from_str(&serde_json::to_string(one.mirror()).unwrap()).unwrap());
    let id = one.id().unwrap().clone();
    assert_eq!((two.id().unwrap(), three.id().unwrap(), sandbox.charges()), (&id, &id, 1));
}

#[test]
fn a_lazy_charge_looks_first_once_its_mirror_was_seen() {
    let sandbox = Sandbox::new();
    let client = blocking(&sandbox);
    let mut unseen = client.lazy(order()).unwrap();
    unseen.fetch(Query::Id).unwrap();
    assert_eq!(sandbox.requests(), 1);
    let mut seen = client.lazy(order()).unwrap();
    // Kept in a database: another process could create it first.
    let kept = seen.mirror().clone();
    let other = blocking(&sandbox);
    let id = other.lazy_from(kept).id().unwrap().clone();
    assert_eq!((seen.id().unwrap(), sandbox.charges()), (&id, 2));
}

#[tokio::test]
async fn copies_of_a_lazy_charge_make_one_charge_async() {
    let sandbox = lagging();
    let client = asynchronous(&sandbox);
    let mut one = client.lazy(order()).unwrap();
    let mut two = client.lazy_from(one.mirror().clone());
    let (one, two) = tokio::join!(one.id(), two.id());
    assert_eq!((one.unwrap(), sandbox.charges()), (two.unwrap(), 1));
}

#[test]
fn an_expired_order_gets_a_new_invoice_and_a_paid_one_does_not() {
    let sandbox = Sandbox::new();
    let host = strike_blocking::fixture::SimulatedHost::new(sandbox.clone());
    let client = strike_blocking::Client::builder(endpoint(&sandbox)).simulated(&host).build().unwrap();
    let first = to_pay(client.create_once(order(), "order-17").unwrap());
    pass(&host, Duration::from_secs(2 * 3600));
    let made = client.create_once(order(), "order-17").unwrap();
    let CreateOutcome::Expired { charge, next } = made else { panic!("{made:?}") };
    assert_eq!((charge.id(), sandbox.charges()), (first.id(), 1));
    let second = to_pay(client.create_once(order(), next).unwrap());
    assert_ne!(first.payment_request(), second.payment_request());
    sandbox.pay(second.id()).unwrap();
    pass(&host, Duration::from_secs(2 * 3600));
    for client in
        [client, strike_blocking::Client::builder(endpoint(&sandbox)).simulated(&host).build().unwrap()]
    {
        let made = client.create_once(order(), "order-17").unwrap();
        assert!(matches!(&made, CreateOutcome::Paid(charge) if charge.id() == second.id()), "{made:?}");
    }
    assert_eq!(sandbox.charges(), 2);
}
