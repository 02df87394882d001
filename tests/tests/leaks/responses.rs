//! Responses of the sandbox contain no key, with right and wrong credentials, on every route and
//! for every mistake.

use data_encoding::BASE64;
use strike_core::{HttpRequest, HttpResponse};
use strike_sandbox::faults::{Fault, Match, Plan};
use strike_sandbox::{Quirks, Sandbox, Webhook};

use crate::secrets::{KEY, assert_debug_has_no_secret, assert_no_secret};

/// A request with credentials, whether its path requires them or not.
fn request(method: &str, path: &str, credentials: &str, body: &str) -> HttpRequest {
    strike_core::http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1{path}"))
        .header("authorization", format!("Basic {}", BASE64.encode(credentials.as_bytes())))
        .body(body.as_bytes().to_vec())
        .unwrap()
}

#[track_caller]
fn assert_response_has_no_secret(what: &str, response: &HttpResponse) {
    assert_no_secret(what, &format!("{} {:?}", response.status(), response.headers()));
    assert_no_secret(what, &String::from_utf8_lossy(response.body()));
}

#[test]
fn sandbox_responses_contain_no_key_on_any_route() {
    let sandbox = Sandbox::builder()
        .api_key(KEY)
        .quirks(Quirks::new().extra_keys().requests_per_minute(6))
        .webhook(Webhook::to("http://127.0.0.1:1/hook").unwrap())
        .faults(Plan::new().on(Match::get().nth(100), Fault::close()))
        .build();
    let good = format!("{KEY}:");
    let made = sandbox.respond(&request("POST", "/api/v1/charges", &good, "amount=1&currency=btc"));
    assert_eq!(made.status(), 200);
    let id = sandbox.list_all()[0].id().clone();
    sandbox.pay(&id).unwrap();

    let mut statuses = Vec::new();
    for credentials in [good.as_str(), "sk_other:", &format!("x{KEY}:"), &format!("x:{KEY}")] {
        for (method, path, body) in [
            ("POST", "/api/v1/charges".to_owned(), "amount=blah&currency=btc"),
            ("POST", "/api/v1/charges".to_owned(), "{\"amount\": \"blah\"}"),
            ("GET", "/api/v1/charges".to_owned(), ""),
            ("GET", format!("/api/v1/charges/{id}"), ""),
            ("GET", "/api/v1/charges/-1".to_owned(), ""),
            ("GET", "/api/v1/charges?page=one".to_owned(), ""),
            ("PUT", "/api/v1/charges".to_owned(), ""),
            ("OPTIONS", "/api/v1/charges".to_owned(), ""),
            ("GET", "/".to_owned(), ""),
            ("GET", "/nowhere".to_owned(), ""),
            ("GET", "/sandbox/charges".to_owned(), ""),
            ("GET", format!("/sandbox/charges/{id}"), ""),
            ("POST", format!("/sandbox/charges/{id}/pay"), ""),
            ("POST", format!("/sandbox/charges/{id}/expire"), ""),
            ("GET", "/sandbox/deliveries".to_owned(), ""),
            ("POST", "/sandbox/deliveries/1/send".to_owned(), ""),
            ("GET", "/sandbox/faults".to_owned(), ""),
            ("POST", "/sandbox/faults".to_owned(), "{\"faults\": [{}]}"),
            ("GET", "/sandbox/clock".to_owned(), ""),
            ("PUT", "/sandbox/clock".to_owned(), ""),
            ("POST", "/sandbox/clock".to_owned(), "{\"advance\": 1}"),
            ("POST", "/sandbox/seed".to_owned(), "{}"),
            ("GET", "/sandbox/events".to_owned(), ""),
        ] {
            let response = sandbox.respond(&request(method, &path, credentials, body));
            assert_response_has_no_secret(&format!("the response to {method} {path}"), &response);
            statuses.push(response.status().as_u16());
        }
    }
    for status in [200, 400, 401, 404, 405, 409, 429] {
        assert!(statuses.contains(&status), "no response had status {status}: {statuses:?}");
    }
    assert_debug_has_no_secret("the charges", &sandbox.list_all());
    assert_debug_has_no_secret("the deliveries", &sandbox.deliveries());
    assert_debug_has_no_secret("the faults", &sandbox.faults());
    let webhook = sandbox.next_webhook().unwrap();
    assert_debug_has_no_secret("a webhook", &webhook);
    assert_no_secret("a webhook", &format!("{:?}", webhook.request().headers()));
    assert_no_secret("a webhook", &String::from_utf8_lossy(webhook.request().body()));
}
