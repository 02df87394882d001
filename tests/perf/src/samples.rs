//! The requests and responses that the workloads use: of the size and in the order of a real server.

use std::fmt::Write as _;
use std::time::Duration;

use http::Response;
use strike_core::{ApiKey, Charge, ChargeId, Endpoint, HttpResponse, Network, NewCharge, Now, UnixMillis};

/// An invoice as LND makes it, for 4200 satoshi on testnet.
const INVOICE: &str = include_str!("invoice.txt");
const PAYMENT_HASH: &str = include_str!("payment_hash.txt");

pub fn endpoint(checks_invoices: bool) -> Endpoint {
    let url = "https://shop.example.com/api/v1/";
    let key = ApiKey::new("sk_00000000000000000000000000000000").unwrap();
    Endpoint::builder(url, key, Network::Testnet).check_invoices(checks_invoices).build().unwrap()
}

pub fn order() -> NewCharge {
    NewCharge::satoshis(4200, "a pot of tea")
}

pub fn charge_json(number: usize) -> String {
    format!(
        r#"{{
  "id" : "ch_7zXbGyJAbCPFMzLN{number:016}",
  "object" : "charge",
  "amount" : 4200,
  "currency" : "btc",
  "amount_satoshi" : 4200,
  "payment_hash" : "{hash}",
  "payment_request" : "{invoice}",
  "description" : "a pot of tea",
  "paid" : false,
  "created" : 1700000000000,
  "updated" : 1700000000000
}}"#,
        hash = PAYMENT_HASH.trim(),
        invoice = INVOICE.trim(),
    )
}

/// Appends a charge that was created at this time, in milliseconds since 1970.
pub fn write_charge(json: &mut String, row: u64, is_paid: bool, created: u64) {
    let _ = write!(
        json,
        r#"{{"id":"ch_7zXbGyJAbCPFMzLN{row:012}","object":"charge","amount":4200,"currency":"btc","amount_satoshi":4200,"payment_hash":"{hash}","payment_request":"{invoice}","description":"a pot of tea","paid":{is_paid},"created":{created},"updated":{created}}}"#,
        hash = PAYMENT_HASH.trim(),
        invoice = INVOICE.trim(),
    );
}

/// Returns the row of a charge of [`write_charge`], from its id or a path that ends with it.
pub fn row_of(id: &str) -> u64 {
    id.get(id.len() - 12..).unwrap().parse().unwrap()
}

pub fn charge(number: usize) -> Charge {
    serde_json::from_str(&charge_json(number)).unwrap()
}

pub fn response(body: String) -> HttpResponse {
    Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(body.into_bytes())
        .unwrap()
}

pub fn page(rows: usize) -> HttpResponse {
    let rows: Vec<String> = (0..rows).map(charge_json).collect();
    response(format!("[ {} ]", rows.join(", ")))
}

pub fn id() -> ChargeId {
    charge(0).id().clone()
}

pub fn now() -> Now {
    Now::new(Duration::ZERO, UnixMillis::from_millis(1_700_000_001_000))
}
