//! Webhooks in phoenixd's format: signed, with nulls, for every payment, sent once.

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use strike_core::http::StatusCode;
use strike_sandbox::{DeliveryState, Phoenixd, Sandbox, Webhook};

use super::{builder, pay, payment_hash};
use crate::support::any_charge;

const SECRET: &str = "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f";

fn settings() -> Phoenixd {
    Phoenixd::new().limited_password("limited").webhook_secret(SECRET)
}

fn webhook(url: &str) -> Webhook {
    Webhook::to(url).expect("a valid URL")
}

/// Takes all due webhooks, responds to each, and returns their URLs and bodies.
fn take_all(sandbox: &Sandbox, status: StatusCode) -> Vec<(String, String)> {
    let mut taken = Vec::new();
    while let Some(due) = sandbox.next_webhook() {
        let request = due.request();
        taken.push((request.uri().to_string(), String::from_utf8(request.body().clone()).expect("UTF-8")));
        due.answered(status);
    }
    taken
}

#[test]
fn phoenixd_webhook_is_pretty_printed_with_nulls_and_signed() {
    let sandbox = builder().phoenixd(settings().webhook(webhook("http://shop.example/hook"))).build();
    let hash = payment_hash(&sandbox, "amountSat=4200&description=tea&externalId=order-17");
    pay(&sandbox, &hash);
    let due = sandbox.next_webhook().expect("one is due");
    let expected = format!(
        "{{\n    \"type\": \"payment_received\",\n    \"timestamp\": 1542221803505,\n    \"amountSat\": 4200,\n    \
         \"paymentHash\": \"{hash}\",\n    \"externalId\": \"order-17\",\n    \"payerNote\": null,\n    \
         \"payerKey\": null\n}}"
    );
    assert_eq!(std::str::from_utf8(due.request().body()), Ok(expected.as_str()));
    let mut engine = HmacEngine::<sha256::Hash>::new(SECRET.as_bytes());
    engine.input(expected.as_bytes());
    let signature = Hmac::from_engine(engine).to_string();
    let headers = due.request().headers();
    assert_eq!(headers["x-phoenix-signature"], signature.as_str());
    assert_eq!(headers["content-type"], "application/json");
    due.answered(StatusCode::OK);
}

#[test]
fn every_payment_is_reported_to_all_phoenixd_webhooks_and_its_own() {
    let phoenixd = settings().webhook(webhook("http://a.example/")).webhook(webhook("http://b.example/"));
    let sandbox = builder().phoenixd(phoenixd).webhook(webhook("http://strike.example/")).build();
    let charge = any_charge(&sandbox);
    sandbox.pay(&charge).expect("it is unpaid");
    let urls = |taken: Vec<(String, String)>| taken.into_iter().map(|(url, _)| url).collect::<Vec<_>>();
    let taken = urls(take_all(&sandbox, StatusCode::OK));
    assert_eq!(taken, ["http://strike.example/", "http://a.example/", "http://b.example/"]);

    let form = "amountSat=1&description=&webhookUrl=http%3A%2F%2Fown.example%2F";
    pay(&sandbox, &payment_hash(&sandbox, form));
    let taken = take_all(&sandbox, StatusCode::OK);
    assert!(taken[0].1.starts_with(r#"{"object":"event""#), "the service's own webhook is unchanged");
    assert!(taken[1..].iter().all(|(_, body)| *body == taken[1].1));
    let expected =
        ["http://strike.example/", "http://a.example/", "http://b.example/", "http://own.example/"];
    assert_eq!(urls(taken), expected);
}

#[test]
fn failed_phoenixd_webhook_is_not_sent_again() {
    let sandbox = builder().phoenixd(settings().webhook(webhook("http://a.example/"))).build();
    let form = "amountSat=1&description=&webhookUrl=http%3A%2F%2Fown.example%2F";
    pay(&sandbox, &payment_hash(&sandbox, form));
    assert_eq!(take_all(&sandbox, StatusCode::INTERNAL_SERVER_ERROR).len(), 2);
    sandbox.advance(std::time::Duration::from_secs(3600));
    assert!(sandbox.next_webhook().is_none());
    assert!(sandbox.deliveries().iter().all(|delivery| delivery.state() == DeliveryState::Failed));
}

#[test]
fn fee_makes_the_amount_of_the_event_smaller_or_negative() {
    for (fee, amount) in [(1_500, 8), (4_000_000, -3990)] {
        let sandbox = builder()
            .phoenixd(settings().fee_millisatoshi(fee).webhook(webhook("http://a.example/")))
            .build();
        pay(&sandbox, &payment_hash(&sandbox, "amountSat=10&description="));
        let taken = take_all(&sandbox, StatusCode::OK);
        assert!(taken[0].1.contains(&format!("\"amountSat\": {amount},")), "{}", taken[0].1);
        assert!(taken[0].1.contains("\"externalId\": null"));
    }
}

#[test]
fn empty_webhook_url_is_none() {
    let sandbox = builder().phoenixd(settings()).build();
    pay(&sandbox, &payment_hash(&sandbox, "amountSat=1&description=&webhookUrl="));
    assert!(sandbox.deliveries().is_empty());
}
