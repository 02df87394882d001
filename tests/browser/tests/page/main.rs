//! Tests of the sandbox's page in Chromium. Without a browser they are skipped, with a message. With
//! `STRIKE_REQUIRE_BROWSER=1` they fail instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod account;
mod charges;
mod connection;
mod hostile;
mod layout;
mod screenshot;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

use serde_json::{Value, json};
use strike_core::http::Request;
use strike_core::{ChargeId, HttpRequest};
use strike_sandbox::{RunningSandbox, Sandbox};

use support::Browser;

/// Returns the page's URL.
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

/// Creates a charge without the page, and returns its JSON.
fn create(sandbox: &Sandbox, amount: u64, description: &str, expiry: u64) -> Value {
    let charge =
        json!({ "amount": amount, "currency": "btc", "description": description, "expiry_sec": expiry });
    let response = sandbox.respond(&post("/sandbox/charges", &charge));
    let text = String::from_utf8_lossy(response.body());
    assert_eq!(response.status(), 200, "{description}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

fn id(charge: &Value) -> ChargeId {
    charge["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}
