//! What a client adds to core: settings, observers, and futures that can be sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};

use strike_async::{
    ApiKey, AttemptOutcome, AttemptReport, Charge, ChargeId, Client, Delivery, Endpoint, Exchange, Lazy,
    Network, NewCharge, Reply, RetryPolicy, TransportError, TransportErrorKind, Wait, http, webhook,
};

fn endpoint() -> Endpoint {
    Endpoint::new("http://127.0.0.1:1/", ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap()
}

#[tokio::test]
async fn an_observer_sees_each_attempt() {
    let reports: Arc<Mutex<Vec<AttemptReport>>> = Arc::default();
    let (seen, replies) = (Arc::clone(&reports), Mutex::new(0));
    let transport = move |_: Exchange| {
        let mut replies = replies.lock().unwrap();
        *replies += 1;
        let reply: Reply = if *replies == 1 {
            Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
        } else {
            Ok(http::Response::new(b"[]".to_vec()))
        };
        std::future::ready(reply)
    };
    let client = Client::builder(endpoint())
        .transport(transport)
        .observer(move |report: &AttemptReport| seen.lock().unwrap().push(*report))
        .build()
        .unwrap();
    assert_eq!(client.list(0).await.unwrap().rows(), 0);
    let closed = AttemptOutcome::NoResponse(TransportErrorKind::Closed, Delivery::MaybeSent);
    let found: Vec<_> = reports.lock().unwrap().iter().map(|r| (r.operation, r.attempt, r.outcome)).collect();
    assert_eq!(found, [("list charges", 1, closed), ("list charges", 2, AttemptOutcome::Status(200))]);
}

#[tokio::test]
async fn a_policy_for_one_call_does_not_change_the_client() {
    let refuses = |_: Exchange| {
        std::future::ready(Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent)))
    };
    let client = Client::builder(endpoint())
        .transport(refuses)
        .retry(RetryPolicy::default().attempts(2))
        .build()
        .unwrap();
    assert_eq!(client.with(RetryPolicy::never()).list(0).await.unwrap_err().attempts().len(), 1);
    assert_eq!(client.list(0).await.unwrap_err().attempts().len(), 2);
}

/// Compiles only if every future of a client can be sent to another thread.
#[test]
fn every_future_of_a_client_is_send() {
    fn is_send<T: Send>(_: T) {}
    fn futures(
        client: &Client,
        id: &ChargeId,
        charge: &Charge,
        hint: &webhook::Notification,
        lazy: &mut Lazy,
    ) {
        is_send(client.create(NewCharge::satoshis(1, "")));
        is_send(client.create_once(NewCharge::satoshis(1, ""), "order"));
        is_send(client.get(id));
        is_send(client.list(0));
        is_send(client.confirm(hint));
        is_send(client.wait_until_paid(charge, Wait::until_expiry()));
        is_send(client.list_all().next());
        is_send(client.watch(client.watcher()).next());
        is_send(lazy.paid());
        is_send(lazy.payment_request());
    }
    let _ = futures;
}
