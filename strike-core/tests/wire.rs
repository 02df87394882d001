//! Tests of unusual but valid responses: JSON number notations, and a byte order mark.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use proptest::prelude::*;
use serde_json::json;
use strike_core::machine::Operation;
use strike_core::{
    Advice, Charge, Create, Error, ErrorKind, Get, HttpResponse, List, NewCharge, Satoshi, UnixMillis,
};
use support::{charge_json, endpoint, start};

fn response(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    http::Response::builder().status(status).body(body.into()).unwrap()
}

fn get(status: u16, body: impl Into<Vec<u8>>) -> Result<Charge, Error> {
    Get::new("ch_1".parse().unwrap()).parse(&endpoint(), &response(status, body), start())
}

/// Returns the JSON of a charge with these fields written exactly like this.
fn written(fields: &[(&str, &str)]) -> String {
    let mut text = charge_json(&[]).to_string();
    for (name, number) in fields {
        let charge: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| charge_json(&[]));
        text = text.replacen(&format!("\"{name}\":{}", charge[name]), &format!("\"{name}\":{number}"), 1);
    }
    assert!(fields.iter().all(|(name, number)| text.contains(&format!("\"{name}\":{number}"))), "{text}");
    text
}

fn amount(number: &str) -> Result<Charge, Error> {
    get(200, written(&[("amount_satoshi", number)]))
}

#[test]
fn whole_numbers_are_read_in_every_json_notation() {
    for number in [
        "4200",
        "4200.0",
        "4200.000000000000000000000000000000000000000000000000000000",
        "4.2e3",
        "4.2E+3",
        "42e2",
        "42.00e2",
        "420000e-2",
        "0.0042e6",
        "0.000000000000000000000000000000000000000000000042e50",
    ] {
        assert_eq!(amount(number).unwrap().amount(), Satoshi::new(4200), "{number}");
    }
    for (number, expected) in [
        ("0", 0),
        ("-0", 0),
        ("0.0", 0),
        ("0e999999999999999999999999", 0),
        ("2.1e15", 2_100_000_000_000_000),
        ("2099999999999999.0", 2_099_999_999_999_999),
    ] {
        assert_eq!(amount(number).unwrap().amount().get(), expected, "{number}");
    }
}

#[test]
fn fractions_and_numbers_out_of_range_are_rejected() {
    for number in [
        "4200.5",
        "4.2005e3",
        "4200.0000000000000000001",
        "42e-1",
        "1e-1",
        "1e-99999999999999999999999",
        "-1",
        "-4200.0",
        "2100000000000001",
        "2100000000000000.1",
        "2.1e16",
        "18446744073709552",
        "18446744073709551616",
        "1e38",
        "1e400",
        "1e4294967296",
        "1e99999999999999999999999",
        "\"4200\"",
        "\"4.2e3\"",
        "true",
        "null",
        "[4200]",
        "{\"$serde_json::private::RawValue\":\"4200\"}",
    ] {
        assert_eq!(amount(number).unwrap_err().kind(), &ErrorKind::Undecodable, "{number}");
    }
    // Not valid JSON, although some languages accept these numbers.
    for number in ["+4200", "4200.", ".42e4", "04200", "4_200", "0x1068", "NaN", "Infinity", "4.2e"] {
        assert_eq!(amount(number).unwrap_err().kind(), &ErrorKind::Undecodable, "{number}");
    }
}

#[test]
fn every_number_of_a_charge_accepts_every_notation() {
    let text = written(&[
        ("amount", "4.2e3"),
        ("amount_satoshi", "4200.0"),
        ("created", "1.7e12"),
        ("updated", "1700000000000.0"),
    ]);
    let charge = get(200, text.clone()).unwrap();
    assert_eq!(charge.amount().get(), 4200);
    assert_eq!(
        (charge.created(), charge.updated()),
        (UnixMillis::from_secs(1_700_000_000), charge.created())
    );
    assert_eq!(charge, get(200, charge_json(&[]).to_string()).unwrap());

    let order = Create::new(NewCharge::satoshis(4200, "tea"));
    assert_eq!(order.parse(&endpoint(), &response(200, text.clone()), start()).unwrap(), charge);
    let page = List::page(0).parse(&endpoint(), &response(200, format!("[{text}]")), start()).unwrap();
    assert_eq!(page.charges().collect::<Vec<_>>(), [&charge]);
    // The same in a list with an unreadable row.
    let page = List::page(0).parse(&endpoint(), &response(200, format!("[7,{text}]")), start()).unwrap();
    assert_eq!((page.charges().collect::<Vec<_>>(), page.unreadable().count()), (vec![&charge], 1));
    // The same for a saved charge.
    assert_eq!(serde_json::from_str::<Charge>(&text).unwrap(), charge);
    assert_eq!(serde_json::from_value::<Charge>(serde_json::from_str(&text).unwrap()).unwrap(), charge);
    #[derive(serde::Deserialize)]
    struct Saved {
        #[serde(flatten)]
        charge: Charge,
    }
    assert_eq!(serde_json::from_str::<Saved>(&text).unwrap().charge, charge);
    assert!(serde_json::from_str::<Charge>(&text.replace("4.2e3", "4200.5")).is_err());
}

#[test]
fn integers_above_2_pow_53_keep_every_digit() {
    for number in ["9007199254740993.0", "9.007199254740993e15", "9007199254740993"] {
        let charge = get(200, written(&[("created", number)])).unwrap();
        assert_eq!(charge.created().as_millis(), 9_007_199_254_740_993, "{number}");
    }
    // Deserialized as a float, a digit could be lost, so the number is rejected.
    assert!(serde_json::from_str::<Charge>(&written(&[("created", "9007199254740993.0")])).is_err());
}

#[test]
fn error_code_accepts_every_number_notation() {
    for code in ["404", "404.0", "4.04e2"] {
        let body = format!(r#"{{"code":{code},"message":"not found"}}"#);
        for status in [200, 404] {
            let error = get(status, body.clone()).unwrap_err();
            assert_eq!((error.kind(), error.status()), (&ErrorKind::NotFound, Some(404)), "{code}");
            assert_eq!(error.api().unwrap().code(), 404);
        }
    }
    for code in ["404.5", "1e400"] {
        let error = get(404, format!(r#"{{"code":{code},"message":"not found"}}"#)).unwrap_err();
        assert!(error.api().is_none() && error.excerpt().is_some(), "{code}");
    }
    // In a charge, a `code` of zero is ignored and any other code is an error.
    let coded = |code: &str| charge_json(&[]).to_string().replacen('{', &format!("{{\"code\":{code},"), 1);
    for code in ["0", "0.0", "0e9", "null"] {
        get(200, coded(code)).unwrap_or_else(|error| panic!("{error}: {code}"));
    }
    for code in ["0.5", "404.0", "-1", "1e400", "\"\""] {
        assert!(get(200, coded(code)).is_err(), "{code}");
    }
}

#[test]
fn amounts_above_21_million_bitcoin_are_rejected() {
    for field in ["amount", "amount_satoshi"] {
        let body = charge_json(&[(field, json!(Satoshi::MAX.get() + 1))]).to_string();
        let error = get(200, body.clone()).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Undecodable);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(field) && source.contains("21 million bitcoin"), "{source}");
        let page = List::page(0).parse(&endpoint(), &response(200, format!("[{body}]")), start()).unwrap();
        let row = page.unreadable().next().unwrap();
        assert_eq!(row.id().unwrap().as_str(), "ch_1");
        assert!(row.reason().contains(field), "{}", row.reason());
        assert!(serde_json::from_str::<Charge>(&body).is_err());
    }
}

#[test]
fn byte_order_mark_before_a_body_is_ignored() {
    let charge = charge_json(&[]).to_string();
    let marked = |body: &str| format!("\u{feff}{body}");
    assert_eq!(get(200, marked(&charge)).unwrap(), get(200, charge.clone()).unwrap());
    let order = Create::new(NewCharge::satoshis(4200, "tea"));
    order.parse(&endpoint(), &response(200, marked(&charge)), start()).unwrap();
    let list = |body: &str| List::page(0).parse(&endpoint(), &response(200, body), start());
    assert_eq!(list(&marked(&format!(" [{charge}]"))).unwrap().rows(), 1);
    assert_eq!(list(&marked(&format!("[7,{charge}]"))).unwrap().charges().count(), 1);
    for status in [200, 404] {
        let error = get(status, marked(r#"{"code":404,"message":"not found"}"#)).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::NotFound, Advice::CheckId));
        assert_eq!(error.api().unwrap().message(), "not found");
    }
    // Only one mark is accepted, at the very beginning, in UTF-8.
    let utf16: Vec<u8> = marked(&charge).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [marked(&marked(&charge)), format!(" {}", marked(&charge)), marked("")] {
        assert_eq!(get(200, body).unwrap_err().kind(), &ErrorKind::Undecodable);
    }
    assert_eq!(get(200, utf16).unwrap_err().kind(), &ErrorKind::Undecodable);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every notation of a number is read as the same value.
    #[test]
    fn number_value_does_not_depend_on_its_notation(number in 0..=Satoshi::MAX.get(), shift in 0_usize..20, zeros in 0_usize..5) {
        let digits = format!("{number:0>width$}", width = shift + 1);
        let (integer, fraction) = digits.split_at(digits.len() - shift);
        let zeros = "0".repeat(zeros);
        let integer = match integer.trim_start_matches('0') { "" => "0", integer => integer };
        let forms = [
            format!("{integer}.{fraction}{zeros}0e{shift}"),
            format!("{number}{zeros}e-{}", zeros.len()),
            format!("{number}.{zeros}0"),
        ];
        for form in forms {
            prop_assert_eq!(amount(&form).unwrap().amount().get(), number, "{}", form);
        }
        let half = format!("{number}.{zeros}5");
        prop_assert!(amount(&half).is_err());
    }
}
