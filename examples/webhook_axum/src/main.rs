//! Receives webhooks with axum, and ships an order once it is paid, with the async client.
//!
//! The example starts a sandbox, which sends each webhook twice. With `STRIKE_BACKEND=phoenixd`, the
//! sandbox acts as a phoenixd and signs its webhooks. The receiver also takes those of LNbits.
//! `cargo test -p strike-example-axum` tests it with all three.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use strike_async::webhook::{
    self, Completion, CompletionGuard, InvalidWebhook, Notification, RecentCompletions,
};
use strike_async::{ChargeId, Client, Endpoint, NewCharge};
use strike_examples::Backend;
use strike_sandbox::Webhook;
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    run(strike_examples::backend()?, &mut io::stdout()).await
}

async fn run(backend: Backend, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let webhook = Webhook::to(&format!("http://{}/paid", listener.local_addr()?))?.repeat(2);
    let (sandbox, endpoint) = strike_examples::sandbox_with_webhook(backend, webhook)?;
    let client = Client::new(endpoint.clone())?;
    let charge = client.create(NewCharge::satoshis(4200, "a pot of tea")).await?;
    let orders = HashMap::from([(charge.id().clone(), "order-17")]);

    // The queue is bounded: the server responds at once, and rejects webhooks while the queue is
    // full.
    let (sender, queue) = mpsc::channel(100);
    let app = Router::new()
        .route("/paid", post(receive))
        .layer(DefaultBodyLimit::max(webhook::MAX_BODY))
        .with_state(Receiver { endpoint, sender });
    let server = tokio::spawn(axum::serve(listener, app).into_future());

    sandbox.pay(charge.id())?;
    work(client, orders, queue, out).await?;
    server.abort();
    Ok(())
}

/// What the receiver of webhooks needs.
#[derive(Clone)]
struct Receiver {
    endpoint: Endpoint,
    sender: mpsc::Sender<Notification>,
}

/// Responds 200 if the queue has room, before the charge is confirmed. The signature of phoenixd
/// covers the bytes of the body as they arrived, so take them as [`Bytes`].
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match receiver.endpoint.read_webhook(&headers, &body).map(|it| receiver.sender.try_send(it)) {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(InvalidWebhook::BadSignature) => StatusCode::UNAUTHORIZED,
        Err(InvalidWebhook::NoSecret) => StatusCode::INTERNAL_SERVER_ERROR,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// Confirms the charges of the webhooks, one after the other. A shop also polls its unpaid orders,
/// because webhooks can get lost.
async fn work(
    client: Client,
    orders: HashMap<ChargeId, &'static str>,
    mut queue: mpsc::Receiver<Notification>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
    // This example handles two notifications; a shop handles them for ever.
    for _ in 0..2 {
        let Some(notification) = queue.recv().await else { break };
        // Ignore charges that we never created.
        let Some(order) = orders.get(notification.id()) else { continue };
        match complete_if_paid(&client, &mut guard, &notification, order, out).await {
            Ok(Some(completion)) => writeln!(out, "{order}: {completion:?}")?,
            Ok(None) => writeln!(out, "{order}: not paid")?,
            Err(error) => writeln!(out, "{order}: {error}")?,
        }
    }
    Ok(())
}

async fn complete_if_paid(
    client: &Client,
    guard: &mut CompletionGuard<RecentCompletions>,
    notification: &Notification,
    order: &str,
    out: &mut impl Write,
) -> Result<Option<Completion>, Box<dyn Error>> {
    if guard.is_completed(notification.id())? {
        return Ok(Some(Completion::Before));
    }
    let charge = client.confirm(notification).await?;
    writeln!(out, "paid: {}", charge.is_paid())?;
    let Some(paid) = charge.to_paid() else { return Ok(None) };
    let completion = guard.begin(&paid)?;
    if completion == Completion::Now {
        ship(order, out).await?;
        guard.finish(&paid)?;
    }
    Ok(Some(completion))
}

/// Ships a paid order. A crash can repeat this call, so use the order number to make it idempotent.
async fn ship(order: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "shipping {order}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use strike_async::{ApiKey, EndpointBuilder, Network, Password, WebhookSecret};

    /// A webhook of phoenixd.
    const BODY: &str = r#"{
    "type": "payment_received",
    "timestamp": 1753257600123,
    "amountSat": 4200,
    "paymentHash": "abababababababababababababababababababababababababababababababab",
    "externalId": "order-17",
    "payerNote": null,
    "payerKey": null
}"#;

    /// Its signature with the secret `5f5f...`.
    const SIGNATURE: &str = "599dada671e852dd9891db521cbe3a13fc583c6bb37e058721cfe5f13bf5e913";

    /// Its signature with the 32 bytes that the hex digits of the secret name.
    const DECODED_KEY: &str = "e646e3e62f4fbfe8502a49b5028fb311ffcc08dff46e1ee4ef50d8b6b52f0a64";

    /// Posts a webhook. Returns the status and the id that the receiver has queued.
    async fn post(endpoint: &Endpoint, signature: Option<&str>, body: &str) -> (u16, Option<String>) {
        let (sender, mut queue) = mpsc::channel(1);
        let headers = signature.map(|it| ("x-phoenix-signature".parse().unwrap(), it.parse().unwrap()));
        let receiver = Receiver { endpoint: endpoint.clone(), sender };
        let body = Bytes::copy_from_slice(body.as_bytes());
        let status = receive(State(receiver), headers.into_iter().collect(), body).await;
        (status.as_u16(), queue.try_recv().ok().map(|notification| notification.id().to_string()))
    }

    #[tokio::test]
    async fn axum_receiver_does_not_ship_an_order_again_after_a_replay() {
        for backend in [Backend::Strike, Backend::Phoenixd] {
            let mut out = Vec::new();
            run(backend, &mut out).await.unwrap();
            let expected = "paid: true\nshipping order-17\norder-17: Now\norder-17: Before\n";
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{backend:?}");
        }
    }

    #[tokio::test]
    async fn axum_receiver_queues_only_signed_webhooks_of_phoenixd() {
        let password = Password::new("ab".repeat(32)).unwrap();
        let endpoint = EndpointBuilder::phoenixd("http://127.0.0.1:9740", password, Network::Bitcoin)
            .webhook_secret(WebhookSecret::new("5f".repeat(32)).unwrap())
            .build()
            .unwrap();
        assert_eq!(post(&endpoint, Some(SIGNATURE), BODY).await, (200, Some("ab".repeat(32))));
        for (signature, body) in [
            (None, BODY.to_owned()),
            (Some(DECODED_KEY), BODY.to_owned()),
            (Some(SIGNATURE), BODY.replace("4200", "4201")),
            (Some(SIGNATURE), BODY.replace('\n', "")),
        ] {
            assert_eq!(post(&endpoint, signature, &body).await, (401, None), "{signature:?} {body}");
        }
    }

    #[tokio::test]
    async fn axum_receiver_queues_webhooks_of_strike_and_lnbits_as_hints() {
        let key = || ApiKey::new("ab".repeat(16)).unwrap();
        let strike = Endpoint::new("http://127.0.0.1/", key(), Network::Testnet).unwrap();
        let event = r#"{"object":"event","data":{"id":"ch_1"}}"#;
        assert_eq!(post(&strike, None, event).await, (200, Some("ch_1".to_owned())));
        let lnbits = Endpoint::lnbits("http://127.0.0.1:5000", key(), Network::Bitcoin).unwrap();
        let hash = "cd".repeat(32);
        let body = format!(r#""{{\"payment_hash\": \"{hash}\", \"status\": \"success\"}}""#);
        assert_eq!(post(&lnbits, None, &body).await, (200, Some(hash)));
        assert_eq!(post(&lnbits, None, BODY).await, (400, None));
        assert_eq!(post(&strike, None, BODY).await, (400, None));
    }
}
