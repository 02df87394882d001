//! Receives a webhook with axum, and ships an order once it is paid; async.
//!
//! It brings its own sandbox, pays, and delivers the webhook to itself, twice.
#![allow(clippy::print_stdout, reason = "it shows something")]

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use strike_async::webhook::{self, Completion, Guard, Hint, Recent};
use strike_async::{ApiKey, ChargeId, Client, Endpoint, NewCharge};
use strike_sandbox::Sandbox;
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().start()?;
    let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
    let client = Client::new(at)?;
    let charge = client.create(NewCharge::satoshis(4200, "a pot of tea")).await?;
    let orders = HashMap::from([(charge.id().clone(), "order-17")]);

    // A bounded queue between the door and the worker: the door answers at once, and a flood stays outside.
    let (door, queue) = mpsc::channel(100);
    let app = Router::new()
        .route("/strike", post(receive))
        .layer(DefaultBodyLimit::max(webhook::MAX_BODY))
        .with_state(door);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let worker = tokio::spawn(work(client, orders, queue));

    sandbox.pay(charge.id())?;
    for _ in 0..2 {
        let id = charge.id().clone();
        let status = tokio::task::spawn_blocking(move || strike_examples::deliver(address, &id)).await??;
        println!("delivered: {status}");
    }
    // A shop runs for ever. Here the end of the server closes the queue, and the worker ends when that is empty.
    server.abort();
    worker.await?;
    Ok(())
}

/// Says 200 to a hint that fits into the queue, and never looks while the sender waits.
async fn receive(State(door): State<mpsc::Sender<Hint>>, body: Bytes) -> StatusCode {
    match webhook::parse(&body).map(|hint| door.try_send(hint)) {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// Looks at what was hinted, one after another. A shop also polls its unpaid orders, since deliveries get lost.
async fn work(client: Client, orders: HashMap<ChargeId, &'static str>, mut queue: mpsc::Receiver<Hint>) {
    let mut guard = Guard::new(Recent::new(1000));
    while let Some(hint) = queue.recv().await {
        // A charge that we never made is not worth a request.
        let Some(order) = orders.get(hint.id()) else { continue };
        match look(&client, &mut guard, &hint, order).await {
            Ok(completion) => println!("{order}: {completion:?}"),
            Err(error) => println!("{order}: {error}"),
        }
    }
}

async fn look(
    client: &Client,
    guard: &mut Guard<Recent>,
    hint: &Hint,
    order: &str,
) -> Result<Completion, Box<dyn Error>> {
    if guard.remembers(hint.id())? {
        return Ok(Completion::Before);
    }
    let charge = client.confirm(hint).await?;
    println!("paid: {}", charge.paid());
    let completion = guard.due(&charge)?;
    if completion == Completion::Now {
        ship(order).await?;
        guard.done(&charge)?;
    }
    Ok(completion)
}

/// What may only happen once it is paid. It may be repeated after a crash: let the order's number make that harmless.
async fn ship(order: &str) -> io::Result<()> {
    println!("shipping {order}");
    Ok(())
}
