//! Tests of responses with one charge.

use http::StatusCode;
use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::Operation;
use strike_core::{Advice, ApiKey, Charge, Create, Endpoint, ErrorKind, Network, NewCharge, UnixMillis};

use super::{get, get_json, list, response};
use crate::support;
use crate::support::invoices::written;
use crate::support::{CANARY, charge_json, endpoint, start};

#[test]
fn charge_has_every_attribute_of_the_response() {
    let charge =
        get_json(&charge_json(&[("customer_id", json!("order-17")), ("new_field", json!({"a": [1]}))]))
            .unwrap();
    assert_eq!(charge.id().as_str(), "ch_1");
    assert_eq!(charge.amount().get(), 4200);
    assert_eq!(charge.amount().get(), 4200);
    assert_eq!(charge.currency().as_str(), "btc");
    assert_eq!(charge.payment_hash().as_bytes(), &[0xab; 32]);
    assert_eq!(charge.payment_request(), "invented");
    assert_eq!(charge.description(), "tea");
    assert_eq!(charge.raw_customer_id(), Some("order-17"));
    assert!(!charge.is_paid());
    assert_eq!(charge.created(), UnixMillis::from_secs(1_700_000_000));
    assert_eq!(charge.updated(), charge.created());
}

#[test]
fn absent_or_null_customer_id_is_none() {
    assert_eq!(get_json(&charge_json(&[])).unwrap().raw_customer_id(), None);
    let mut null = charge_json(&[]);
    null["customer_id"] = Value::Null;
    assert_eq!(get_json(&null).unwrap().raw_customer_id(), None);
}

#[test]
fn times_are_read_as_seconds_or_milliseconds() {
    for (wire, millis) in [
        (1_522_570_000_u64, 1_522_570_000_000),
        (1_542_221_803_505, 1_542_221_803_505),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (99_999_999, 99_999_999_000),
        (5, 5000),
        (0, 0),
        (u64::MAX, u64::MAX),
    ] {
        let charge = get_json(&charge_json(&[("created", json!(wire)), ("updated", json!(wire))])).unwrap();
        assert_eq!(charge.created().as_millis(), millis);
        assert_eq!(charge.updated().as_millis(), millis);
        // Serialized and read again, the time is the same.
        let saved = serde_json::to_string(&charge).unwrap();
        assert_eq!(serde_json::from_str::<Charge>(&saved).unwrap(), charge, "{saved}");
    }
}

#[test]
fn charge_round_trips_through_json() {
    for changes in [vec![], vec![("customer_id", json!("x")), ("paid", json!(true))]] {
        let charge = support::charge(&changes);
        let saved = serde_json::to_string(&charge).unwrap();
        assert!(
            saved.starts_with(r#"{"id":"ch_1","object":"charge","amount":4200,"currency":"btc","#),
            "{saved}"
        );
        assert_eq!(saved.contains("customer_id"), charge.raw_customer_id().is_some());
        assert_eq!(serde_json::from_str::<Charge>(&saved).unwrap(), charge);
    }
}

#[test]
fn invalid_charges_are_undecodable() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_inside = charge_json(&[]).to_string().replacen('{', &format!("{{\"x\":{deep},"), 1);
    let twice = charge_json(&[]).to_string().replacen('{', "{\"paid\":true,", 1);
    let mut bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"<html><h1>Welcome</h1></html>".to_vec(),
        b"\xff\xfe".to_vec(),
        deep.into_bytes(),
        twice.into_bytes(),
        charge_json(&[]).to_string().into_bytes()[..200].to_vec(),
        br#"{"code":"x"}"#.to_vec(),
        br#"{"code":7,"message":"no status"}"#.to_vec(),
    ];
    for field in [
        "id",
        "amount",
        "currency",
        "amount_satoshi",
        "payment_hash",
        "payment_request",
        "paid",
        "created",
        "updated",
    ] {
        bodies.push(charge_json(&[(field, Value::Null)]).to_string().into_bytes());
    }
    for (field, wrong) in [
        ("id", json!("../x")),
        ("id", json!(1)),
        ("amount", json!("4200")),
        ("amount", json!(-1)),
        ("amount", json!(42.5)),
        ("amount", json!(1e30)),
        ("amount_satoshi", json!(null)),
        ("currency", json!("eur")),
        ("payment_hash", json!("ab")),
        ("payment_hash", json!("zz".repeat(32))),
        ("payment_hash", json!("€".repeat(21) + "a")),
        ("paid", json!("true")),
        ("paid", json!(1)),
        ("created", json!("now")),
        ("updated", json!(-5)),
        ("description", json!(7)),
        ("code", json!("even as an extra")),
        ("code", json!(-1)),
        ("code", json!({"code": 0})),
    ] {
        bodies.push(charge_json(&[(field, wrong)]).to_string().into_bytes());
    }
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        let error = get(&response(200, body)).expect_err(&shown);
        assert_eq!(error.kind(), &ErrorKind::Undecodable, "{shown}");
        assert_eq!(error.status(), Some(200));
        assert!(error.excerpt().is_none_or(|excerpt| excerpt.chars().count() <= 201));
        assert!(error.to_string().contains("get charge ch_1"), "{error}");
    }
    // Unknown fields are skipped, even if deeply nested.
    assert_eq!(get(&response(200, deep_inside)).unwrap().id().as_str(), "ch_1");
}

#[test]
fn get_rejects_a_charge_with_another_id() {
    let error = get_json(&charge_json(&[("id", json!("ch_2"))])).unwrap_err();
    let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error:?}") };
    assert_eq!((mismatch.field(), mismatch.expected(), mismatch.found()), ("id", "\"ch_1\"", "\"ch_2\""));
    assert_eq!(error.charge().unwrap().id().as_str(), "ch_2");
    assert_eq!(error.advice(), Advice::DoNotUse);
}

#[test]
fn create_rejects_an_invoice_of_another_network() {
    let key = ApiKey::new(CANARY).unwrap();
    let endpoint = Endpoint::new("http://127.0.0.1:1/api/v1/", key, Network::Bitcoin).unwrap();
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, "tea", None);
    let charge =
        charge_json(&[("payment_request", json!(invoice)), ("payment_hash", json!("ab".repeat(32)))]);
    let order = Create::new(NewCharge::satoshis(4200, "tea"));
    let error = order.parse(&endpoint, &response(200, charge.to_string()), start()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "invoice.network"));
    assert_eq!(error.advice(), Advice::CheckNetwork);
    assert!(error.to_string().contains("`Network` of the endpoint"), "{error}");
}

#[test]
fn create_rejects_a_charge_that_differs_from_the_order() {
    let create = |order: NewCharge, changes: &[(&str, Value)]| {
        Create::new(order).parse(&endpoint(), &response(200, charge_json(changes).to_string()), start())
    };
    let order = || NewCharge::satoshis(4200, "tea");
    create(order(), &[]).unwrap();
    create(order(), &[("customer_id", json!(""))]).unwrap();
    create(order().customer_id("a"), &[("customer_id", json!("a"))]).unwrap();
    for (order, changes, field) in [
        (order(), vec![("amount", json!(4201))], "amount"),
        (order(), vec![("amount_satoshi", json!(1))], "amount_satoshi"),
        (order(), vec![("description", json!("Tea"))], "description"),
        (order(), vec![("description", Value::Null)], "description"),
        (order(), vec![("customer_id", json!("b"))], "customer_id"),
        (order().customer_id("a"), vec![], "customer_id"),
        (order().customer_id("a"), vec![("customer_id", json!("b"))], "customer_id"),
    ] {
        let error = create(order, &changes).unwrap_err();
        let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error:?}") };
        assert_eq!(mismatch.field(), field);
        assert!(error.charge().is_some());
    }
}

#[test]
fn arrays_are_not_read_as_objects() {
    let array =
        json!(["ch_1", 4200, "btc", 4200, "ab".repeat(32), "lntb1", "tea", null, true, 1, 1]).to_string();
    assert_eq!(get(&response(200, array.clone())).unwrap_err().kind(), &ErrorKind::Undecodable);
    let error = get(&response(404, r#"[404, "not found"]"#)).unwrap_err();
    assert!(error.api().is_none());
    assert_eq!(get(&response(200, r#"[404, "not found"]"#)).unwrap_err().kind(), &ErrorKind::Undecodable);
    let page = list(&format!("[{array}]")).unwrap();
    assert_eq!((page.charges().count(), page.unreadable().count()), (0, 1));
}

#[test]
fn any_2xx_status_with_a_charge_is_a_success() {
    for status in [200, 201, 202, 299] {
        assert!(StatusCode::from_u16(status).unwrap().is_success());
        get(&response(status, charge_json(&[]).to_string())).unwrap();
    }
}
