//! Runs the unmodified crate phoenixd-rs against the sandbox: it creates an invoice, reads it before
//! and after the payment, receives the webhook, and gets the errors.
//!
//! The argument is the line that `strike-sandbox --json` prints.

use std::error::Error;
use std::time::Duration;

use phoenixd_rs::{InvoiceRequest, Phoenixd};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let info: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("no argument")?)?;
    let text = |name: &str| info[name].as_str().map(str::to_owned).ok_or(format!("no {name}"));
    let url = text("phoenixd_url")?;
    let client = Phoenixd::new(&text("phoenixd_password")?, &url)?;

    // The webhook's receiver is part of the crate.
    let (sender, mut webhooks) = mpsc::channel(1);
    let router = client.create_invoice_webhook_router("/hook", sender).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let webhook_url = format!("http://{}/hook", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let request = |amount_sat, description: Option<&str>| InvoiceRequest {
        external_id: Some("order-17".to_owned()),
        description: description.map(str::to_owned),
        description_hash: None,
        amount_sat,
        webhook_url: Some(webhook_url.clone()),
    };
    let created = client.create_invoice(request(4200, Some("tea"))).await?;
    assert_eq!((created.amount_sat, created.payment_hash.len()), (4200, 64));
    assert!(created.serialized.starts_with("lntb42u1"), "{}", created.serialized);

    let unpaid = client.get_incoming_invoice(&created.payment_hash).await?;
    assert_eq!((unpaid.is_paid, unpaid.received_sat, unpaid.completed_at), (false, 0, None));
    assert_eq!((unpaid.invoice, unpaid.description), (created.serialized, "tea".to_owned()));

    let pay = format!("{url}/sandbox/charges/{}/pay", created.payment_hash);
    reqwest::Client::new().post(pay).send().await?.error_for_status()?;
    let paid = client.get_incoming_invoice(&created.payment_hash).await?;
    assert_eq!((paid.is_paid, paid.received_sat, paid.fees), (true, 4200, 0));
    assert!(paid.completed_at >= Some(paid.created_at));
    assert_eq!(paid.external_id.as_deref(), Some("order-17"));

    let webhook = timeout(TIMEOUT, webhooks.recv()).await?.ok_or("no webhook")?;
    assert_eq!((webhook._type.as_str(), webhook.amount_sat), ("payment_received", 4200));
    assert_eq!((webhook.payment_hash, webhook.external_id.as_deref()), (created.payment_hash, Some("order-17")));

    // Errors are not JSON, so the crate reports a decode error.
    assert!(client.create_invoice(request(0, Some("tea"))).await.is_err());
    assert!(client.create_invoice(request(1, None)).await.is_err());
    assert!(client.get_incoming_invoice(&"ab".repeat(32)).await.is_err());
    let wrong = Phoenixd::new("wrong", &url)?;
    assert!(wrong.create_invoice(request(1, Some("tea"))).await.is_err());

    println!("phoenixd-rs 0.5.0: created, read, paid, received the webhook");
    Ok(())
}
