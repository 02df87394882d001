//! Tests of `Charge::check`, which compares a charge and its invoice with the order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bolt11;
mod recorded;
#[cfg(feature = "signature")]
mod signature;
#[cfg(feature = "signature")]
mod specification;
mod strict;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "signature")]
mod vectors;

use std::time::Duration;

use bitcoin::hashes::{Hash as _, sha256};
use bolt11::{Bolt11, groups, public_key};
use lightning_invoice::Currency;
use proptest::prelude::*;
use serde_json::{Value, json};
use strike_core::{
    CLOCK_MARGIN, Charge, CheckedInvoice, CoreClient, Expectation, InvoiceDescription, Mismatch, Network,
    NewCharge, Now, RetryPolicy, Satoshi, UnixMillis,
};
use support::invoices::written;
use support::{charge, charge_json};

/// The server time of most checks: the timestamp of the oldest invoice.
const SERVER_TIME: UnixMillis = UnixMillis::from_secs(1_496_314_658);

fn with_invoice(invoice: &str, changes: &[(&str, Value)]) -> Charge {
    let mut all = vec![("payment_request", json!(invoice))];
    all.extend_from_slice(changes);
    charge(&all)
}

fn order() -> Expectation {
    Expectation::of(&NewCharge::satoshis(4200, "tea"), Network::Testnet)
}

fn check(invoice: &str, expected: &Expectation) -> Result<CheckedInvoice, Mismatch> {
    with_invoice(invoice, &[]).check(expected, SERVER_TIME)
}

fn mismatch_field(invoice: &str, expected: &Expectation) -> &'static str {
    check(invoice, expected).expect_err(invoice).field()
}

#[test]
fn matching_charge_and_invoice_pass_the_check() {
    let text = Bolt11::of_2018().signed();
    assert!(text.parse::<lightning_invoice::Bolt11Invoice>().is_err(), "strict parsers reject it");
    let checked = check(&text, &order()).unwrap();
    assert_eq!(checked.payment_request(), text);
    assert_eq!(checked.to_uri(), format!("lightning:{text}"));
    assert_eq!(checked.to_qr_text(), format!("LIGHTNING:{}", text.to_uppercase()));
    assert_eq!(checked.amount(), Satoshi::new(4200));
    assert_eq!(checked.expires_at(), UnixMillis::from_secs(1_542_221_803 + 3600));
    assert_eq!(checked.invoice().network(), Network::Testnet);
    assert!(checked.description_checked());

    let upper = check(&text.to_uppercase(), &order()).unwrap();
    assert_eq!(upper.payment_request(), text.to_uppercase(), "the payment request is unchanged");
    assert_eq!((upper.to_uri(), upper.to_qr_text()), (checked.to_uri(), checked.to_qr_text()));

    let current = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(60));
    assert_eq!(check(&current, &order()).unwrap().expires_at(), UnixMillis::from_secs(1_700_000_060));
}

/// The field that the mismatch names, and the change to the invoice.
type Change = (&'static str, fn(&mut Bolt11));

/// Changes each field with a new signature, as the host could, and without one.
#[test]
fn mismatch_names_the_field_that_differs() {
    let changes: [Change; 8] = [
        ("invoice.network", |invoice| invoice.prefix = "lnbc42u".into()),
        ("invoice.network", |invoice| invoice.prefix = "lntbs42u".into()),
        ("invoice.amount (millisatoshi)", |invoice| invoice.prefix = "lntb43u".into()),
        ("invoice.amount (millisatoshi)", |invoice| invoice.prefix = "lntb".into()),
        ("invoice.payment_hash", |invoice| invoice.field(1)[0] ^= 1),
        ("invoice.description", |invoice| invoice.field(13)[0] ^= 1),
        ("invoice.description", |invoice| invoice.fields.retain(|(tag, _)| *tag != 13)),
        ("payment_request", |invoice| invoice.fields.retain(|(tag, _)| *tag != 1)),
    ];
    let own = Expectation::new(Network::Testnet);
    for (name, change) in changes {
        let mut invoice = Bolt11::of_2018();
        let signature = invoice.signature();
        assert!(check(&invoice.text(&signature), &order()).is_ok());
        change(&mut invoice);
        for text in [invoice.signed(), invoice.text(&signature)] {
            assert_eq!(mismatch_field(&text, &order()), name, "{text}");
            assert_eq!(mismatch_field(&text, &own), name, "compared with the charge only: {text}");
        }
    }
}

#[test]
fn charge_is_compared_with_the_order() {
    // Charge and invoice agree with each other, but not with the order.
    let text = written(Currency::BitcoinTestnet, 4_300_000, "Tee", None);
    let changes = [("amount", json!(4300)), ("amount_satoshi", json!(4300)), ("description", json!("Tee"))];
    let other = with_invoice(&text, &changes);
    let own = Expectation::new(Network::Testnet);
    assert_eq!(other.check(&own, SERVER_TIME).unwrap().amount(), Satoshi::new(4300));
    let mismatch = other.check(&own.clone().amount(Satoshi::new(4200)), SERVER_TIME).unwrap_err();
    assert_eq!((mismatch.field(), mismatch.expected(), mismatch.found()), ("amount", "4200", "4300"));
    let mismatch = other.check(&own.clone().description("tea"), SERVER_TIME).unwrap_err();
    assert_eq!(
        (mismatch.field(), mismatch.expected(), mismatch.found()),
        ("description", "\"tea\"", "\"Tee\"")
    );
    assert_eq!(other.check(&order(), SERVER_TIME).unwrap_err().field(), "amount");

    let split = with_invoice(&text, &[("description", json!("Tee")), ("amount_satoshi", json!(4300))]);
    let mismatch = split.check(&own, SERVER_TIME).unwrap_err();
    let difference = (mismatch.field(), mismatch.expected(), mismatch.found());
    assert_eq!(
        difference,
        ("amount_satoshi", "4200", "4300"),
        "the invoice has the amount of `amount_satoshi`"
    );
    assert_eq!(
        split.check(&own.amount(Satoshi::new(4200)), SERVER_TIME).unwrap_err().field(),
        "amount_satoshi"
    );
}

#[test]
fn expired_invoice_is_rejected() {
    let charge = with_invoice(&Bolt11::of_2018().signed(), &[]);
    let expires = 1_542_221_803 + 3600;
    assert!(charge.check(&order(), UnixMillis::from_millis(expires * 1000 - 1)).is_ok());
    for now in [UnixMillis::from_secs(expires), UnixMillis::from_millis(u64::MAX)] {
        for expected in [order(), Expectation::new(Network::Testnet)] {
            let mismatch = charge.check(&expected, now).unwrap_err();
            assert_eq!(mismatch.field(), "invoice.expires_at");
            assert_eq!(mismatch.expected(), format!("later than {now}"));
            assert_eq!(mismatch.found(), "2018-11-14T19:56:43Z");
        }
    }
    // `CoreClient::check` uses the local clock with a margin.
    let machines = CoreClient::new(support::endpoint(), RetryPolicy::default(), 7);
    let now = |secs| Now::new(Duration::ZERO, UnixMillis::from_secs(secs));
    let late = expires + CLOCK_MARGIN.as_secs();
    assert!(machines.check(&charge, &order(), now(late - 1)).is_ok());
    assert_eq!(machines.check(&charge, &order(), now(late)).unwrap_err().field(), "invoice.expires_at");
}

#[test]
fn invoice_without_amount_matches_no_charge() {
    let mut invoice = Bolt11::of_2018();
    invoice.prefix = "lntb".into();
    let text = invoice.signed();
    // An invoice without an amount does not match a charge of zero either.
    for amount in [0, 1, 4200, Satoshi::MAX.get()] {
        let charge = with_invoice(&text, &[("amount", json!(amount)), ("amount_satoshi", json!(amount))]);
        let own = Expectation::new(Network::Testnet);
        for expected in [own.clone(), own.amount(Satoshi::new(amount))] {
            let mismatch = charge.check(&expected, SERVER_TIME).unwrap_err();
            assert_eq!((mismatch.field(), mismatch.found()), ("invoice.amount (millisatoshi)", "none"));
        }
    }
    // Amounts that overflow 64 bits in millisatoshi are rejected in charges and orders.
    let beyond = u64::MAX / 1000 + 1;
    let charge = charge_json(&[("amount", json!(beyond)), ("amount_satoshi", json!(beyond))]);
    assert!(serde_json::from_value::<Charge>(charge).is_err());
    let expected = Expectation::new(Network::Testnet).amount(Satoshi::new(beyond));
    assert_eq!(mismatch_field(&text, &expected), "amount");
}

#[test]
fn unreadable_payment_request_is_a_mismatch() {
    for text in ["", "invented", "lightning:lntb1", "lntb1", "ĿNTB1", "lntb42u1pvjluez"] {
        assert_eq!(mismatch_field(text, &order()), "payment_request", "{text}");
    }
    let long = "x".repeat(600);
    let mismatch =
        with_invoice("", &[("description", json!(long))]).check(&order(), SERVER_TIME).unwrap_err();
    assert!(mismatch.found().chars().count() <= 201, "{mismatch}");
}

#[test]
fn invoice_with_many_routes_is_read() {
    let mut invoice = Bolt11::of_2018();
    let hops = groups(&[&public_key()[..], &[7; 8 + 4 + 4 + 2]].concat().repeat(12));
    // One field holds 12 hops. 3 such fields exceed 1023 characters, the limit of some bech32
    // libraries. 40 exceed 7089, the capacity of a QR code.
    for (fields, longer_than) in [(3, 1023), (40, 7089)] {
        invoice.fields.truncate(3);
        invoice.fields.extend(std::iter::repeat_n((3, hops.clone()), fields));
        let text = invoice.signed();
        assert!(text.len() > longer_than, "{}", text.len());
        if cfg!(feature = "signature") && longer_than == 7089 {
            assert_eq!(
                mismatch_field(&text, &order()),
                "invoice.signature",
                "documented limit of the signature check"
            );
        } else {
            assert_eq!(check(&text, &order()).unwrap().payment_request(), text);
        }
    }
}

#[test]
fn hashed_description_is_checked_with_the_signature_feature() {
    let hashed = |text: &str| {
        let mut invoice = Bolt11::of_2018();
        let hash = groups(&sha256::Hash::hash(text.as_bytes()).to_byte_array());
        *invoice.fields.iter_mut().find(|(tag, _)| *tag == 13).unwrap() = (23, hash);
        invoice.signed()
    };
    let checked = check(&hashed("tea"), &order()).unwrap();
    assert!(matches!(checked.invoice().description(), InvoiceDescription::Hash(_)));
    assert_eq!(checked.description_checked(), cfg!(feature = "signature"));
    let other = check(&hashed("coffee"), &order());
    if cfg!(feature = "signature") {
        assert_eq!(other.unwrap_err().field(), "invoice.description_hash");
    } else {
        assert!(!other.unwrap().description_checked(), "the description is reported as unchecked");
    }
    // The charge's own description is still compared with the order.
    let other = with_invoice(&hashed("tea"), &[("description", json!("Tee"))]);
    assert_eq!(other.check(&order(), SERVER_TIME).unwrap_err().field(), "description");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Arbitrary payment requests do not panic, and arbitrary text is rejected.
    #[test]
    fn arbitrary_text_does_not_panic(junk in "\\PC{0,300}", groups in proptest::collection::vec(0_u8..32, 0..500)) {
        prop_assert!(check(&junk, &order()).is_err());
        let mut invoice = Bolt11::of_2018();
        invoice.fields.clear();
        let _ = check(&invoice.text(&groups), &Expectation::new(Network::Testnet));
        // With a valid payment hash, so that the later fields are parsed too.
        let mut data = Bolt11::of_2018().groups();
        data.extend(groups);
        let text = bolt11::bech32("lntb42u", &data);
        let _ = check(&text, &order());
        let _ = check(&text.to_uppercase(), &order());
    }

    /// The check passes exactly if order, charge and invoice are equal.
    #[test]
    fn check_passes_only_if_order_charge_and_invoice_are_equal(
        amounts in proptest::array::uniform3(1_u64..3),
        descriptions in proptest::array::uniform3("[ab]"),
        hashes in proptest::array::uniform2(0_u8..2),
        networks in proptest::array::uniform2(0_usize..2),
        names_order in any::<bool>(),
    ) {
        let known = [(Network::Bitcoin, "lnbc"), (Network::Testnet, "lntb")];
        let mut invoice = Bolt11::of_2018();
        invoice.prefix = format!("{}{}u", known[networks[0]].1, amounts[0]);
        *invoice.field(1) = groups(&[hashes[0]; 32]);
        *invoice.field(13) = groups(descriptions[0].as_bytes());
        let charge = with_invoice(&invoice.signed(), &[
            ("amount", json!(amounts[1] * 100)),
            ("amount_satoshi", json!(amounts[1] * 100)),
            ("description", json!(descriptions[1])),
            ("payment_hash", json!(format!("{:02x}", hashes[1]).repeat(32))),
        ]);
        let mut expected = Expectation::new(known[networks[1]].0);
        if names_order {
            expected = expected.amount(Satoshi::new(amounts[2] * 100)).description(descriptions[2].clone());
        }
        let equal = amounts[0] == amounts[1] && descriptions[0] == descriptions[1] && hashes[0] == hashes[1]
            && networks[0] == networks[1]
            && (!names_order || (amounts[1] == amounts[2] && descriptions[1] == descriptions[2]));
        prop_assert_eq!(charge.check(&expected, SERVER_TIME).is_ok(), equal);
    }
}
