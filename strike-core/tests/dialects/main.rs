//! Tests of the dialects: what is sent to phoenixd and LNbits, and how their responses are read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod charges;
mod create_once;
mod credentials;
mod errors;
mod expiry;
mod lists;
mod requests;
mod self_payment;
mod setup;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

use http::Response;
use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::Operation;
use strike_core::{
    ApiKey, Charge, CoreClient, Create, Endpoint, EndpointBuilder, Error, Get, Network, NewCharge, Password,
    RetryPolicy,
};
use support::invoices::written;
use support::start;

/// A password that must not appear in any output.
const PASSWORD: &str = "5ecre7pa55w0rd5ecre7pa55w0rd5ecre7pa55w0rd5ecre7pa55w0rd5ecre7pa";

/// An invoice key that must not appear in any output.
const INVOICE_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A preimage that must not appear in any output.
const PREIMAGE: &str = "9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c";

fn hash() -> String {
    "ab".repeat(32)
}

fn phoenixd_builder() -> EndpointBuilder {
    EndpointBuilder::phoenixd("http://127.0.0.1:9740", Password::new(PASSWORD).unwrap(), Network::Testnet)
}

fn phoenixd() -> Endpoint {
    phoenixd_builder().build().unwrap()
}

fn lnbits() -> Endpoint {
    Endpoint::lnbits("http://127.0.0.1:5000", ApiKey::new(INVOICE_KEY).unwrap(), Network::Bitcoin).unwrap()
}

fn client(endpoint: Endpoint) -> CoreClient {
    CoreClient::new(endpoint, RetryPolicy::never(), 1)
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// Returns a record of `payments/incoming` with some fields changed. `null` removes a field.
fn incoming(changes: &[(&str, Value)]) -> Value {
    let record = json!({
        "type": "incoming_payment",
        "subType": "lightning",
        "paymentHash": hash(),
        "preimage": PREIMAGE,
        "description": "tea",
        "invoice": written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(3600)),
        "isPaid": false,
        "isExpired": false,
        "requestedSat": 4200,
        "receivedSat": 0,
        "fees": 0,
        "expiresAt": 1_700_003_600_000_u64,
        "createdAt": 1_700_000_000_123_u64,
    });
    changed(record, changes)
}

/// Returns a payment of LNbits with some fields changed. `null` removes a field.
fn payment(changes: &[(&str, Value)]) -> Value {
    let record = json!({
        "checking_id": hash(),
        "payment_hash": hash(),
        "wallet_id": "6d8ee6fe31e1431db94ec0acadb26dea",
        "amount": 4_200_000,
        "fee": 0,
        "bolt11": written(Currency::Bitcoin, 4_200_000, "tea", Some(3600)),
        "status": "pending",
        "memo": "tea",
        "expiry": "2023-11-14T23:13:20+00:00",
        "webhook": null,
        "preimage": PREIMAGE,
        "time": "2023-11-14T22:13:20.123456+00:00",
        "created_at": "2023-11-14T22:13:20.123456+00:00",
        "updated_at": "2023-11-14T22:13:20.123456+00:00",
        "labels": [],
        "extra": {},
        "external_id": null,
    });
    changed(record, changes)
}

fn changed(mut record: Value, changes: &[(&str, Value)]) -> Value {
    let fields = record.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(*name);
        } else {
            fields.insert((*name).to_owned(), value.clone());
        }
    }
    record
}

/// Returns the response of LNbits to a get of this payment.
fn details(payment: &Value) -> Value {
    json!({ "paid": payment["status"] == "success", "preimage": PREIMAGE, "details": payment })
}

/// Reads a charge from a response with this status and body.
fn get(endpoint: &Endpoint, status: u16, body: &str) -> Result<Charge, Error> {
    let response = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
    Get::new(hash().parse().unwrap()).parse(endpoint, &response, start())
}

/// Reads the response to a create of [`order`].
fn created(endpoint: &Endpoint, status: u16, body: &str) -> Result<Charge, Error> {
    create(endpoint, order(), status, body)
}

fn create(endpoint: &Endpoint, order: NewCharge, status: u16, body: &str) -> Result<Charge, Error> {
    let response = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
    Create::new(order).parse(endpoint, &response, start())
}
