//! Fuzz target for the sandbox in memory: requests, payments and clock changes.

use std::time::Duration;

use strike_core::UnixMillis;
use strike_core::http::{HeaderValue, Method, Request};
use strike_sandbox::Sandbox;

use crate::input::Input;

const METHODS: [&str; 8] = ["GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "FROB"];
const KEYS: [Option<&str>; 4] =
    [Some("Basic c2tfZGVtbzo="), None, Some("Basic c2tfb3RoZXI6"), Some("Bearer sk_demo")];
const TYPES: [Option<&str>; 4] =
    [Some("application/x-www-form-urlencoded"), Some("application/json"), Some("text/plain"), None];

/// Sends up to 16 requests. Each is a byte for method, key and content type, a line for the target
/// and a line for the body. A `+` advances the clock and a `$` pays all charges instead.
pub(crate) fn sandbox(data: &[u8]) {
    let start = UnixMillis::from_millis(1_542_221_803_505);
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).clock_at(start).build();
    let mut input = Input::new(data);
    for _ in 0..16 {
        let Some(head) = input.byte() else { break };
        if head == b'+' {
            sandbox.advance(Duration::from_secs(u64::from(input.number())));
            continue;
        }
        if head == b'$' {
            for charge in sandbox.list_all() {
                let _ = sandbox.pay(charge.id());
                assert!(sandbox.charge(charge.id()).is_some());
            }
            continue;
        }
        let target = input.line();
        let body = input.line();
        let method = METHODS[usize::from(head % 8)];
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        if let Some(key) = KEYS[usize::from(head / 8 % 4)] {
            request = request.header("authorization", key);
        }
        if let Some(kind) = TYPES[usize::from(head / 32 % 4)] {
            request = request.header("content-type", kind);
        } else if let Ok(value) = HeaderValue::from_bytes(target) {
            request = request.header("content-type", value);
        }
        let Ok(request) = request.uri(target).body(body.to_vec()) else { continue };
        let before = sandbox.charges();
        let response = sandbox.respond(&request);
        let status = response.status();
        assert!(status.is_success() || status.is_client_error(), "{status} to {request:?}");
        let text = std::str::from_utf8(response.body()).unwrap();
        // The limit covers a page of a few charges and control responses that repeat the request.
        assert!(text.len() <= 64 * 1024 + 8 * data.len(), "{} bytes", text.len());
        let after = sandbox.charges();
        assert!(after <= before + 1);
        if after > before {
            assert_eq!((status.as_u16(), method), (200, "POST"), "{request:?}");
        }
        if after < before {
            assert!(request.uri().path().ends_with("/reset"), "{request:?} removed charges");
        }
        if request.uri().path().starts_with("/api/v1/charges") && method == "GET" {
            let key = request.headers().get("authorization").map(HeaderValue::as_bytes);
            let has_key = key == Some(b"Basic c2tfZGVtbzo=");
            assert!(has_key || !status.is_success(), "{status} without the key");
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
    }
}
