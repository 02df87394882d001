//! Dropped futures: the state machine can be driven again, and a create is never sent twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use strike_async::Client;
use strike_core::machine::Machine;
use strike_core::{
    Advice, ApiKey, AttemptOutcome, CoreClient, Create, Delivery, Endpoint, ErrorKind, Exchange, Get,
    NewCharge, Reply, RetryPolicy, TransportErrorKind, Wait,
};
use strike_sandbox::Sandbox;
use strike_tests::Loopback;
use tokio::sync::Notify;
use tokio::time::timeout;

const LOST: AttemptOutcome = AttemptOutcome::NoResponse(TransportErrorKind::Lost, Delivery::MaybeSent);

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "dropped")
}

/// A retry policy without delays, so that the tests need no virtual clock.
fn policy() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO)
}

fn shop() -> (Sandbox, Endpoint) {
    let sandbox = Sandbox::new();
    let endpoint = endpoint(&sandbox, sandbox.base_url());
    (sandbox, endpoint)
}

fn endpoint(sandbox: &Sandbox, base_url: &str) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap()
}

/// A client with a working server.
fn working(sandbox: &Sandbox, endpoint: &Endpoint) -> Client {
    let sandbox = sandbox.clone();
    let transport = move |exchange: Exchange| ready(sandbox.reply(exchange));
    Client::builder(endpoint.clone()).transport(transport).build().unwrap()
}

/// A client whose requests arrive but never get a response.
fn silent(sandbox: &Sandbox, endpoint: &Endpoint) -> Client {
    let sandbox = sandbox.clone();
    let transport = move |exchange: Exchange| {
        let _lost = sandbox.reply(exchange);
        pending::<Reply>()
    };
    Client::builder(endpoint.clone()).transport(transport).build().unwrap()
}

/// Drives the machine until it waits for a response, and drops the future.
async fn drive_and_drop<M: Machine>(client: &Client, machine: &mut M) {
    assert!(
        timeout(Duration::from_millis(20), client.drive(machine)).await.is_err(),
        "the machine should not have ended"
    );
}

#[tokio::test]
async fn dropped_create_is_not_sent_again() {
    let (sandbox, endpoint) = shop();
    let mut call = CoreClient::new(endpoint.clone(), policy(), 7).call(Create::new(order()));
    drive_and_drop(&silent(&sandbox, &endpoint), &mut call).await;
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1));

    let error = working(&sandbox, &endpoint).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
    assert_eq!(error.advice(), Advice::LookFirst);
    assert_eq!(error.attempts().len(), 1);
    assert_eq!(error.attempts()[0].outcome(), LOST);
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1), "the create was sent again");

    let error = working(&sandbox, &endpoint).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    assert_eq!(sandbox.requests(), 1);
}

#[tokio::test]
async fn create_that_was_never_polled_can_still_be_sent() {
    let (sandbox, endpoint) = shop();
    let mut call = CoreClient::new(endpoint.clone(), policy(), 7).call(Create::new(order()));
    drop(silent(&sandbox, &endpoint).drive(&mut call));
    assert_eq!(sandbox.requests(), 0);
    working(&sandbox, &endpoint).drive(&mut call).await.unwrap();
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1));
}

#[tokio::test]
async fn dropped_get_is_retried() {
    let (sandbox, endpoint) = shop();
    let charge = working(&sandbox, &endpoint).create(order()).await.unwrap();
    let mut call = CoreClient::new(endpoint.clone(), policy(), 7).call(Get::new(charge.id().clone()));
    drive_and_drop(&silent(&sandbox, &endpoint), &mut call).await;
    assert_eq!(sandbox.requests(), 2);
    assert_eq!(working(&sandbox, &endpoint).drive(&mut call).await.unwrap(), charge);
    assert_eq!(sandbox.requests(), 3);
}

#[tokio::test]
async fn repeatedly_dropped_get_fails_with_its_attempts() {
    let (sandbox, endpoint) = shop();
    let charge = working(&sandbox, &endpoint).create(order()).await.unwrap();
    let mut call = CoreClient::new(endpoint.clone(), policy(), 7).call(Get::new(charge.id().clone()));
    for _ in 0..3 {
        drive_and_drop(&silent(&sandbox, &endpoint), &mut call).await;
    }
    let error = working(&sandbox, &endpoint).drive(&mut call).await.unwrap_err();
    let outcomes: Vec<_> = error.attempts().iter().map(strike_core::Attempt::outcome).collect();
    assert_eq!(outcomes, [LOST; 3]);
    assert_eq!(sandbox.requests(), 4);
}

#[tokio::test]
async fn dropped_wait_reads_the_charge_again() {
    let (sandbox, endpoint) = shop();
    let charge = working(&sandbox, &endpoint).create(order()).await.unwrap();
    let mut wait = CoreClient::new(endpoint.clone(), policy(), 7).wait(charge.clone(), Wait::until_expiry());
    drive_and_drop(&silent(&sandbox, &endpoint), &mut wait).await;
    sandbox.pay(charge.id()).unwrap();
    assert!(working(&sandbox, &endpoint).drive(&mut wait).await.unwrap().is_paid());
    assert_eq!(sandbox.requests(), 3);
}

#[tokio::test]
async fn dropped_create_is_not_sent_again_with_reqwest() {
    let (sandbox, _) = shop();
    let arrived = Arc::new(Notify::new());
    let posts = Arc::clone(&arrived);
    let silent_server = Loopback::serve(move |_, request| {
        assert!(request.starts_with(b"POST /api/v1/charges HTTP/1.1\r\n"));
        posts.notify_one();
        None
    })
    .unwrap();
    let endpoint = endpoint(&sandbox, &silent_server.base_url());
    let mut call = CoreClient::new(endpoint.clone(), policy(), 7).call(Create::new(order()));
    let client = Client::new(endpoint.clone()).unwrap();
    tokio::select! {
        ended = client.drive(&mut call) => panic!("ended without a response: {ended:?}"),
        () = arrived.notified() => {}
    }
    let error = working(&sandbox, &endpoint).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
    assert_eq!(sandbox.requests(), 0, "the create was sent again");
}
