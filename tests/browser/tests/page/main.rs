//! The sandbox's page in a real browser: Chromium, by way of its driver. Where there is none, the tests say that they were
//! skipped; with `STRIKE_REQUIRE_BROWSER=1` they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod browser;
mod driver;

mod buying;
mod connection;
mod hostile;
mod look;
mod webhooks;

use serde_json::{Value, json};
use strike_core::http::Request;
use strike_core::{ChargeId, HttpRequest};
use strike_sandbox::{RunningSandbox, Sandbox};

use browser::Browser;

/// The page's address.
fn root(sandbox: &RunningSandbox) -> String {
    format!("http://{}/", sandbox.address())
}

fn start() -> RunningSandbox {
    Sandbox::builder().start().expect("a free port")
}

fn post(path: &str, body: &Value) -> HttpRequest {
    let request = Request::post(format!("http://127.0.0.1{path}")).header("content-type", "application/json");
    request.body(body.to_string().into_bytes()).expect("a request")
}

/// Makes a charge behind the page's back, and gives its JSON.
fn make(sandbox: &Sandbox, amount: u64, description: &str, expiry: u64) -> Value {
    let wanted =
        json!({ "amount": amount, "currency": "btc", "description": description, "expiry_sec": expiry });
    let response = sandbox.respond(&post("/sandbox/charges", &wanted));
    let text = String::from_utf8_lossy(response.body());
    assert_eq!(response.status(), 200, "{description}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

fn id(charge: &Value) -> ChargeId {
    charge["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}
