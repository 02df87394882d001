//! An exchange that is given up: the machine is left in a defined state, and never posts twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use strike_async::{Client, FnTransport};
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
    NewCharge::satoshis(4200, "given up")
}

/// Retries without a pause: the tests need no clock of their own.
fn policy() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO)
}

fn shop() -> (Sandbox, Endpoint) {
    let sandbox = Sandbox::new();
    let at = endpoint(&sandbox, sandbox.base_url());
    (sandbox, at)
}

fn endpoint(sandbox: &Sandbox, base_url: &str) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap()
}

/// A client whose requests arrive and are answered.
fn working(sandbox: &Sandbox, at: &Endpoint) -> Client {
    let sandbox = sandbox.clone();
    let transport = FnTransport::new(move |exchange| ready(sandbox.reply(exchange)));
    Client::builder(at.clone()).transport(transport).build().unwrap()
}

/// A client whose requests arrive, but whose answers never do.
fn silent(sandbox: &Sandbox, at: &Endpoint) -> Client {
    let sandbox = sandbox.clone();
    let transport = FnTransport::new(move |exchange: Exchange| {
        let _lost = sandbox.reply(exchange);
        pending::<Reply>()
    });
    Client::builder(at.clone()).transport(transport).build().unwrap()
}

/// Drives the machine until nothing happens any more, and drops the future.
async fn give_up<M: Machine>(client: &Client, machine: &mut M) {
    assert!(
        timeout(Duration::from_millis(20), client.drive(machine)).await.is_err(),
        "it should not have ended"
    );
}

#[tokio::test]
async fn a_create_that_was_dropped_is_not_posted_again() {
    let (sandbox, at) = shop();
    let mut call = CoreClient::new(at.clone(), policy(), 7).call(Create::new(order()));
    give_up(&silent(&sandbox, &at), &mut call).await;
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1));

    let error = working(&sandbox, &at).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
    assert_eq!(error.advice(), Advice::LookFirst);
    assert_eq!(error.attempts().len(), 1);
    assert_eq!(error.attempts()[0].outcome(), LOST);
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1), "it was posted again");

    let error = working(&sandbox, &at).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    assert_eq!(sandbox.requests(), 1);
}

#[tokio::test]
async fn a_create_that_was_never_polled_can_still_be_made() {
    let (sandbox, at) = shop();
    let mut call = CoreClient::new(at.clone(), policy(), 7).call(Create::new(order()));
    drop(silent(&sandbox, &at).drive(&mut call));
    assert_eq!(sandbox.requests(), 0);
    working(&sandbox, &at).drive(&mut call).await.unwrap();
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 1));
}

#[tokio::test]
async fn a_get_that_was_dropped_is_asked_again() {
    let (sandbox, at) = shop();
    let charge = working(&sandbox, &at).create(order()).await.unwrap();
    let mut call = CoreClient::new(at.clone(), policy(), 7).call(Get::new(charge.id().clone()));
    give_up(&silent(&sandbox, &at), &mut call).await;
    assert_eq!(sandbox.requests(), 2);
    assert_eq!(working(&sandbox, &at).drive(&mut call).await.unwrap(), charge);
    assert_eq!(sandbox.requests(), 3);
}

#[tokio::test]
async fn a_get_that_is_always_dropped_ends_with_its_attempts() {
    let (sandbox, at) = shop();
    let charge = working(&sandbox, &at).create(order()).await.unwrap();
    let mut call = CoreClient::new(at.clone(), policy(), 7).call(Get::new(charge.id().clone()));
    for _ in 0..3 {
        give_up(&silent(&sandbox, &at), &mut call).await;
    }
    let error = working(&sandbox, &at).drive(&mut call).await.unwrap_err();
    let outcomes: Vec<_> = error.attempts().iter().map(strike_core::Attempt::outcome).collect();
    assert_eq!(outcomes, [LOST; 3]);
    assert_eq!(sandbox.requests(), 4);
}

#[tokio::test]
async fn a_wait_that_was_dropped_while_it_looked_looks_again() {
    let (sandbox, at) = shop();
    let charge = working(&sandbox, &at).create(order()).await.unwrap();
    let mut wait = CoreClient::new(at.clone(), policy(), 7).wait(charge.clone(), Wait::until_expiry());
    give_up(&silent(&sandbox, &at), &mut wait).await;
    sandbox.pay(charge.id()).unwrap();
    assert!(working(&sandbox, &at).drive(&mut wait).await.unwrap().is_paid());
    assert_eq!(sandbox.requests(), 3);
}

#[tokio::test]
async fn a_create_that_reqwest_had_sent_is_not_posted_again() {
    let (sandbox, _) = shop();
    let arrived = Arc::new(Notify::new());
    let posts = Arc::clone(&arrived);
    let never_answers = Loopback::serve(move |_, request| {
        assert!(request.starts_with(b"POST /api/v1/charges HTTP/1.1\r\n"));
        posts.notify_one();
        None
    })
    .unwrap();
    let at = endpoint(&sandbox, &never_answers.base_url());
    let mut call = CoreClient::new(at.clone(), policy(), 7).call(Create::new(order()));
    let client = Client::new(at.clone()).unwrap();
    tokio::select! {
        ended = client.drive(&mut call) => panic!("nobody answered, and yet: {ended:?}"),
        () = arrived.notified() => {}
    }
    let error = working(&sandbox, &at).drive(&mut call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
    assert_eq!(sandbox.requests(), 0, "it was posted again");
}
