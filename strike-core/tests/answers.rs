//! What an answer means: a charge, a list, or an error that says what came back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::error::Error as _;
use std::time::Duration;

use http::{Response, StatusCode};
use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::Operation;
use strike_core::{
    Advice, ApiKey, Charge, Create, Endpoint, Error, ErrorKind, Get, HttpResponse, List, Network, NewCharge,
    Page, RetryAfter, Row, UnixMillis,
};
use support::invoices::written;
use support::{CANARY, charge_json, endpoint, start};

fn response(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn get(response: &HttpResponse) -> Result<Charge, Error> {
    Get::new("ch_1".parse().unwrap()).parse(&endpoint(), response, start())
}

fn get_json(body: &Value) -> Result<Charge, Error> {
    get(&response(200, body.to_string()))
}

fn list(body: &str) -> Result<Page, Error> {
    List::page(0).parse(&endpoint(), &response(200, body), start())
}

#[test]
fn every_attribute_of_a_charge() {
    let charge =
        get_json(&charge_json(&[("customer_id", json!("order-17")), ("new_field", json!({"a": [1]}))]))
            .unwrap();
    assert_eq!(charge.id().as_str(), "ch_1");
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
fn an_absent_customer_id_is_absent() {
    assert_eq!(get_json(&charge_json(&[])).unwrap().raw_customer_id(), None);
    let mut null = charge_json(&[]);
    null["customer_id"] = Value::Null;
    assert_eq!(get_json(&null).unwrap().raw_customer_id(), None);
}

#[test]
fn times_are_seconds_or_milliseconds() {
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
        // Kept and read again, it is still that time.
        let kept = serde_json::to_string(&charge).unwrap();
        assert_eq!(serde_json::from_str::<Charge>(&kept).unwrap(), charge, "{kept}");
    }
}

#[test]
fn a_charge_can_be_kept_and_read_again() {
    for changes in [vec![], vec![("customer_id", json!("x")), ("paid", json!(true))]] {
        let charge = support::charge(&changes);
        let kept = serde_json::to_string(&charge).unwrap();
        assert!(
            kept.starts_with(r#"{"id":"ch_1","object":"charge","amount":4200,"currency":"btc","#),
            "{kept}"
        );
        assert_eq!(kept.contains("customer_id"), charge.raw_customer_id().is_some());
        assert_eq!(serde_json::from_str::<Charge>(&kept).unwrap(), charge);
    }
}

#[test]
fn what_is_no_charge_is_undecodable() {
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
    // Unknown fields are skipped, however deep.
    assert_eq!(get(&response(200, deep_inside)).unwrap().id().as_str(), "ch_1");
}

#[test]
fn statuses_and_what_to_do() {
    for (status, kind, pystrike, advice) in [
        (301, ErrorKind::Redirected, "UnexpectedResponseException", Advice::CheckHost),
        (304, ErrorKind::Redirected, "UnexpectedResponseException", Advice::CheckHost),
        (400, ErrorKind::BadRequest, "ClientRequestException", Advice::CheckHost),
        (401, ErrorKind::Unauthorized, "ClientRequestException", Advice::CheckKey),
        (403, ErrorKind::Rejected, "ClientRequestException", Advice::CheckHost),
        (404, ErrorKind::PathNotFound, "UnexpectedResponseException", Advice::CheckHost),
        (418, ErrorKind::Rejected, "ClientRequestException", Advice::CheckHost),
        (429, ErrorKind::RateLimited { retry_after: None }, "ClientRequestException", Advice::RetryLater),
        (500, ErrorKind::Server, "ServerErrorException", Advice::RetryLater),
        (599, ErrorKind::Server, "ServerErrorException", Advice::RetryLater),
        (101, ErrorKind::Undecodable, "UnexpectedResponseException", Advice::CheckHost),
        (700, ErrorKind::Undecodable, "UnexpectedResponseException", Advice::CheckHost),
    ] {
        // A charge in the body of an error is no charge.
        let error = get(&response(status, charge_json(&[]).to_string())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&kind, Some(status)));
        assert_eq!((error.kind().pystrike_name(), error.advice()), (Some(pystrike), advice));
        assert!(error.api().is_none() && error.excerpt().unwrap().starts_with('{'));
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
}

#[test]
fn a_code_that_says_nothing_is_none() {
    for nothing in [Value::Null, json!(0)] {
        let charge = charge_json(&[("code", nothing)]);
        assert_eq!(get(&response(200, charge.to_string())).unwrap().id().as_str(), "ch_1");
        let page = list(&json!([charge, charge]).to_string()).unwrap();
        assert_eq!((page.charges().count(), page.unreadable().count()), (2, 0));
    }
}

#[test]
fn an_object_with_a_code_is_an_error_whatever_the_status() {
    for (http, code, kind) in
        [(200, 404, ErrorKind::NotFound), (200, 401, ErrorKind::Unauthorized), (201, 500, ErrorKind::Server)]
    {
        let body = json!({"code": code, "message": "no\nno"}).to_string();
        let error = get(&response(http, body.clone())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&kind, Some(code)));
        assert_eq!((error.api().unwrap().code(), error.api().unwrap().message()), (i64::from(code), "no no"));
        assert_eq!(list(&body).unwrap_err().kind(), &kind);
    }
    // The status counts where it says more than success.
    let error = get(&response(404, json!({"code": 500, "message": "x"}).to_string())).unwrap_err();
    assert_eq!((error.kind(), error.status()), (&ErrorKind::PathNotFound, Some(404)));
}

#[test]
fn only_a_404_in_the_apis_words_is_about_a_charge() {
    let unknown = response(404, r#"{"code":404,"message":"not found"}"#);
    let error = get(&unknown).unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::NotFound, Advice::CheckId));
    assert_eq!(error.kind().pystrike_name(), Some("ChargeNotFoundException"));
    // A create or a list names no charge: its path is wrong.
    let create = Create::new(NewCharge::satoshis(4200, "tea"));
    for error in [
        create.parse(&endpoint(), &unknown, start()).unwrap_err(),
        List::page(0).parse(&endpoint(), &unknown, start()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::NotFound, Advice::CheckHost), "{error}");
    }
    for body in
        ["", "<html>nginx</html>", r#"{"message":"not found"}"#, r#"{"code":"404"}"#, r#"{"code":40}"#]
    {
        let error = get(&response(404, body)).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::PathNotFound, Advice::CheckHost), "{body}");
    }
}

#[test]
fn a_code_that_is_no_status_says_nothing() {
    for code in [0, 200, 299, 600, 66_036] {
        let error = get(&response(200, json!({"code": code, "message": "x"}).to_string())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&ErrorKind::Undecodable, Some(200)), "{code}");
    }
}

#[test]
fn a_row_with_a_code_is_no_charge() {
    let doubtful = charge_json(&[("paid", json!(true)), ("code", json!(500))]);
    for (rows, charges) in [(json!([doubtful]), 0), (json!([charge_json(&[]), doubtful]), 1)] {
        let page = list(&rows.to_string()).unwrap();
        assert_eq!((page.charges().count(), page.unreadable().count()), (charges, 1), "{rows}");
        assert!(page.unreadable().all(|row| row.reason().contains("code")), "{page:?}");
    }
}

#[test]
fn an_error_begins_with_what_was_asked() {
    let answer = response(500, "");
    let create =
        Create::new(NewCharge::satoshis(4200, "tea")).parse(&endpoint(), &answer, start()).unwrap_err();
    let list = List::page(3).parse(&endpoint(), &answer, start()).unwrap_err();
    for (error, asked) in [
        (create, "create charge of 4200"),
        (list, "list charges, page 3: "),
        (get(&answer).unwrap_err(), "get charge ch_1: "),
    ] {
        assert!(error.to_string().starts_with(asked), "{error}");
    }
}

#[test]
fn retry_after_in_all_its_forms() {
    let date = UnixMillis::from_millis(1_542_221_803_000);
    for (header, expected) in [
        ("7", Some(RetryAfter::In(Duration::from_secs(7)))),
        (" 0 ", Some(RetryAfter::In(Duration::ZERO))),
        ("18446744073709551615", Some(RetryAfter::In(Duration::from_secs(u64::MAX)))),
        ("18446744073709551616", Some(RetryAfter::In(Duration::from_secs(u64::MAX)))),
        ("-1", None),
        ("0.5", Some(RetryAfter::In(Duration::from_millis(500)))),
        ("1.5", Some(RetryAfter::In(Duration::from_millis(1500)))),
        ("1.0000000019", Some(RetryAfter::In(Duration::new(1, 1)))),
        ("", None),
        ("1.", None),
        (".5", None),
        ("1.5.5", None),
        ("+7", None),
        ("-0.5", None),
        ("1e3", None),
        ("7 s", None),
        ("soon", None),
        ("Wednesday, 14-Nov-18 18:56:43 GMT", Some(RetryAfter::At(date))),
        ("Wed Nov 14 18:56:43 2018", Some(RetryAfter::At(date))),
        ("Wed, 14 Nov 2018 18:56:43 GMT", Some(RetryAfter::At(date))),
        ("Thu, 14 Nov 2018 18:56:43 GMT", None),
        ("Wed, 31 Dec 1969 23:59:59 GMT", None),
    ] {
        let mut answer = response(429, "slow down");
        answer.headers_mut().insert("retry-after", header.parse().unwrap());
        let error = get(&answer).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::RateLimited { retry_after: expected }, "{header:?}");
        assert_eq!(error.retry_after(), expected, "{header:?}");
    }
    // Of several, the first that can be read.
    let mut answer = response(429, "slow down");
    for header in ["soon", "7", "9"] {
        answer.headers_mut().append("retry-after", header.parse().unwrap());
    }
    assert_eq!(get(&answer).unwrap_err().retry_after(), Some(RetryAfter::In(Duration::from_secs(7))));
    // It belongs to 429 and to a host that fails, and to nothing else.
    for (status, understood) in
        [(500, true), (503, true), (200, false), (302, false), (401, false), (404, false)]
    {
        let mut answer = response(status, "slow down");
        answer.headers_mut().insert("retry-after", "7".parse().unwrap());
        assert_eq!(get(&answer).unwrap_err().retry_after().is_some(), understood, "{status}");
    }
}

#[test]
fn a_get_about_another_charge_is_a_mismatch_that_keeps_it() {
    let error = get_json(&charge_json(&[("id", json!("ch_2"))])).unwrap_err();
    let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error:?}") };
    assert_eq!((mismatch.field(), mismatch.expected(), mismatch.found()), ("id", "\"ch_1\"", "\"ch_2\""));
    assert_eq!(error.charge().unwrap().id().as_str(), "ch_2");
    assert_eq!(error.advice(), Advice::DoNotUse);
}

#[test]
fn an_invoice_of_another_network_is_a_matter_of_the_endpoints_network() {
    let key = ApiKey::new(CANARY).unwrap();
    let at = Endpoint::new("http://127.0.0.1:1/api/v1/", key, Network::Bitcoin).unwrap();
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, "tea", None);
    let charge =
        charge_json(&[("payment_request", json!(invoice)), ("payment_hash", json!("ab".repeat(32)))]);
    let order = Create::new(NewCharge::satoshis(4200, "tea"));
    let error = order.parse(&at, &response(200, charge.to_string()), start()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "invoice.network"));
    assert_eq!(error.advice(), Advice::CheckNetwork);
    assert!(error.to_string().contains("`Network` of the endpoint"), "{error}");
}

#[test]
fn a_create_is_held_against_the_order() {
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
fn an_array_with_the_right_values_is_no_object() {
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
fn lists_with_and_without_bad_rows() {
    assert_eq!(list("[ ]").unwrap().rows(), 0);
    let good = charge_json(&[]);
    let page = list(&json!([good, good]).to_string()).unwrap();
    assert_eq!((page.charges().count(), page.unreadable().count(), page.rows()), (2, 0, 2));

    let bad = charge_json(&[("id", json!("ch_bad")), ("amount", json!("x"))]);
    let page = list(&json!([good, bad, 7, good, {"code": 1}]).to_string()).unwrap();
    assert_eq!((page.charges().count(), page.rows()), (2, 5));
    let rows: Vec<_> = page.unreadable().map(|bad| bad.id().map(|id| id.as_str())).collect();
    assert_eq!(rows, [Some("ch_bad"), None, None]);
    assert!(page.unreadable().all(|bad| !bad.reason().is_empty()));
    // A row that repeats the key keeps it to itself.
    let talkative = list(&json!([{"id": "ch_bad", "customer_id": CANARY}]).to_string()).unwrap();
    assert!(!format!("{talkative:?}").contains(CANARY), "{talkative:?}");
    let places: Vec<_> = page.into_rows().iter().map(|row| matches!(row, Row::Charge(_))).collect();
    assert_eq!(places, [true, false, false, true, false]);

    for body in ["", "{}", "7", "[", "[1,", "<html>", r#"{"message":"x"}"#] {
        assert_eq!(list(body).unwrap_err().kind(), &ErrorKind::Undecodable, "{body}");
    }
}

#[test]
fn a_key_that_the_server_repeats_stays_out_of_errors() {
    let credentials = "c2tfQ2FuYXJ5Q2FuYXJ5Q2FuYXJ5MTIzNDU2Nzo";
    let alone = "c2tfQ2FuYXJ5Q2FuYXJ5Q2FuYXJ5MTIzNDU2Nw";
    let echo = format!("Basic {credentials}=, {credentials}, {alone}==, {alone}, that is {CANARY}: <b>");
    let answers = [
        response(500, echo.clone()),
        response(200, echo.clone()),
        response(401, json!({"code": 401, "message": echo}).to_string()),
        response(200, json!({"code": 400, "message": echo}).to_string()),
        response(200, charge_json(&[("currency", json!(echo))]).to_string()),
        response(200, charge_json(&[("id", json!(CANARY))]).to_string()),
        response(200, charge_json(&[("id", json!("ch_2")), ("description", json!(echo))]).to_string()),
    ];
    let mut errors: Vec<Error> = answers.iter().map(|answer| get(answer).unwrap_err()).collect();
    let order = Create::new(NewCharge::satoshis(4200, "tea"));
    let changed = charge_json(&[("description", json!(echo))]).to_string();
    errors.push(order.parse(&endpoint(), &response(200, changed), start()).unwrap_err());
    for error in errors {
        let mut shown = format!("{error} {error:?} {error:#?}");
        let mut source = error.source();
        while let Some(below) = source {
            shown += &format!(" {below} {below:?}");
            source = below.source();
        }
        let leaks = [CANARY, credentials, alone].iter().any(|secret| shown.contains(secret));
        assert!(!leaks, "{shown}");
    }
    for (id, currency) in [("ch_1", echo.as_str()), (CANARY, "eur")] {
        let row = charge_json(&[("id", json!(id)), ("currency", json!(currency))]);
        let page = list(&json!([row]).to_string()).unwrap();
        assert!(!format!("{page:?}").contains(CANARY));
    }
}

#[test]
fn the_key_is_known_in_hex_and_behind_escapes() {
    let key = r#"sk_"Canary\&+"#;
    let at = Endpoint::new("http://127.0.0.1/", ApiKey::new(key).unwrap(), Network::Testnet).unwrap();
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let form: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    for echo in [key, r#"sk_\"Canary\\&+"#, &hex, &hex.to_uppercase(), &form] {
        let error =
            List::page(0).parse(&at, &response(500, format!("not {echo}, please")), start()).unwrap_err();
        assert_eq!(error.excerpt(), Some("[withheld: it repeats the key]"), "{echo}");
    }
}

#[test]
fn what_a_caller_has_mixed_up_is_not_repeated() {
    let order = Create::new(NewCharge::satoshis(4200, format!("tea for {CANARY}")));
    let error = order.parse(&endpoint(), &response(200, charge_json(&[]).to_string()), start()).unwrap_err();
    let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error}") };
    assert_eq!((mismatch.expected(), mismatch.found()), ("[withheld: it repeats the key]", "\"tea\""));
}

#[test]
fn any_2xx_with_a_charge_is_a_success() {
    for status in [200, 201, 202, 299] {
        assert!(StatusCode::from_u16(status).unwrap().is_success());
        get(&response(status, charge_json(&[]).to_string())).unwrap();
    }
}
