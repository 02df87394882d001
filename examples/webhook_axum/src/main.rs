//! Receives webhooks with axum, and ships an order once it is paid, with the async client.
//!
//! The example starts a sandbox, which sends each webhook twice.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use strike_async::webhook::{self, Completion, CompletionGuard, Notification, RecentCompletions};
use strike_async::{ApiKey, ChargeId, Client, Endpoint, NewCharge};
use strike_sandbox::{Sandbox, Webhook};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let webhook = Webhook::to(&format!("http://{}/strike", listener.local_addr()?))?.repeat(2);
    let sandbox = Sandbox::builder().webhook(webhook).start()?;
    let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
    let client = Client::new(endpoint)?;
    let charge = client.create(NewCharge::satoshis(4200, "a pot of tea")).await?;
    let orders = HashMap::from([(charge.id().clone(), "order-17")]);

    // The queue is bounded: the server responds at once, and rejects webhooks while the queue is
    // full.
    let (sender, queue) = mpsc::channel(100);
    let app = Router::new()
        .route("/strike", post(receive))
        .layer(DefaultBodyLimit::max(webhook::MAX_BODY))
        .with_state(sender);
    let server = tokio::spawn(axum::serve(listener, app).into_future());

    sandbox.pay(charge.id())?;
    work(client, orders, queue).await;
    server.abort();
    Ok(())
}

/// Responds 200 if the queue has room, before the charge is confirmed.
async fn receive(State(sender): State<mpsc::Sender<Notification>>, body: Bytes) -> StatusCode {
    match webhook::parse(&body).map(|notification| sender.try_send(notification)) {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// Confirms the charges of the webhooks, one after the other. A shop also polls its unpaid orders,
/// because webhooks can get lost.
async fn work(
    client: Client,
    orders: HashMap<ChargeId, &'static str>,
    mut queue: mpsc::Receiver<Notification>,
) {
    let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
    // This example handles two notifications; a shop handles them for ever.
    for _ in 0..2 {
        let Some(notification) = queue.recv().await else { break };
        // Ignore charges that we never created.
        let Some(order) = orders.get(notification.id()) else { continue };
        match complete_if_paid(&client, &mut guard, &notification, order).await {
            Ok(Some(completion)) => println!("{order}: {completion:?}"),
            Ok(None) => println!("{order}: not paid"),
            Err(error) => println!("{order}: {error}"),
        }
    }
}

async fn complete_if_paid(
    client: &Client,
    guard: &mut CompletionGuard<RecentCompletions>,
    notification: &Notification,
    order: &str,
) -> Result<Option<Completion>, Box<dyn Error>> {
    if guard.is_completed(notification.id())? {
        return Ok(Some(Completion::Before));
    }
    let charge = client.confirm(notification).await?;
    println!("paid: {}", charge.is_paid());
    let Some(paid) = charge.to_paid() else { return Ok(None) };
    let completion = guard.begin(&paid)?;
    if completion == Completion::Now {
        ship(order).await?;
        guard.finish(&paid)?;
    }
    Ok(Some(completion))
}

/// Ships a paid order. A crash can repeat this call, so use the order number to make it idempotent.
async fn ship(order: &str) -> io::Result<()> {
    println!("shipping {order}");
    Ok(())
}
