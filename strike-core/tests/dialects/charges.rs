//! Tests of reading charges: units, times, and fields that are missing or surprising.

use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::{Charge, ErrorKind, NewCharge, OrderKey, UnixMillis};

use crate::support::START;
use crate::support::invoices::written;
use crate::{
    create, created, details, get, hash, incoming, lnbits, order, payment, phoenixd, phoenixd_builder,
};

fn from_phoenixd(changes: &[(&str, Value)]) -> Charge {
    get(&phoenixd(), 200, &incoming(changes).to_string()).unwrap()
}

fn from_lnbits(changes: &[(&str, Value)]) -> Charge {
    get(&lnbits(), 200, &details(&payment(changes)).to_string()).unwrap()
}

#[test]
fn both_backends_give_the_same_charge() {
    for charge in [from_phoenixd(&[]), from_lnbits(&[])] {
        assert_eq!(charge.id().as_str(), hash());
        assert_eq!(charge.payment_hash().to_string(), hash());
        assert_eq!(charge.amount().get(), 4200);
        assert_eq!(charge.description(), "tea");
        assert_eq!(charge.raw_customer_id(), None);
        assert!(!charge.is_paid() && charge.to_paid().is_none() && charge.settlement().is_none());
        assert_eq!(charge.created().as_millis(), 1_700_000_000_123);
        assert_eq!(charge.updated(), charge.created());
    }
}

#[test]
fn a_new_phoenixd_charge_takes_its_facts_from_the_invoice() {
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(3600));
    let body = json!({ "amountSat": 4200, "paymentHash": hash(), "serialized": invoice });
    let charge = create(&phoenixd(), order().customer_id("table 4"), 200, &body.to_string()).unwrap();
    assert_eq!(charge.description(), "tea");
    assert_eq!(charge.raw_customer_id(), Some("table 4"));
    assert_eq!(charge.created(), UnixMillis::from_secs(1_700_000_000));
    assert_eq!(charge.payment_request(), invoice);

    // Another amount, description, network or hash than requested is a mismatch.
    for (amount, description, currency, field) in [
        (4_300_000, "tea", Currency::BitcoinTestnet, "amount"),
        (4_200_000, "coffee", Currency::BitcoinTestnet, "description"),
        (4_200_000, "tea", Currency::Bitcoin, "invoice.network"),
    ] {
        let invoice = written(currency, amount, description, Some(3600));
        let body = json!({ "paymentHash": hash(), "serialized": invoice });
        let error = created(&phoenixd(), 200, &body.to_string()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == field), "{error}");
    }
    let body = json!({ "amountSat": 4200, "paymentHash": "cd".repeat(32), "serialized": invoice });
    let error = created(&phoenixd(), 200, &body.to_string()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "invoice.payment_hash"), "{error}");
}

#[test]
fn invented_invoices_of_a_mock_are_accepted_without_checks() {
    let unchecked = phoenixd_builder().check_invoices(false).build().unwrap();
    let body = json!({ "amountSat": 4200, "paymentHash": hash(), "serialized": "invented" });
    let charge = created(&unchecked, 200, &body.to_string()).unwrap();
    assert_eq!((charge.description(), charge.created().as_millis()), ("tea", START));
}

#[test]
fn a_hashed_description_is_checked_by_its_hash() {
    let hashing = phoenixd_builder().hash_long_descriptions().build().unwrap();
    let long = "x".repeat(200);
    let invoice = |text: &str| {
        use bitcoin::hashes::{Hash as _, sha256};
        let builder = lightning_invoice::InvoiceBuilder::new(Currency::BitcoinTestnet)
            .amount_milli_satoshis(4_200_000)
            .description_hash(sha256::Hash::hash(text.as_bytes()))
            .payment_hash(sha256::Hash::from_byte_array([0xab; 32]))
            .payment_secret(lightning_invoice::PaymentSecret([1; 32]))
            .duration_since_epoch(std::time::Duration::from_secs(1_700_000_000))
            .min_final_cltv_expiry_delta(144)
            .expiry_time(std::time::Duration::from_secs(3600));
        let key = crate::support::invoices::key();
        let secp = bitcoin::secp256k1::Secp256k1::new();
        builder.build_signed(|hash| secp.sign_ecdsa_recoverable(hash, &key)).unwrap().to_string()
    };
    let response = |text: &str| {
        json!({ "amountSat": 4200, "paymentHash": hash(), "serialized": invoice(text) }).to_string()
    };
    let charge = create(&hashing, NewCharge::satoshis(4200, &long), 200, &response(&long)).unwrap();
    assert_eq!(charge.description(), "", "the payer's wallet shows no text");
    // The same charge later: the record has no description.
    let record = incoming(&[("description", Value::Null), ("invoice", json!(invoice(&long)))]);
    let later = get(&hashing, 200, &record.to_string()).unwrap();
    assert_eq!(later.description(), charge.description());

    let error =
        create(&hashing, NewCharge::satoshis(4200, &long), 200, &response("another text")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "description"), "{error}");
}

#[test]
fn paid_means_the_flag_and_never_the_amounts() {
    // Received in full or more, but not paid.
    assert!(!from_phoenixd(&[("receivedSat", json!(9000))]).is_paid());
    assert!(from_phoenixd(&[("receivedSat", json!(9000))]).settlement().is_none());
    // Paid, with less received than requested, nothing, or less than nothing.
    for (received, fees) in [(4100, 100_000), (0, 4_200_000), (-15_800, 20_000_000)] {
        let changes = [
            ("isPaid", json!(true)),
            ("receivedSat", json!(received)),
            ("fees", json!(fees)),
            ("completedAt", json!(1_700_000_060_000_u64)),
        ];
        let charge = from_phoenixd(&changes);
        let paid = charge.to_paid().unwrap();
        assert_eq!(paid.amount().get(), 4200);
        assert_eq!(paid.updated().as_millis(), 1_700_000_060_000);
        let settlement = paid.settlement().unwrap();
        assert_eq!(settlement.received_msat(), received * 1000);
        assert_eq!(settlement.fee_msat(), fees);
        assert_eq!(settlement.paid_at(), Some(paid.updated()));
    }
    for status in ["pending", "failed", "SUCCESS", "succeeded", ""] {
        assert!(!from_lnbits(&[("status", json!(status))]).is_paid(), "{status}");
    }
    // The fee is negative or positive, depending on how LNbits learned of the payment.
    for fee in [-12_345, 12_345] {
        let charge = from_lnbits(&[
            ("status", json!("success")),
            ("fee", json!(fee)),
            ("updated_at", json!("2023-11-14T22:14:20+00:00")),
        ]);
        let paid = charge.to_paid().unwrap();
        let settlement = paid.settlement().unwrap();
        assert_eq!((settlement.received_msat(), settlement.fee_msat()), (4_187_655, 12_345));
        assert_eq!(settlement.paid_at(), Some(UnixMillis::from_secs(1_700_000_060)));
        assert_eq!(paid.updated(), UnixMillis::from_secs(1_700_000_060));
    }
}

#[test]
fn a_paid_charge_that_is_called_expired_is_paid() {
    assert!(from_phoenixd(&[("isPaid", json!(true)), ("isExpired", json!(true))]).is_paid());
}

#[test]
fn settlement_facts_are_stored_with_a_charge() {
    let charge = from_lnbits(&[("status", json!("success")), ("fee", json!(-1000))]);
    let stored = serde_json::to_string(&charge).unwrap();
    assert!(stored.contains("settlement"), "{stored}");
    let restored: Charge = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.settlement(), charge.settlement());
    // The Strike API has no such field. A response with one does not fill it.
    let endpoint = crate::support::endpoint();
    let mut body = crate::support::charge_json(&[("paid", json!(true))]);
    body["settlement"] = serde_json::to_value(charge.settlement()).unwrap();
    let response = http::Response::new(body.to_string().into_bytes());
    let get = strike_core::Get::new("ch_1".parse().unwrap());
    let read = strike_core::machine::Operation::parse(&get, &endpoint, &response, crate::support::start());
    assert_eq!(read.unwrap().settlement(), None);
}

#[test]
fn records_of_phoenixd_before_0_6_1_are_read() {
    let changes = [("requestedSat", Value::Null), ("isExpired", Value::Null), ("expiresAt", Value::Null)];
    assert_eq!(from_phoenixd(&changes).amount().get(), 4200);
}

#[test]
fn the_customer_id_of_lnbits_comes_from_extra_and_else_from_external_id() {
    let customer_id = |changes: &[(&str, Value)]| from_lnbits(changes).raw_customer_id().map(str::to_owned);
    let with_key = OrderKey::named("order-17").customer_id("table 4");
    let extra = json!({ "customer_id": with_key, "wallet_fiat_currency": "EUR" });
    let key = json!(OrderKey::named("order-17").to_string());
    assert_eq!(customer_id(&[("extra", extra), ("external_id", key)]), Some(with_key));
    assert_eq!(customer_id(&[("external_id", json!("table-4"))]), Some("table-4".to_owned()));
    for extra in [json!({ "customer_id": 7 }), json!([]), json!("x"), Value::Null] {
        assert_eq!(customer_id(&[("extra", extra), ("external_id", json!(""))]), None);
    }
    assert_eq!(from_phoenixd(&[("externalId", json!(""))]).raw_customer_id(), None);
    assert_eq!(from_phoenixd(&[("externalId", json!("table 4"))]).raw_customer_id(), Some("table 4"));
}

#[test]
fn times_of_lnbits_are_read_with_and_without_a_fraction_or_an_offset() {
    for (time, millis) in [
        ("2023-11-14T22:13:20.123456+00:00", 1_700_000_000_123),
        ("2023-11-14T22:13:20+00:00", 1_700_000_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20.5", 1_700_000_000_500),
    ] {
        assert_eq!(from_lnbits(&[("created_at", json!(time))]).created().as_millis(), millis, "{time}");
    }
    // The invoice's own time is the next best.
    for time in ["yesterday", "", "1969-12-31T23:59:59Z"] {
        assert_eq!(from_lnbits(&[("created_at", json!(time))]).created().as_millis(), 1_700_000_000_000);
    }
}

#[test]
fn records_that_are_no_charges_are_undecodable() {
    for (changes, reason) in [
        (vec![("invoice", Value::Null)], "no BOLT11 invoice"),
        (vec![("isPaid", json!("yes"))], "invalid type"),
        (vec![("isPaid", Value::Null)], "isPaid"),
        (vec![("requestedSat", json!(-1))], "whole number"),
        (vec![("requestedSat", json!(4.5))], "whole number"),
        (vec![("requestedSat", json!(2_100_000_000_000_001_u64))], "requestedSat"),
        (vec![("paymentHash", json!("xy"))], "64 hex digits"),
        (vec![("receivedSat", json!(1e30))], "whole number"),
    ] {
        let error = get(&phoenixd(), 200, &incoming(&changes).to_string()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Undecodable, "{changes:?}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(reason), "{changes:?}: {source}");
    }
    for (changes, reason) in [
        (vec![("amount", json!(0))], "no amount"),
        (vec![("amount", json!(4_200_001))], "whole satoshi"),
        (vec![("amount", json!("4200"))], "whole number"),
        (vec![("bolt11", Value::Null)], "bolt11"),
        (vec![("status", Value::Null)], "status"),
    ] {
        let error = get(&lnbits(), 200, &details(&payment(&changes)).to_string()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Undecodable, "{changes:?}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(reason), "{changes:?}: {source}");
    }
    // Without an amount in the record and in the invoice.
    let changes = [("requestedSat", Value::Null), ("invoice", json!("lnbc1"))];
    assert!(get(&phoenixd(), 200, &incoming(&changes).to_string()).is_err());
}

#[test]
fn another_charge_than_the_requested_one_is_a_mismatch() {
    let other = json!("cd".repeat(32));
    let error = get(&phoenixd(), 200, &incoming(&[("paymentHash", other.clone())]).to_string()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "id"), "{error}");
    let body = details(&payment(&[("payment_hash", other)]));
    let error = get(&lnbits(), 200, &body.to_string()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "id"), "{error}");
}

#[test]
fn a_new_lnbits_charge_is_compared_with_the_order() {
    let customer_id = OrderKey::named("order-17").customer_id("table 4");
    let order = order().customer_id(&customer_id);
    let good = [("extra", json!({ "customer_id": customer_id }))];
    assert!(create(&lnbits(), order.clone(), 201, &payment(&good).to_string()).is_ok());
    for (field, changes) in [
        ("amount", vec![good[0].clone(), ("amount", json!(4_201_000))]),
        ("description", vec![good[0].clone(), ("memo", json!("LNbits"))]),
        ("customer_id", vec![]),
    ] {
        let error = create(&lnbits(), order.clone(), 201, &payment(&changes).to_string()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == field), "{error}");
        assert!(error.may_have_created_charge());
    }
}
