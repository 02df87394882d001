//! One incoming payment, and what the two APIs show of each other's charges.

use std::time::Duration;

use serde_json::json;
use strike_core::http::Method;
use strike_sandbox::Phoenixd;

use super::{builder, get, pay, payment, payment_hash, sandbox, text_error};
use crate::support::{self, FORM, text};

#[test]
fn unpaid_payment_has_its_preimage_and_no_nulls() {
    let sandbox = sandbox();
    let hash = payment_hash(&sandbox, "amountSat=4200&description=tea&externalId=order-17");
    let record = payment(&sandbox, &hash);
    let expected = json!({
        "type": "incoming_payment",
        "subType": "lightning",
        "paymentHash": hash,
        "preimage": record["preimage"],
        "externalId": "order-17",
        "description": "tea",
        "invoice": record["invoice"],
        "isPaid": false,
        "isExpired": false,
        "requestedSat": 4200,
        "receivedSat": 0,
        "fees": 0,
        "expiresAt": 1_542_221_803_505_u64 + 86_400_000,
        "createdAt": 1_542_221_803_505_u64,
    });
    assert_eq!(record, expected);
    assert_eq!(record["preimage"].as_str().map(str::len), Some(64));
    let response = get(&sandbox, &format!("/payments/incoming/{hash}"));
    assert!(text(&response).starts_with("{\n    \"type\": \"incoming_payment\",\n    \"subType\""));
}

#[test]
fn paid_payment_expires_too_and_keeps_its_time() {
    let sandbox = sandbox();
    let hash = payment_hash(&sandbox, "amountSat=4200&description=tea&expirySeconds=60");
    sandbox.advance(Duration::from_secs(10));
    pay(&sandbox, &hash);
    sandbox.advance(Duration::from_secs(60));
    let record = payment(&sandbox, &hash);
    assert_eq!((&record["isPaid"], &record["isExpired"]), (&json!(true), &json!(true)));
    assert_eq!(record["completedAt"], json!(1_542_221_803_505_u64 + 10_000));
    assert_eq!((&record["receivedSat"], &record["fees"]), (&json!(4200), &json!(0)));
}

#[test]
fn expired_charge_is_shown_as_expired_at_once() {
    let sandbox = sandbox();
    let hash = payment_hash(&sandbox, "amountSat=1&description=");
    sandbox.expire(&hash.parse().expect("an id")).expect("it is unpaid");
    assert_eq!(payment(&sandbox, &hash)["isExpired"], json!(true));
}

#[test]
fn fee_is_taken_from_the_payment_and_may_exceed_it() {
    for (fee, received) in [(0, 10), (1, 9), (1_500, 8), (10_999, 0), (11_000, -1), (4_000_000, -3990)] {
        let sandbox =
            builder().phoenixd(Phoenixd::new().limited_password("limited").fee_millisatoshi(fee)).build();
        let hash = payment_hash(&sandbox, "amountSat=10&description=");
        pay(&sandbox, &hash);
        let record = payment(&sandbox, &hash);
        let figures = [&record["requestedSat"], &record["receivedSat"], &record["fees"], &record["isPaid"]];
        assert_eq!(figures, [&json!(10), &json!(received), &json!(fee), &json!(true)]);
    }
}

#[test]
fn unknown_payment_is_not_found_and_a_wrong_hash_is_a_400() {
    let sandbox = sandbox();
    let unknown = format!("/payments/incoming/{}", "ab".repeat(32));
    assert_eq!(text_error(&get(&sandbox, &unknown)), (404, "Not found"));
    let expected = "Request parameter paymentHash couldn't be parsed/converted to hex32";
    for hash in ["x", "ch_1", &"ab".repeat(31)] {
        assert_eq!(text_error(&get(&sandbox, &format!("/payments/incoming/{hash}"))), (400, expected));
    }
    let hash = payment_hash(&sandbox, "amountSat=1&description=");
    assert_eq!(payment(&sandbox, &hash.to_ascii_uppercase())["paymentHash"], json!(hash));
}

#[test]
fn charge_of_one_api_is_seen_and_paid_in_the_other() {
    let sandbox = sandbox();
    let charge = support::create(
        &sandbox,
        FORM,
        "amount=4200&currency=btc&description=tea&customer_id=order-17&expiry_sec=60",
    );
    let hash = charge["payment_hash"].as_str().expect("a hash");
    sandbox.pay(&support::id(&charge)).expect("it is unpaid");
    let record = payment(&sandbox, hash);
    let shown = [&record["externalId"], &record["invoice"], &record["isPaid"], &record["requestedSat"]];
    assert_eq!(shown, [&json!("order-17"), &charge["payment_request"], &json!(true), &json!(4200)]);

    let hash = payment_hash(&sandbox, "amountSat=17&description=cake&externalId=order-18");
    pay(&sandbox, &hash);
    let newest = support::json(&support::get(&sandbox, "charges?size=1"))[0].clone();
    let shown = [&newest["payment_hash"], &newest["customer_id"], &newest["paid"], &newest["amount"]];
    assert_eq!(shown, [&json!(hash), &json!("order-18"), &json!(true), &json!(17)]);
    let by_id = support::get(&sandbox, &format!("charges/{}", support::id(&newest)));
    assert_eq!(support::json(&by_id), newest);
    // The API of the service has no charges with such ids.
    assert_eq!(support::error(&support::get(&sandbox, &format!("charges/{hash}"))).0, 404);
}

#[test]
fn control_routes_accept_a_payment_hash_as_id() {
    let sandbox = sandbox();
    let hash = payment_hash(&sandbox, "amountSat=1&description=");
    let send = |method, hash: &str, action| {
        let path = format!("/sandbox/charges/{hash}{action}");
        support::json(&sandbox.respond(&support::request_without_key(method, &path)))
    };
    for (method, action) in [(Method::GET, ""), (Method::POST, "/expire")] {
        assert_eq!(send(method, &hash, action)["payment_hash"], json!(hash), "{action}");
    }
    let other = payment_hash(&sandbox, "amountSat=1&description=");
    let paid = send(Method::POST, &other, "/pay");
    assert_eq!(paid["id"], json!(sandbox.list_all()[0].id().as_str()));
    assert!(sandbox.charge(&hash.parse().expect("an id")).is_some());
}
