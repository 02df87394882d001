//! Faults that match phoenixd's routes, in memory.

use std::time::Duration;

use strike_core::http::{Method, StatusCode};
use strike_core::{Delivery, Exchange, HttpRequest, Reply, TransportErrorKind};
use strike_sandbox::Sandbox;
use strike_sandbox::faults::{After, Fault, Match, Plan};

use super::{builder, get, payment_hash, request_as, text_error};
use crate::support::{json, text};

const CREATE: &str = "amountSat=4200&description=tea";

fn reply(sandbox: &Sandbox, request: HttpRequest) -> Reply {
    sandbox.reply(Exchange::new(request, Duration::from_secs(10), 1 << 20))
}

fn with(requests: Match, fault: Fault) -> Sandbox {
    builder().faults(Plan::new().on(requests, fault)).build()
}

fn create() -> HttpRequest {
    request_as(":limited", Method::POST, "/createinvoice", CREATE)
}

#[test]
fn matches_of_phoenixd_select_create_get_and_list() {
    let hash = "ab".repeat(32);
    let requests = || {
        [
            create(),
            request_as(":limited", Method::GET, &format!("/payments/incoming/{hash}"), ""),
            request_as(":limited", Method::GET, "/payments/incoming?all=true", ""),
        ]
    };
    for (chosen, matcher) in
        [Match::phoenixd_create(), Match::phoenixd_get(), Match::phoenixd_list()].into_iter().enumerate()
    {
        let sandbox = with(matcher, Fault::close());
        for (index, request) in requests().into_iter().enumerate() {
            assert_eq!(reply(&sandbox, request).is_err(), index == chosen, "{index} {chosen}");
        }
    }
    let sandbox = with(Match::any(), Fault::close());
    assert!(requests().into_iter().all(|request| reply(&sandbox, request).is_err()));
    assert_eq!(sandbox.faults()[0].fired(), 3);
}

#[test]
fn lost_response_to_createinvoice_leaves_the_invoice() {
    let sandbox = with(Match::phoenixd_create().first(1), Fault::close());
    let error = reply(&sandbox, create()).expect_err("the connection is closed");
    assert_eq!((error.kind(), error.delivery()), (TransportErrorKind::Closed, Delivery::MaybeSent));
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn unprocessed_createinvoice_returns_an_invoice_that_is_not_stored() {
    let sandbox =
        with(Match::phoenixd_create(), Fault::latency(Duration::ZERO, Duration::ZERO).processed(false));
    let response = reply(&sandbox, create()).expect("a response");
    let hash = json(&response)["paymentHash"].as_str().expect("a hash").to_owned();
    assert_eq!(sandbox.charges(), 0);
    assert_eq!(text_error(&get(&sandbox, &format!("/payments/incoming/{hash}"))), (404, "Not found"));
    // The next invoice is another one.
    sandbox.clear_faults();
    assert_ne!(payment_hash(&sandbox, CREATE), hash);
}

#[test]
fn status_fault_has_the_text_of_phoenixd() {
    let unknown = request_as(":limited", Method::GET, &format!("/payments/incoming/{}", "ab".repeat(32)), "");
    for (request, status, expected) in [
        (create(), 404, "Unknown endpoint (check api doc)"),
        (unknown, 404, "Not found"),
        (create(), 401, "Invalid authentication (use basic auth with the http password set in phoenix.conf)"),
        (create(), 500, "Internal Server Error"),
        (create(), 503, "Service Unavailable"),
    ] {
        let status = StatusCode::from_u16(status).expect("a status");
        let sandbox = with(Match::any(), Fault::status(status));
        let response = reply(&sandbox, request).expect("a response");
        assert_eq!(text_error(&response), (status.as_u16(), expected));
        assert!(!response.headers().contains_key("date"));
        assert_eq!(sandbox.charges(), 0);
    }
}

#[test]
fn list_of_payments_can_be_cut_in_mid_body() {
    let sandbox = with(Match::phoenixd_list(), Fault::cut(After::BodyBytes(1)));
    let list = request_as(":limited", Method::GET, "/payments/incoming", "");
    let error = reply(&sandbox, list).expect_err("half a response");
    assert_eq!(error.kind(), TransportErrorKind::Cut);
}

#[test]
fn plan_in_json_accepts_paths_of_phoenixd_only_if_they_exist() {
    let plan =
        |path: &str| Plan::from_json(&format!(r#"{{"faults": [{{"path": "{path}", "fault": "close"}}]}}"#));
    for path in ["/createinvoice", "/payments/incoming/*", "/payments/**", "/getinfo", "/**"] {
        assert!(plan(path).is_ok(), "{path}");
    }
    for path in ["/createinvoices", "/sandbox/reset", "/", "payments/incoming"] {
        assert!(plan(path).expect_err(path).to_string().contains("can have faults"), "{path}");
    }
    let sandbox = with(Match::any(), Fault::status(StatusCode::IM_A_TEAPOT));
    let response = reply(&sandbox, crate::support::request_without_key(Method::GET, "/sandbox/clock"));
    assert_eq!(response.expect("a response").status(), 200);
}

#[test]
fn fault_can_supply_either_text_of_a_404() {
    let body =
        strike_core::http::Response::builder().status(404).body(b"Not found".to_vec()).expect("a response");
    let sandbox = with(Match::phoenixd_list(), Fault::answer(body));
    let response = reply(&sandbox, request_as(":limited", Method::GET, "/payments/incoming", ""));
    assert_eq!(text(&response.expect("a response")), "Not found");
}
