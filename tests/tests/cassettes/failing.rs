//! Tests with cassettes fail if the requests differ, with a readable difference, even if the
//! program ignores the error.

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
fn changed_request_is_reported_by_the_client_and_by_finish() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let error = client.create(another_order()).unwrap_err();
    // The message of a failed `unwrap` shows the difference.
    assert!(is_setup(error.kind()) && format!("{error:?}").contains(DIFFERENCE), "{error:?}");
    assert_eq!(error.attempts().len(), 1, "the create should not be retried");
    // All later requests fail as well, even those that match the cassette.
    client.create(NewCharge::satoshis(4200, "services rendered")).unwrap_err();
    let error = replay.finish().unwrap_err();
    assert!(
        matches!(error, FixtureError::Different { entry: 1, .. }) && error.to_string().contains(DIFFERENCE)
    );

    let replay = ReplayTransport::strict(quickstart());
    let client = strike_async::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(client.create(another_order())).unwrap_err();
    assert!(is_setup(error.kind()) && format!("{error:?}").contains(DIFFERENCE), "{error:?}");
    assert!(replay.finish().unwrap_err().to_string().contains(DIFFERENCE));
}

#[test]
#[should_panic(expected = "body amount: recorded \"4200\", sent \"4201\"")]
fn dropped_replay_panics_if_the_program_ignored_a_difference() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let _ignored = client.create(another_order());
}

#[test]
#[should_panic(expected = "body amount: recorded \"4200\", sent \"4201\"")]
fn dropped_async_replay_panics_if_the_program_ignored_a_difference() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_async::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _ignored = runtime.block_on(client.create(another_order()));
}

#[test]
#[should_panic(
    expected = "entries of the cassette were not requested; the first is entry 2: GET /api/v1/charges/ch_"
)]
fn dropped_replay_panics_if_entries_are_left_over() {
    let replay = ReplayTransport::strict(quickstart());
    let client = strike_blocking::Client::builder(endpoint()).simulated(&replay).build().unwrap();
    client.create(NewCharge::satoshis(4200, "services rendered")).unwrap();
}

#[test]
fn dropped_replay_does_not_panic_after_finish_or_during_a_panic() {
    let replay = ReplayTransport::strict(quickstart());
    assert!(matches!(replay.finish(), Err(FixtureError::LeftOver { .. })));
    drop(replay);
    let failed = std::panic::catch_unwind(|| {
        let _unused = ReplayTransport::strict(quickstart());
        panic!("the test's own failure");
    });
    assert_eq!(failed.unwrap_err().downcast_ref::<&str>(), Some(&"the test's own failure"));
}

/// Programs in which the panic of a dropped replay is lost. Each sends another order, and ignores
/// the error.
#[test]
fn scope_reports_differences_in_threads_and_leaked_clients() {
    let programs: [fn(&ReplayTransport); 4] = [
        |host| drop(client(host).create(another_order())),
        |host| {
            let client = client(host);
            let _ignored = std::thread::spawn(move || drop(client.create(another_order()))).join();
        },
        |host| {
            let (client, host) = (client(host), host.clone());
            drop(client.create(another_order()));
            std::mem::forget((client, host));
        },
        |host| {
            let client = client(host);
            let (sent, received) = std::sync::mpsc::channel();
            // This thread outlives the test, and drops the last clone.
            std::thread::spawn(move || {
                drop(client.create(another_order()));
                sent.send(()).unwrap();
                std::thread::park();
            });
            received.recv().unwrap();
        },
    ];
    for program in programs {
        let error = ReplayTransport::strict(quickstart()).scope(program).unwrap_err();
        assert!(error.to_string().contains(DIFFERENCE), "{error}");
    }
    // Nothing was sent.
    let error =
        ReplayTransport::strict(quickstart()).scope(|host| std::mem::forget(client(host))).unwrap_err();
    assert!(matches!(error, FixtureError::LeftOver { .. }), "{error}");
    assert_eq!(ReplayTransport::strict(Cassette::default()).scope(|_| 7), Ok(7));
}

fn client(host: &ReplayTransport) -> strike_blocking::Client {
    strike_blocking::Client::builder(endpoint()).simulated(host).build().unwrap()
}

#[tokio::test]
async fn scope_reports_differences_in_tasks_and_leaked_clients() {
    use strike_async::fixture::ReplayTransport;
    let client =
        |host: &ReplayTransport| strike_async::Client::builder(endpoint()).simulated(host).build().unwrap();
    let joined = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let client = client(host);
            let _ignored = tokio::spawn(async move { drop(client.create(another_order()).await) }).await;
        })
        .await;
    let leaked = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let (client, host) = (client(host), host.clone());
            drop(client.create(another_order()).await);
            std::mem::forget((client, host));
        })
        .await;
    let still_running = ReplayTransport::strict(quickstart())
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
    for outcome in [joined, leaked, still_running] {
        assert!(outcome.clone().is_err_and(|error| error.to_string().contains(DIFFERENCE)), "{outcome:?}");
    }
    // A task that has sent nothing when the test ends.
    let late = ReplayTransport::strict(quickstart())
        .scope_async(async |host| {
            let client = client(host);
            drop(tokio::spawn(async move { drop(client.create(another_order()).await) }));
        })
        .await;
    assert!(matches!(late, Err(FixtureError::LeftOver { .. })), "{late:?}");
    assert_eq!(ReplayTransport::strict(Cassette::default()).scope_async(async |_| 7).await, Ok(7));
}

/// The panic happens only in the thread that drops the last clone, as documented.
#[test]
fn dropping_a_replay_panics_in_the_thread_of_the_last_clone() {
    let replay = ReplayTransport::strict(quickstart());
    let dropped = std::thread::spawn(move || drop(replay)).join();
    assert!(dropped.unwrap_err().downcast_ref::<String>().unwrap().contains("were not requested"));

    let replay = ReplayTransport::strict(quickstart());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dropped = runtime.block_on(async { tokio::spawn(async move { drop(replay) }).await });
    assert!(dropped.unwrap_err().is_panic());
}

#[test]
#[should_panic(expected = "had been used")]
fn exchange_after_finish_is_reported_when_the_replay_is_dropped() {
    let replay = ReplayTransport::strict(Cassette::default());
    replay.finish().unwrap();
    drop(client(&replay).create(another_order()));
}

#[test]
fn simulation_stops_a_client_that_does_not_end() {
    let silent = |_: Exchange, _: Now| -> Reply {
        Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
    };
    let host = SimulatedHost::of(Simulation::new(silent).at_most(100));
    let client = strike_blocking::Client::builder(endpoint()).simulated(&host).build().unwrap();
    while !is_setup(client.list(0).unwrap_err().kind()) {}
    assert!(matches!(host.finish(), Err(FixtureError::Endless { steps: 100, .. })));
}

#[test]
fn virtual_time_yields_to_other_tasks() {
    let sandbox = Sandbox::new();
    let endpoint =
        Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network());
    let host = SimulatedHost::new(sandbox.clone());
    let client = strike_async::Client::builder(endpoint.unwrap()).simulated(&host).build().unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let charge = client.create(NewCharge::satoshis(4200, "tea")).await.unwrap();
        // The payer is polled on the same thread, and pays when ten minutes have passed.
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
fn threads_share_one_simulated_host() {
    let sandbox = Sandbox::new();
    let endpoint =
        Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network());
    let host = SimulatedHost::new(sandbox.clone());
    let client = strike_blocking::Client::builder(endpoint.unwrap()).simulated(&host).build().unwrap();
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
