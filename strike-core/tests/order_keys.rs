//! Tests of order keys: they are sent in `customer_id` beside the caller's own reference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use strike_core::{ErrorKind, OrderKey};
use support::charge;

#[test]
fn keys_of_names_do_not_change_between_releases() {
    // The first half of the SHA-256 of the name, computed with another tool. It must not change:
    // a new release has to find the orders of older ones.
    assert_eq!(OrderKey::named("key"), OrderKey::from_entropy(0x2c70_e12b_7a06_46f9_2279_f427_c7b3_8e73));
    assert_eq!(
        OrderKey::named("order-17"),
        OrderKey::from_entropy(0x72a9_0ea3_da8b_5dd0_1bde_2f27_314e_02e2)
    );
    let many: BTreeSet<_> = (0..1000).map(|n| OrderKey::named(&format!("order-{n}"))).collect();
    assert_eq!(many.len(), 1000);
}

#[test]
fn every_key_has_22_characters() {
    for (key, text) in [
        (0, "1111111111111111111111"),
        (1, "1111111111111111111112"),
        (57, "111111111111111111111z"),
        (58, "1111111111111111111121"),
        (u128::MAX, "YcVfxkQb6JRzqk5kF2tNLv"),
    ] {
        let key = OrderKey::from_entropy(key);
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse(), Ok(key));
    }
}

#[test]
fn invalid_keys_do_not_parse() {
    for text in [
        "",
        "1",
        "111111111111111111111",   // 21 characters
        "11111111111111111111111", // 23
        "YcVfxkQb6JRzqk5kF2tNLw",  // 2^128
        "zzzzzzzzzzzzzzzzzzzzzz",
        "111111111111111111111O",
        "111111111111111111111l",
        "111111111111111111111 ",
        "11111111111111111111\u{e9}",
    ] {
        let error = text.parse::<OrderKey>().unwrap_err();
        assert_eq!(error.field(), "order key", "{text}");
        assert!(serde_json::from_value::<OrderKey>(json!(text)).is_err());
        assert_eq!(OrderKey::from_customer_id(&format!("1{text}.own")), None);
    }
    let error: strike_core::Error = "".parse::<OrderKey>().unwrap_err().into();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)));
}

#[test]
fn customer_ids_without_a_key_are_unchanged() {
    let key = OrderKey::from_entropy(7);
    for customer_id in [
        String::new(),
        "1".into(),
        ".".into(),
        "order-17".into(),
        "12.50 EUR".into(),
        key.to_string(),
        format!("1{key}"),
        format!("0{key}.own"),
        format!("O{key}.own"),
        format!("\u{e9}{key}.own"),
        format!("{key}.own"),
        format!(" 1{key}.own"),
        format!("1.{key}.own"),
    ] {
        assert_eq!(OrderKey::from_customer_id(&customer_id), None, "{customer_id}");
        let own = charge(&[("customer_id", json!(customer_id))]).customer_id().map(str::to_owned);
        assert_eq!(own, Some(customer_id).filter(|id| !id.is_empty()), "the customer id is unchanged");
    }
    assert_eq!(charge(&[]).customer_id(), None);
    assert_eq!(charge(&[("customer_id", json!(key.customer_id("")))]).customer_id(), None);
    assert_eq!(charge(&[("customer_id", json!(key.customer_id("a.b.")))]).customer_id(), Some("a.b."));
}

#[test]
fn first_character_of_a_key_is_the_attempt_number() {
    let key = OrderKey::from_entropy(7);
    assert_eq!(key.customer_id("own"), format!("1{key}.own"));
    for digit in "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".chars() {
        assert_eq!(OrderKey::from_customer_id(&format!("{digit}{key}.own")), Some((key, "own")));
    }
}

#[test]
fn reference_of_40_utf16_units_fits_beside_a_key() {
    for own in ["x".repeat(40), "\u{1f9c9}".repeat(20), "\u{e9}".repeat(40)] {
        let whole = OrderKey::from_entropy(u128::MAX).customer_id(&own);
        assert_eq!(whole.encode_utf16().count(), 64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn key_and_reference_round_trip(key: u128, own in any::<String>()) {
        let key = OrderKey::from_entropy(key);
        let whole = key.customer_id(&own);
        prop_assert_eq!(OrderKey::from_customer_id(&whole), Some((key, own.as_str())));
        prop_assert_eq!(whole.encode_utf16().count(), 24 + own.encode_utf16().count());
        let saved = serde_json::to_string(&key).unwrap();
        prop_assert_eq!(serde_json::from_str::<OrderKey>(&saved).unwrap(), key);
    }

    #[test]
    fn parsed_key_is_displayed_unchanged(text in "[1-9A-HJ-NP-Za-km-z]{22}|\\PC{0,30}") {
        if let Ok(key) = text.parse::<OrderKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}
