//! One charge per order: repeated and concurrent creates, also if the server's list is not up to
//! date.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Barrier;
use std::time::Duration;

use strike_core::fixture::SimulatedHost;
use strike_core::mirror::Query;
use strike_core::{Charge, ChargeId, CreateOutcome, ErrorKind, Exchange, NewCharge, Reply};
use strike_sandbox::faults::{Fault, Match, Plan};
use strike_sandbox::{Quirks, Sandbox};
use strike_tests::lnbits::LnbitsQuirks;
use strike_tests::{Backend, Dialect};

/// A server whose list is behind by some time. phoenixd's list is never behind.
fn behind(dialect: Dialect, list_lag: Duration, faults: Plan) -> Backend {
    let sandbox = Sandbox::builder().quirks(Quirks::new().list_lag(list_lag)).faults(faults).build();
    Backend::with_quirks(dialect, sandbox, LnbitsQuirks { list_lag, ..LnbitsQuirks::default() })
}

/// A server whose list is an hour behind, so that no test is slow enough to see the update.
fn lagging(dialect: Dialect) -> Backend {
    behind(dialect, Duration::from_secs(3600), Plan::new())
}

fn up_to_date(dialect: Dialect) -> Backend {
    Backend::new(dialect, Sandbox::new())
}

/// A new client, with an empty memory.
fn with_clock(backend: &Backend, host: &SimulatedHost<Backend>) -> strike_blocking::Client {
    strike_blocking::Client::builder(backend.endpoint().unwrap()).simulated(host).build().unwrap()
}

fn blocking(backend: &Backend) -> strike_blocking::Client {
    let host = backend.clone();
    let transport = move |exchange: Exchange| {
        // Lets other threads run before each request.
        std::thread::yield_now();
        host.reply(exchange)
    };
    strike_blocking::Client::builder(backend.endpoint().unwrap())
        .simulated(&SimulatedHost::new(backend.clone()))
        .transport(transport)
        .build()
        .unwrap()
}

fn asynchronous(backend: &Backend) -> strike_async::Client {
    let host = backend.clone();
    let transport = move |exchange: Exchange| {
        let host = host.clone();
        async move {
            tokio::task::yield_now().await;
            let reply: Reply = host.reply(exchange);
            tokio::task::yield_now().await;
            reply
        }
    };
    let clocks = SimulatedHost::new(backend.clone());
    let builder = strike_async::Client::builder(backend.endpoint().unwrap());
    builder.simulated(&clocks).transport(transport).build().unwrap()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// Advances the time of the server and of its clients.
fn advance(host: &impl strike_blocking::Timer, time: Duration) {
    host.wait(time, &strike_blocking::Wake::default());
}

/// What identifies a charge. phoenixd's response to a create has its time in seconds, and a get in
/// milliseconds.
fn shown(charge: &Charge) -> (&ChargeId, &str) {
    (charge.id(), charge.payment_request())
}

fn to_pay(made: CreateOutcome) -> Charge {
    if let CreateOutcome::Payable(charge) = made { charge } else { panic!("{made:?}") }
}

#[test]
fn repeated_create_returns_the_same_charge_if_the_list_lags() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = blocking(&backend);
        let charges = [0; 3].map(|_| to_pay(client.clone().create_once(order(), "order-17").unwrap()));
        let [first, second, third] = charges.each_ref().map(shown);
        assert_eq!((first, first, backend.sandbox.charges()), (second, third, 1));
    }
}

#[tokio::test]
async fn repeated_async_create_returns_the_same_charge_if_the_list_lags() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = asynchronous(&backend);
        let first = to_pay(client.create_once(order(), "order-17").await.unwrap());
        let second = to_pay(client.clone().create_once(order(), "order-17").await.unwrap());
        assert_eq!((shown(&first), backend.sandbox.charges()), (shown(&second), 1));
    }
}

#[test]
fn concurrent_threads_with_one_order_name_get_one_charge() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = blocking(&backend);
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
            assert_eq!(backend.sandbox.charges(), round);
        }
    }
}

#[tokio::test]
async fn concurrent_tasks_with_one_order_name_get_one_charge() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = asynchronous(&backend);
        for round in 1..=20 {
            let name = format!("order-{round}");
            let call = || client.create_once(order(), name.as_str());
            let (one, two, three) = tokio::join!(call(), call(), call());
            let ids = [one, two, three].map(|made| to_pay(made.unwrap()).id().clone());
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            assert_eq!(backend.sandbox.charges(), round);
        }
    }
}

#[tokio::test]
async fn dropping_create_once_at_any_point_leaves_at_most_one_charge() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = asynchronous(&backend);
        // The future is dropped after 1, 2, ... polls.
        for polls in 1..8 {
            let name = format!("order-{polls}");
            let before = backend.sandbox.charges();
            let mut call = Box::pin(client.create_once(order(), name.as_str()));
            let mut left = polls;
            while left > 0 && poll_once(call.as_mut()).await.is_none() {
                left -= 1;
            }
            drop(call);
            // The list does not show the charge yet, so only the client's memory can prevent a second
            // create.
            for _ in 0..2 {
                if let Err(error) = client.create_once(order(), name.as_str()).await {
                    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown, "{polls}");
                }
            }
            assert!(backend.sandbox.charges() - before <= 1, "{polls}");
        }
    }
}

/// Polls a future once.
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
fn create_once_with_unknown_outcome_reads_the_list_and_does_not_post() {
    // phoenixd's list shows the charge at once.
    for dialect in [Dialect::Strike, Dialect::Lnbits] {
        let plan = Plan::new().on(Match::create(), Fault::close());
        let backend = behind(dialect, Duration::from_secs(60), plan);
        let host = SimulatedHost::new(backend.clone());
        let client = with_clock(&backend, &host);
        for _ in 0..3 {
            let error = client.create_once(order(), "order-17").unwrap_err();
            assert_eq!((error.kind(), backend.sandbox.charges()), (&ErrorKind::OutcomeUnknown, 1));
        }
        advance(&host, Duration::from_secs(60));
        to_pay(client.create_once(order(), "order-17").unwrap());
        assert_eq!(backend.sandbox.charges(), 1);
    }
}

#[test]
fn create_once_finds_an_order_after_a_day_and_a_hundred_other_charges() {
    for dialect in Dialect::ALL {
        let backend = up_to_date(dialect);
        let host = SimulatedHost::new(backend.clone());
        let shop = || with_clock(&backend, &host);
        let noon = to_pay(shop().create_once(order(), "order-17").unwrap());
        backend.pay(noon.id()).unwrap();
        for _ in 0..100 {
            advance(&host, Duration::from_secs(900));
            shop().create(order()).unwrap();
        }
        // A new client has an empty memory and has to read the list.
        let made = shop().create_once(order(), "order-17").unwrap();
        assert!(matches!(&made, CreateOutcome::Paid(charge) if charge.id() == noon.id()), "{made:?}");
        assert_eq!(backend.sandbox.charges(), 101);
    }
}

#[test]
fn copies_of_a_lazy_charge_create_one_charge() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = blocking(&backend);
        let mut one = client.lazy(order()).unwrap();
        let mut two = client.lazy_from(one.mirror().clone());
        let mut three =
            client.lazy_from(serde_json::from_str(&serde_json::to_string(one.mirror()).unwrap()).unwrap());
        let id = one.id().unwrap().clone();
        assert_eq!((two.id().unwrap(), three.id().unwrap(), backend.sandbox.charges()), (&id, &id, 1));
    }
}

#[test]
fn lazy_charge_reads_the_list_first_if_its_mirror_was_read() {
    for dialect in Dialect::ALL {
        let backend = up_to_date(dialect);
        let client = blocking(&backend);
        let mut not_read = client.lazy(order()).unwrap();
        not_read.fetch(Query::Id).unwrap();
        assert_eq!(backend.sandbox.requests(), 1);
        let mut seen = client.lazy(order()).unwrap();
        // The mirror may be in a database now: another process could create the charge first.
        let kept = seen.mirror().clone();
        let other = blocking(&backend);
        let id = other.lazy_from(kept).id().unwrap().clone();
        assert_eq!((seen.id().unwrap(), backend.sandbox.charges()), (&id, 2));
    }
}

#[tokio::test]
async fn copies_of_an_async_lazy_charge_create_one_charge() {
    for dialect in Dialect::ALL {
        let backend = lagging(dialect);
        let client = asynchronous(&backend);
        let mut one = client.lazy(order()).unwrap();
        let mut two = client.lazy_from(one.mirror().clone());
        let (one, two) = tokio::join!(one.id(), two.id());
        assert_eq!((one.unwrap(), backend.sandbox.charges()), (two.unwrap(), 1));
    }
}

#[test]
fn expired_order_can_get_a_new_invoice_but_paid_order_cannot() {
    for dialect in Dialect::ALL {
        let backend = up_to_date(dialect);
        let host = SimulatedHost::new(backend.clone());
        let client = with_clock(&backend, &host);
        let first = to_pay(client.create_once(order(), "order-17").unwrap());
        advance(&host, Duration::from_secs(2 * 3600));
        let made = client.create_once(order(), "order-17").unwrap();
        let CreateOutcome::Expired { charge, next } = made else { panic!("{made:?}") };
        assert_eq!((charge.id(), backend.sandbox.charges()), (first.id(), 1));
        let second = to_pay(client.create_once(order(), next).unwrap());
        assert_ne!(first.payment_request(), second.payment_request());
        backend.pay(second.id()).unwrap();
        advance(&host, Duration::from_secs(2 * 3600));
        for client in [client, with_clock(&backend, &host)] {
            let made = client.create_once(order(), "order-17").unwrap();
            assert!(matches!(&made, CreateOutcome::Paid(charge) if charge.id() == second.id()), "{made:?}");
        }
        assert_eq!(backend.sandbox.charges(), 2);
    }
}
