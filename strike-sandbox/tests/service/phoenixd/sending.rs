//! The routes that would send payments: they check their parameters and send nothing.

use strike_core::http::Method;

use super::{create, get, post, request_as, sandbox, text_error};
use crate::support::{json, text};

#[test]
fn payment_of_an_invoice_fails_with_a_reason() {
    let sandbox = sandbox();
    let created = create(&sandbox, "amountSat=4200&description=tea");
    let form = format!("invoice={}", created["serialized"].as_str().expect("an invoice"));
    let response = sandbox.respond(&request_as(":full", Method::POST, "/payinvoice", &form));
    let expected = serde_json::json!({
        "paymentHash": created["paymentHash"], "reason": "the sandbox sends no payments",
    });
    assert_eq!((response.status().as_u16(), json(&response)), (200, expected));
    assert!(sandbox.list_all().iter().all(|charge| charge.preimage().is_none()), "nothing is paid");
}

#[test]
fn sending_routes_report_what_is_missing() {
    let sandbox = sandbox();
    let send = |path: &str, form: &str| {
        let response = sandbox.respond(&request_as(":full", Method::POST, path, form));
        (response.status().as_u16(), text(&response).to_owned())
    };
    let hash = "ab".repeat(32);
    for (path, form, status, expected) in [
        ("/payinvoice", "", 400, "Request parameter invoice is missing"),
        ("/payoffer", "", 400, "Request parameter offer is missing"),
        ("/payoffer", "offer=lno1", 400, "Request parameter offer couldn't be parsed/converted to offer"),
        ("/paylnaddress", "", 400, "Request parameter amountSat is missing"),
        ("/lnurlpay", "", 400, "Request parameter lnurl is missing"),
        ("/lnurlauth", "lnurl=x", 400, "the sandbox does not support LNURL"),
        ("/sendtoaddress", "", 200, "Request parameter amountSat is missing"),
        ("/sendtoaddress", "amountSat=1&address=tb1&feerateSatByte=1", 200, "no channel available"),
        ("/bumpfee", "", 400, "Request parameter feerateSatByte is missing"),
        ("/bumpfee", "feerateSatByte=1", 200, "no channel available"),
        ("/closechannel", "", 400, "Request parameter channelId is missing"),
        (
            "/closechannel",
            &format!("channelId={hash}&address=tb1&feerateSatByte=1"),
            200,
            "no channel available",
        ),
    ] {
        assert_eq!(send(path, form), (status, expected.to_owned()), "{path} {form}");
    }
    let unreachable = send("/paylnaddress", "amountSat=1&address=a%40b.example");
    assert_eq!(unreachable.0, 500);
}

#[test]
fn offers_and_exports_are_refused_and_no_payment_was_sent() {
    let sandbox = sandbox();
    for response in [
        post(&sandbox, "/createoffer", "description=tea"),
        get(&sandbox, "/getoffer"),
        post(&sandbox, "/export", ""),
    ] {
        assert_eq!(text_error(&response).0, 400);
    }
    assert_eq!(text(&get(&sandbox, "/getlnaddress")), "must have one channel");
    assert_eq!(text(&get(&sandbox, "/payments/outgoing")), "[]");
    let by_hash = get(&sandbox, &format!("/payments/outgoingbyhash/{}", "ab".repeat(32)));
    assert_eq!(text_error(&by_hash), (404, "Not found"));
    let by_id = get(&sandbox, "/payments/outgoing/6f4e9d3a-0000-4000-8000-000000000000");
    assert_eq!(text_error(&by_id), (404, "Not found"));
    assert_eq!(text_error(&get(&sandbox, "/payments/outgoing/x")).0, 400);
}
