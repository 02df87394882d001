//! Validation of new charges in form and JSON bodies.

use strike_core::http::Method;
use strike_core::machine::Operation;
use strike_core::{Create, ErrorKind, Network, NewCharge, Satoshi};
use strike_sandbox::faults::{Fault, Match, Plan};
use strike_sandbox::{Quirks, Sandbox};

use crate::support::{FORM, JSON, builder, create, error, json, post, request, sandbox};

#[test]
fn form_and_json_bodies_create_the_same_charge() {
    let form = create(&sandbox(), FORM, "amount=4200&currency=btc&description=a%2Bb+c%26d&customer_id=o%201");
    let json = r#"{"amount":4200,"currency":"btc","description":"a+b c&d","customer_id":"o 1"}"#;
    assert_eq!(form, create(&sandbox(), JSON, json));
    assert_eq!((form["description"].as_str(), form["customer_id"].as_str()), (Some("a+b c&d"), Some("o 1")));
}

#[test]
fn content_type_case_and_parameters_are_ignored() {
    let sandbox = sandbox();
    create(&sandbox, "Application/JSON; charset=utf-8", r#"{"amount":1,"currency":"btc"}"#);
    create(&sandbox, "application/x-www-form-urlencoded;charset=UTF-8", "amount=1&currency=btc");
    for other in ["text/plain", "application/jsonp", "multipart/form-data; boundary=x"] {
        assert_eq!(error(&post(&sandbox, other, "amount=1&currency=btc")).0, 400, "{other}");
    }
    assert_eq!(sandbox.charges(), 2);
}

#[test]
fn body_format_is_detected_without_a_content_type() {
    let sandbox = sandbox();
    let untyped = |body: &str, empty: bool| {
        let mut request = request(Method::POST, "charges", "", body.as_bytes());
        if !empty {
            request.headers_mut().remove("content-type");
        }
        json(&sandbox.respond(&request))
    };
    for empty in [true, false] {
        for body in
            ["amount=42&currency=btc", "?amount=42&currency=btc", " {\"amount\":42,\"currency\":\"btc\"}"]
        {
            assert_eq!(untyped(body, empty)["amount"], 42, "{body}");
        }
        assert_eq!(untyped("", empty)["code"], 400);
        assert_eq!(untyped("[1]", empty)["code"], 400);
    }
}

#[test]
fn description_is_decoded_exactly_once() {
    let sandbox = sandbox();
    let form = create(&sandbox, FORM, "amount=1&currency=btc&description=1%2520Blockaccino");
    assert_eq!(form["description"], "1%20Blockaccino");
    let json = create(&sandbox, JSON, r#"{"amount":1,"currency":"btc","description":"1%20Block+accino"}"#);
    assert_eq!(json["description"], "1%20Block+accino");
}

#[test]
fn unusual_bodies_of_old_clients_are_accepted() {
    let sandbox = sandbox();
    // Two microcontroller sketches send a leading `?`. The Python client sends empty fields.
    let charge = create(&sandbox, FORM, "?POST&amount=400&currency=btc&description=sweets");
    assert_eq!((charge["amount"].as_u64(), charge["description"].as_str()), (Some(400), Some("sweets")));
    assert_eq!(create(&sandbox, FORM, "?amount=400&currency=btc")["amount"], 400);
    let empty = create(&sandbox, FORM, "amount=1&currency=btc&description=&customer_id=");
    assert_eq!((empty["description"].as_str(), empty.get("customer_id")), (Some(""), None));
    let empty = create(&sandbox, JSON, r#"{"amount":1,"currency":"btc","customer_id":""}"#);
    assert_eq!((empty["description"].as_str(), empty.get("customer_id")), (Some(""), None));
    // JavaScript clients may send whole numbers as floats.
    assert_eq!(create(&sandbox, JSON, r#"{"amount":1000000.0,"currency":"btc"}"#)["amount"], 1_000_000);
}

#[test]
fn amounts_outside_the_limits_are_rejected() {
    let sandbox = sandbox();
    for amount in ["1", "4294967"] {
        create(&sandbox, FORM, &format!("amount={amount}&currency=btc"));
        create(&sandbox, JSON, &format!(r#"{{"amount":{amount},"currency":"btc"}}"#));
    }
    for amount in ["0", "-1", "4294968", "1.5", "1e400", "99999999999999999999", "", "blah", "\"1\"", "true"]
    {
        assert_eq!(error(&post(&sandbox, FORM, &format!("amount={amount}&currency=btc"))).0, 400, "{amount}");
        let body = format!(r#"{{"amount":{amount},"currency":"btc"}}"#);
        assert_eq!(error(&post(&sandbox, JSON, &body)).0, 400, "{amount}");
    }
    assert_eq!(sandbox.charges(), 4);
}

#[test]
fn currencies_other_than_btc_are_rejected() {
    let sandbox = sandbox();
    for currency in ["eur", "BTC", "", "btc "] {
        assert_eq!(
            error(&post(&sandbox, FORM, &format!("amount=1&currency={currency}"))).0,
            400,
            "{currency}"
        );
    }
    assert_eq!(error(&post(&sandbox, FORM, "amount=1")).0, 400);
    assert_eq!(error(&post(&sandbox, JSON, r#"{"amount":1,"currency":null}"#)).0, 400);
}

/// Creates a charge from JSON with this extra field and returns the status.
fn status(sandbox: &Sandbox, field: &str, value: &str) -> u16 {
    let body = serde_json::json!({"amount": 1, "currency": "btc", field: value}).to_string();
    post(sandbox, JSON, &body).status().as_u16()
}

#[test]
fn text_length_is_limited_in_utf16_units_and_description_bytes() {
    let sandbox = sandbox();
    assert_eq!(status(&sandbox, "description", &"x".repeat(256)), 200);
    assert_eq!(status(&sandbox, "description", &"x".repeat(257)), 400);
    // Each character has two UTF-16 units and four bytes.
    assert_eq!(status(&sandbox, "description", &"🍣".repeat(128)), 200);
    assert_eq!(status(&sandbox, "description", &"🍣".repeat(129)), 400);
    // Each character has one UTF-16 unit and three bytes. 213 characters have 639 bytes.
    assert_eq!(status(&sandbox, "description", &"鮨".repeat(213)), 200);
    assert_eq!(status(&sandbox, "description", &"鮨".repeat(214)), 400);

    assert_eq!(status(&sandbox, "customer_id", &"鮨".repeat(64)), 200);
    assert_eq!(status(&sandbox, "customer_id", &"x".repeat(65)), 400);
    assert_eq!(status(&sandbox, "customer_id", &"🍣".repeat(33)), 400);
}

#[test]
fn expiry_is_limited_and_not_returned() {
    let sandbox = sandbox();
    for seconds in ["1", "604800"] {
        let charge = create(&sandbox, FORM, &format!("amount=1&currency=btc&expiry_sec={seconds}"));
        assert_eq!(charge.get("expiry_sec"), None);
        create(&sandbox, JSON, &format!(r#"{{"amount":1,"currency":"btc","expiry_sec":{seconds}.0}}"#));
    }
    for seconds in ["0", "-1", "604801", "soon"] {
        let body = format!("amount=1&currency=btc&expiry_sec={seconds}");
        assert_eq!(error(&post(&sandbox, FORM, &body)).0, 400, "{seconds}");
    }
}

#[test]
fn only_the_first_bad_field_is_reported() {
    let message_for = |body: &str| error(&post(&sandbox(), JSON, body)).1;
    assert!(message_for(r#"{"amount":0,"currency":"eur"}"#).contains("amount"));
    let too_long = "x".repeat(300);
    let message = message_for(&format!(r#"{{"amount":1,"currency":"eur","description":"{too_long}"}}"#));
    assert!(message.contains("currency") && !message.contains("description"), "{message}");
}

#[test]
fn json_body_must_be_a_single_object() {
    let sandbox = sandbox();
    for body in ["", "[]", "null", "5", "{", r#"{"amount":1,"currency":"btc"} x"#, "amount=1&currency=btc"] {
        assert_eq!(error(&post(&sandbox, JSON, body)).0, 400, "{body}");
    }
    let not_utf8 = request(Method::POST, "charges", JSON, b"{\"amount\":1,\"currency\":\"\xff\"}");
    assert_eq!(error(&sandbox.respond(&not_utf8)).0, 400);
}

#[test]
fn body_over_64_kib_gets_413() {
    let sandbox = sandbox();
    let padded = |length: usize| {
        let body = r#"{"amount":1,"currency":"btc"}"#;
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(post(&sandbox, JSON, &padded(65_536)).status(), 200);
    assert_eq!(error(&post(&sandbox, JSON, &padded(65_537))).0, 413);
}

#[test]
fn identical_creates_make_two_charges() {
    let sandbox = sandbox();
    let create_order = || create(&sandbox, FORM, "amount=1&currency=btc&description=x&customer_id=order-17");
    let (first, second) = (create_order(), create_order());
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["payment_hash"], second["payment_hash"]);
    assert_eq!((sandbox.charges(), sandbox.requests()), (2, 2));
    assert_eq!(json(&crate::support::get(&sandbox, "charges")).as_array().map(Vec::len), Some(2));
}

#[test]
fn create_method_goes_through_the_api_without_faults() {
    let plan = Plan::new().on(Match::any(), Fault::close());
    let sandbox = builder().faults(plan).build();
    let charge = sandbox.create(NewCharge::satoshis(4200, "tea")).expect("a charge");
    assert_eq!((charge.amount(), charge.description()), (Satoshi::new(4200), "tea"));
    assert!(sandbox.charge(charge.id()).is_some());
    assert_eq!((sandbox.charges(), sandbox.requests()), (1, 1));
    assert_eq!(sandbox.faults()[0].matched(), 0);

    assert!(matches!(
        sandbox.create(NewCharge::satoshis(0, "tea")).expect_err("an invalid amount").kind(),
        ErrorKind::InvalidInput(_)
    ));
    assert_eq!((sandbox.charges(), sandbox.requests()), (1, 1));

    let strict = builder().quirks(Quirks::new().fail_before_create(1)).build();
    let error = strict.create(NewCharge::satoshis(4200, "tea")).expect_err("a failing create");
    assert_eq!((error.status(), strict.charges()), (Some(500), 0));
}

#[test]
fn endpoint_has_the_url_and_network_of_the_sandbox() {
    let sandbox = builder().network(Network::Regtest).build();
    let endpoint = sandbox.endpoint().expect("a valid endpoint");
    assert_eq!(endpoint.network(), Network::Regtest);
    let create = Create::new(NewCharge::satoshis(1, "tea")).request(&endpoint).expect("a valid order");
    assert_eq!(create.uri().to_string(), format!("{}charges", sandbox.base_url()));
    assert_eq!(sandbox.respond(&create).status(), 200);

    let error = builder().api_key("two words").build().endpoint().expect_err("an invalid key");
    assert!(error.to_string().contains("key"), "{error}");
}
