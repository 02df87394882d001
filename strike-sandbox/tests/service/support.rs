//! Helpers that send requests to a sandbox with a fixed seed and clock.

use serde_json::Value;
use strike_core::http::{Method, Request};
use strike_core::{ChargeId, HttpRequest, HttpResponse, UnixMillis};
use strike_sandbox::{Sandbox, SandboxBuilder};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";
/// The creation time of a recorded charge.
pub(crate) const NOW: UnixMillis = UnixMillis::from_millis(1_542_221_803_505);

pub(crate) fn builder() -> SandboxBuilder {
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(NOW)
}

pub(crate) fn sandbox() -> Sandbox {
    builder().build()
}

/// Returns a request without credentials. `path` is absolute.
pub(crate) fn request_without_key(method: Method, path: &str) -> HttpRequest {
    Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1{path}"))
        .body(Vec::new())
        .expect("a valid request")
}

/// Returns a request with credentials. `tail` is relative to `/api/v1/`.
pub(crate) fn request(method: Method, tail: &str, content_type: &str, body: &[u8]) -> HttpRequest {
    let mut request = request_without_key(method, &format!("/api/v1/{tail}"));
    let headers = request.headers_mut();
    headers.insert("authorization", "Basic c2tfZGVtbzo=".parse().expect("a header"));
    headers.insert("content-type", content_type.parse().expect("a header"));
    *request.body_mut() = body.to_vec();
    request
}

pub(crate) fn post(sandbox: &Sandbox, content_type: &str, body: &str) -> HttpResponse {
    sandbox.respond(&request(Method::POST, "charges", content_type, body.as_bytes()))
}

pub(crate) fn get(sandbox: &Sandbox, tail: &str) -> HttpResponse {
    sandbox.respond(&request(Method::GET, tail, "text/plain", b""))
}

pub(crate) fn text(response: &HttpResponse) -> &str {
    std::str::from_utf8(response.body()).expect("UTF-8")
}

pub(crate) fn json(response: &HttpResponse) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

/// Creates a charge, asserts that it succeeds, and returns the JSON of the charge.
pub(crate) fn create(sandbox: &Sandbox, content_type: &str, body: &str) -> Value {
    let response = post(sandbox, content_type, body);
    assert_eq!(response.status(), 200, "{}", text(&response));
    json(&response)
}

/// Creates a charge of 1 satoshi and returns its id.
pub(crate) fn any_charge(sandbox: &Sandbox) -> ChargeId {
    id(&create(sandbox, FORM, "amount=1&currency=btc&description=x"))
}

pub(crate) fn id(charge: &Value) -> ChargeId {
    charge["id"].as_str().expect("a charge id").parse().expect("a charge id")
}

/// Asserts that the response is a well-formed error. Returns its status and message.
pub(crate) fn error(response: &HttpResponse) -> (u16, String) {
    let status = response.status().as_u16();
    let body = json(response);
    assert_eq!(body["code"], status);
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
    (status, body["message"].as_str().expect("a message").to_owned())
}
