//! Helpers for the tests of phoenixd's API: requests with a password, and its responses.

mod access;
mod any_input;
mod client;
mod create;
mod decode;
mod faults;
mod invoice;
mod list;
mod node;
mod payment;
#[cfg(feature = "sqlite")]
mod restart;
mod sending;
mod webhooks;

use data_encoding::BASE64;
use serde_json::Value;
use strike_core::http::{HeaderValue, Method};
use strike_core::{HttpRequest, HttpResponse};
use strike_sandbox::{Phoenixd, Sandbox, SandboxBuilder};

use crate::support::{FORM, json, request_without_key, text};

fn builder() -> SandboxBuilder {
    let settings = Phoenixd::new().limited_password("limited").full_password("full");
    crate::support::builder().phoenixd(settings)
}

fn sandbox() -> Sandbox {
    builder().build()
}

/// Returns a request with Basic credentials. `path` is absolute.
fn request_as(credentials: &str, method: Method, path: &str, form: &str) -> HttpRequest {
    let mut request = request_without_key(method, path);
    let credentials = format!("Basic {}", BASE64.encode(credentials.as_bytes()));
    let headers = request.headers_mut();
    headers.insert("authorization", credentials.parse().expect("a header"));
    headers.insert("content-type", HeaderValue::from_static(FORM));
    *request.body_mut() = form.as_bytes().to_vec();
    request
}

/// Sends a request with the limited password.
fn get(sandbox: &Sandbox, path: &str) -> HttpResponse {
    sandbox.respond(&request_as(":limited", Method::GET, path, ""))
}

/// Sends a request with the limited password.
fn post(sandbox: &Sandbox, path: &str, form: &str) -> HttpResponse {
    sandbox.respond(&request_as(":limited", Method::POST, path, form))
}

/// Creates an invoice, asserts that it succeeds, and returns the JSON.
fn create(sandbox: &Sandbox, form: &str) -> Value {
    let response = post(sandbox, "/createinvoice", form);
    assert_eq!(response.status(), 200, "{}", text(&response));
    json(&response)
}

/// Creates an invoice and returns its payment hash.
fn payment_hash(sandbox: &Sandbox, form: &str) -> String {
    create(sandbox, form)["paymentHash"].as_str().expect("a hash").to_owned()
}

/// Pays an invoice over the control routes.
fn pay(sandbox: &Sandbox, hash: &str) {
    let response =
        sandbox.respond(&request_without_key(Method::POST, &format!("/sandbox/charges/{hash}/pay")));
    assert_eq!(response.status(), 200, "{}", text(&response));
}

/// Returns the record of a payment.
fn payment(sandbox: &Sandbox, hash: &str) -> Value {
    let response = get(sandbox, &format!("/payments/incoming/{hash}"));
    assert_eq!(response.status(), 200, "{}", text(&response));
    json(&response)
}

/// Asserts that the response is an error in plain text. Returns its status and text.
fn text_error(response: &HttpResponse) -> (u16, &str) {
    assert_eq!(response.headers()["content-type"], "text/plain; charset=UTF-8");
    (response.status().as_u16(), text(response))
}
