//! Tests that the API key is not in any error.

use std::error::Error as _;

use serde_json::json;
use strike_core::machine::Operation;
use strike_core::{ApiKey, Create, Endpoint, Error, ErrorKind, List, Network, NewCharge};

use super::{get, list, response};
use crate::support::{CANARY, charge_json, endpoint, start};

#[test]
fn api_key_echoed_by_the_server_is_not_in_errors() {
    let credentials = "c2tfQ2FuYXJ5Q2FuYXJ5Q2FuYXJ5MTIzNDU2Nzo";
    let alone = "c2tfQ2FuYXJ5Q2FuYXJ5Q2FuYXJ5MTIzNDU2Nw";
    let echo = format!("Basic {credentials}=, {credentials}, {alone}==, {alone}, that is {CANARY}: <b>");
    let responses = [
        response(500, echo.clone()),
        response(200, echo.clone()),
        response(401, json!({"code": 401, "message": echo}).to_string()),
        response(200, json!({"code": 400, "message": echo}).to_string()),
        response(200, charge_json(&[("currency", json!(echo))]).to_string()),
        response(200, charge_json(&[("id", json!(CANARY))]).to_string()),
        response(200, charge_json(&[("id", json!("ch_2")), ("description", json!(echo))]).to_string()),
    ];
    let mut errors: Vec<Error> = responses.iter().map(|response| get(response).unwrap_err()).collect();
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
fn api_key_in_hex_or_escaped_is_withheld() {
    let key = r#"sk_"Canary\&+"#;
    let endpoint = Endpoint::new("http://127.0.0.1/", ApiKey::new(key).unwrap(), Network::Testnet).unwrap();
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let form: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    for echo in [key, r#"sk_\"Canary\\&+"#, &hex, &hex.to_uppercase(), &form] {
        let error = List::page(0)
            .parse(&endpoint, &response(500, format!("not {echo}, please")), start())
            .unwrap_err();
        assert_eq!(error.excerpt(), Some("[withheld: it repeats the key]"), "{echo}");
    }
}

#[test]
fn api_key_in_an_order_description_is_withheld() {
    let order = Create::new(NewCharge::satoshis(4200, format!("tea for {CANARY}")));
    let error = order.parse(&endpoint(), &response(200, charge_json(&[]).to_string()), start()).unwrap_err();
    let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error}") };
    assert_eq!((mismatch.expected(), mismatch.found()), ("[withheld: it repeats the key]", "\"tea\""));
}
