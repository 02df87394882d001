//! A test that should fail does: with a difference that people can read, whatever the program makes of the error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strike_blocking::fixture::{FixtureError, ReplayTransport, SimulatedHost};
use strike_core::fixture::{Cassette, Simulation};
use strike_core::{
    ApiKey, Delivery, Endpoint, ErrorKind, Exchange, NewCharge, Now, Reply, TransportError,
    TransportErrorKind,
};
use strike_sandbox::Sandbox;

use crate::flows::{FLOWS, endpoint};

fn quickstart() -> Cassette {
    FLOWS[0].committed()
}

fn another_order() -> NewCharge {
    NewCharge::satoshis(4201, "services rendered")
}

const DIFFERENCE: &str = r#"body amount: recorded "4200", sent "4201""#;

fn is_setup(kind: &ErrorKind) -> bool {
    let setup = ErrorKind::Connection { kind: TransportErrorKind::Setup, delivery: Delivery::Unsent };
    *kind == setup
}

#[test]
fn a_changed_request_is_told_to_the_program_and_to_the_test() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let error = client.create(another_order()).unwrap_err();
    // What `unwrap` would print says it.
    assert!(is_setup(error.kind()) && format!("{error:?}").contains(DIFFERENCE), "{error:?}");
    assert_eq!(error.attempts().len(), 1, "it is not retried");
    // Whatever comes after it, even what would have been right, is not answered.
    client.create(NewCharge::satoshis(4200, "services rendered")).unwrap_err();
    let error = replay.finish().unwrap_err();
    assert!(
        matches!(error, FixtureError::Different { entry: 1, .. }) && error.to_string().contains(DIFFERENCE)
    );

    let replay = strike_async::fixture::ReplayTransport::strict(quickstart());
    let client = strike_async::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(client.create(another_order())).unwrap_err();
    assert!(is_setup(error.kind()) && format!("{error:?}").contains(DIFFERENCE), "{error:?}");
    assert!(replay.finish().unwrap_err().to_string().contains(DIFFERENCE));
}

#[test]
#[should_panic(expected = "body amount: recorded \"4200\", sent \"4201\"")]
fn a_program_that_swallows_the_error_and_a_test_that_forgets_to_ask() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let _swallowed = client.create(another_order());
}

#[test]
#[should_panic(expected = "body amount: recorded \"4200\", sent \"4201\"")]
fn the_same_of_an_async_client() {
    let replay = strike_async::fixture::ReplayTransport::strict(quickstart());
    let client = strike_async::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _swallowed = runtime.block_on(client.create(another_order()));
}

#[test]
#[should_panic(
    expected = "entries of the cassette were not asked for, the first of them entry 2: GET /api/v1/charges/ch_"
)]
fn entries_that_are_left_over() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    client.create(NewCharge::satoshis(4200, "services rendered")).unwrap();
}

#[test]
fn a_test_that_has_asked_or_that_fails_already_does_not_panic_twice() {
    let replay = ReplayTransport::strict(quickstart());
    assert!(matches!(replay.finish(), Err(FixtureError::LeftOver { .. })));
    drop(replay);
    let failed = std::panic::catch_unwind(|| {
        let _unused = ReplayTransport::strict(quickstart());
        panic!("for a reason of its own");
    });
    assert_eq!(failed.unwrap_err().downcast_ref::<&str>(), Some(&"for a reason of its own"));
}

/// What a test may do with a client so that no panic reaches it. Each sends another order, and swallows the error.
#[test]
fn scope_reports_what_happens_in_threads_and_in_leaked_clients() {
    let ways: [fn(&ReplayTransport); 4] = [
        |host| drop(client(host).create(another_order())),
        |host| {
            let client = client(host);
            let _unseen = std::thread::spawn(move || drop(client.create(another_order()))).join();
        },
        |host| {
            let (client, host) = (client(host), host.clone());
            drop(client.create(another_order()));
            std::mem::forget((client, host));
        },
        |host| {
            let client = client(host);
            let (sent, received) = std::sync::mpsc::channel();
            // It goes on after the test, and is the last to let go.
            std::thread::spawn(move || {
                drop(client.create(another_order()));
                sent.send(()).unwrap();
                std::thread::park();
            });
            received.recv().unwrap();
        },
    ];
    for way in ways {
        let error = ReplayTransport::strict(quickstart()).scope(way).unwrap_err();
        assert!(error.to_string().contains(DIFFERENCE), "{error}");
    }
    // Nothing was sent, since the thread that should send never came to it.
    let error =
        ReplayTransport::strict(quickstart()).scope(|host| std::mem::forget(client(host))).unwrap_err();
    assert!(matches!(error, FixtureError::LeftOver { .. }), "{error}");
    assert_eq!(ReplayTransport::strict(Cassette::default()).scope(|_| 7), Ok(7));
}

fn client(host: &ReplayTransport) -> strike_blocking::Client {
    strike_blocking::Client::builder(endpoint()).simulated(host).build().unwrap()
}

#[tokio::test]
async fn scope_reports_what_happens_in_tasks_and_in_leaked_clients() {
    use strike_async::fixture::ReplayTransport;
    let client =
        |host: &ReplayTransport| strike_async::Client::builder(endpoint()).simulated(host).build().unwrap();
    let joined = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let client = client(host);
            let _unseen = tokio::spawn(async move { drop(client.create(another_order()).await) }).await;
        })
        .await;
    let leaked = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let (client, host) = (client(host), host.clone());
            drop(client.create(another_order()).await);
            std::mem::forget((client, host));
        })
        .await;
    let going_on = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let client = client(host);
            let (sent, received) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                drop(client.create(another_order()).await);
                sent.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            received.await.unwrap();
        })
        .await;
    for outcome in [joined, leaked, going_on] {
        assert!(outcome.clone().is_err_and(|error| error.to_string().contains(DIFFERENCE)), "{outcome:?}");
    }
    // A task that has not sent yet when the test ends.
    let late = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let client = client(host);
            drop(tokio::spawn(async move { drop(client.create(another_order()).await) }));
        })
        .await;
    assert!(matches!(late, Err(FixtureError::LeftOver { .. })), "{late:?}");
    assert_eq!(ReplayTransport::strict(Cassette::default()).scope_async(async |_| 7).await, Ok(7));
}

/// The limits of the panic, as documented: it is in the thread that drops last, and in no other.
#[test]
fn dropping_panics_where_the_last_clone_is_dropped() {
    let replay = ReplayTransport::strict(quickstart());
    let dropped = std::thread::spawn(move || drop(replay)).join();
    assert!(dropped.unwrap_err().downcast_ref::<String>().unwrap().contains("were not asked for"));

    let replay = strike_async::fixture::ReplayTransport::strict(quickstart());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dropped = runtime.block_on(async { tokio::spawn(async move { drop(replay) }).await });
    assert!(dropped.unwrap_err().is_panic());
}

#[test]
#[should_panic(expected = "had been used")]
fn an_exchange_after_the_end_is_noticed_when_it_is_dropped() {
    let replay = ReplayTransport::strict(Cassette::default());
    replay.finish().unwrap();
    drop(client(&replay).create(another_order()));
}

#[test]
fn a_client_that_finds_no_end_is_stopped() {
    let silent = |_: Exchange, _: Now| -> Reply {
        Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
    };
    let host = SimulatedHost::of(Simulation::new(silent).at_most(100));
    let client = strike_blocking::Client::builder(endpoint()).simulated(&host).build().unwrap();
    while !is_setup(client.list(0).unwrap_err().kind()) {}
    assert!(matches!(host.finish(), Err(FixtureError::Endless { steps: 100, .. })));
}

#[test]
fn virtual_time_leaves_other_tasks_their_turn() {
    let sandbox = Sandbox::new();
    let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network());
    let host = strike_async::fixture::SimulatedHost::new(sandbox.clone());
    let client = strike_async::Client::builder(at.unwrap()).simulated(&host).build().unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let charge = client.create(NewCharge::satoshis(4200, "tea")).await.unwrap();
        // The payer is polled on the same thread, and comes when ten minutes have passed.
        let payer = async {
            while host.elapsed() < Duration::from_secs(600) {
                tokio::task::yield_now().await;
            }
            sandbox.pay(charge.id()).unwrap();
        };
        let (waited, ()) = tokio::join!(client.wait_until_paid(&charge, Duration::from_secs(3000)), payer);
        assert!(waited.unwrap().is_paid());
    });
    assert!((600..700).contains(&host.elapsed().as_secs()), "{}", host.transcript());
}

#[test]
fn threads_share_one_world() {
    let sandbox = Sandbox::new();
    let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network());
    let host = SimulatedHost::new(sandbox.clone());
    let client = strike_blocking::Client::builder(at.unwrap()).simulated(&host).build().unwrap();
    let ids = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for number in 1..=4 {
            let (client, ids) = (client.clone(), Arc::clone(&ids));
            scope.spawn(move || {
                let charge = client.create(NewCharge::satoshis(number, "tea")).unwrap();
                ids.lock().unwrap_or_else(PoisonError::into_inner).push(charge.id().clone());
            });
        }
    });
    assert_eq!((ids.lock().unwrap().len(), sandbox.charges(), host.transcript().sends()), (4, 4, 4));
}
