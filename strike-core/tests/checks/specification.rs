//! Tests with the examples of the BOLT11 specification.

use serde_json::json;
use strike_core::{
    Charge, CheckedInvoice, Expectation, Invoice, InvoiceError, Mismatch, Network, NewCharge, WalletObjection,
};

use crate::{SERVER_TIME, vectors, with_invoice};

const HASH: &str = "0001020304050607080900010203040506070809000102030405060708090102";
const CAKE: &str = "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon";
const BEANS: &str = "coffee beans";
const COFFEE: &str = "1 cup coffee";
const NONSENSE: &str = "ナンセンス 1杯";

fn charge(text: &str, hash: &str, satoshi: u64, description: &str) -> Charge {
    with_invoice(
        text,
        &[
            ("amount", json!(satoshi)),
            ("amount_satoshi", json!(satoshi)),
            ("description", json!(description)),
            ("payment_hash", json!(hash)),
        ],
    )
}

fn order(satoshi: u64, description: &str, network: Network) -> Expectation {
    Expectation::of(&NewCharge::satoshis(satoshi, description), network)
}

/// Checks the invoice against a charge, an order and a payee that match it.
fn check(text: &str, hash: &str, satoshi: u64, description: &str) -> Result<CheckedInvoice, Mismatch> {
    let network = if text.starts_with("lntb") { Network::Testnet } else { Network::Bitcoin };
    let key = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad".parse().unwrap();
    charge(text, hash, satoshi, description)
        .check(&order(satoshi, description, network).payee(key), SERVER_TIME)
}

#[test]
fn valid_specification_examples_pass() {
    for (satoshi, description, text) in [
        (250_000, COFFEE, vectors::COFFEE_OF_2017),
        (2_000_000, CAKE, vectors::TESTNET_OF_2017),
        (250_000, COFFEE, vectors::COFFEE),
        (250_000, NONSENSE, vectors::NONSENSE),
        (2_000_000, CAKE, vectors::HASHED),
        (2_000_000, CAKE, vectors::TESTNET),
        (2_000_000, CAKE, vectors::ROUTES),
        (2_000_000, CAKE, vectors::P2SH),
        (2_000_000, CAKE, vectors::P2WPKH),
        (2_000_000, CAKE, vectors::P2WSH),
        (2_000_000, CAKE, vectors::P2TR),
        (2_500_000, BEANS, vectors::FEATURES),
        (2_500_000, BEANS, vectors::UPPER_CASE),
        (1_000_000, "payment metadata inside", vectors::NAMED_PAYEE),
        (1_000_000, "payment metadata inside", vectors::METADATA),
    ] {
        let checked = check(text, HASH, satoshi, description);
        let checked = checked.unwrap_or_else(|mismatch| panic!("{mismatch}: {text}"));
        assert!(checked.description_checked());
        // The first two examples predate payment secrets.
        let old = [vectors::COFFEE_OF_2017, vectors::TESTNET_OF_2017].contains(&text);
        let objections: &[_] = if old { &[WalletObjection::NoPaymentSecret] } else { &[] };
        assert_eq!(checked.wallet_objections(), objections, "{text}");
        assert_eq!(
            check(text, HASH, satoshi, "other").unwrap_err().field().split('.').next(),
            Some("invoice")
        );
    }
}

/// These invoices are valid, but have no amount or a fraction of a satoshi.
#[test]
fn examples_without_whole_satoshi_amount_are_rejected() {
    let pico = "462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f";
    let donation = "Please consider supporting this project";
    for (hash, satoshi, description, text) in [
        (HASH, 1, donation, vectors::DONATION),
        (HASH, 1, donation, vectors::HIGH_S),
        (pico, 967_878, "", vectors::PICO),
    ] {
        let mismatch = check(text, hash, satoshi, description).unwrap_err();
        assert_eq!(mismatch.field(), "invoice.amount (millisatoshi)");
    }
}

#[test]
fn invalid_specification_examples_are_rejected() {
    for (field, description, text) in [
        ("payment_request", NONSENSE, vectors::BAD_CHECKSUM),
        ("payment_request", NONSENSE, vectors::NO_SEPARATOR),
        ("payment_request", NONSENSE, vectors::MIXED_CASE),
        ("invoice.signature", COFFEE, vectors::NOT_RECOVERABLE),
        ("payment_request", COFFEE, vectors::TOO_SHORT),
        ("payment_request", COFFEE, vectors::BAD_MULTIPLIER),
        ("payment_request", COFFEE, vectors::BAD_PRECISION),
        ("payment_request", BEANS, vectors::WRONG_LENGTHS),
        ("payment_request", BEANS, vectors::HIGH_S_AND_PAYEE),
        ("payment_request", BEANS, vectors::TWO_HASHES),
        ("payment_request", BEANS, vectors::SAME_HASH_TWICE),
    ] {
        let mismatch = check(text, HASH, 250_000, description).unwrap_err();
        assert_eq!(mismatch.field(), field, "{text}");
    }
}

/// These invoices pass the check, because hosts of 2018 create similar ones. The result lists the
/// reasons for which today's wallets refuse them.
#[test]
fn wallet_objections_are_reported_and_optionally_rejected() {
    let unknown = check(vectors::UNKNOWN_FEATURE, HASH, 2_500_000, BEANS).unwrap();
    assert_eq!(unknown.wallet_objections(), [WalletObjection::UnknownFeature(100)]);
    // The secret was removed from this example without a new signature, so its payee differs.
    let no_secret = charge(vectors::NO_SECRET, HASH, 2_000_000, CAKE);
    let checked = no_secret.check(&order(2_000_000, CAKE, Network::Bitcoin), SERVER_TIME).unwrap();
    assert_eq!(checked.wallet_objections(), [WalletObjection::NoPaymentSecret]);

    for (text, satoshi, description, found) in [
        (vectors::UNKNOWN_FEATURE, 2_500_000, BEANS, "it requires the unknown feature 100"),
        (vectors::NO_SECRET, 2_000_000, CAKE, "it has no payment secret"),
    ] {
        let expected = order(satoshi, description, Network::Bitcoin).for_todays_wallets();
        let mismatch = charge(text, HASH, satoshi, description).check(&expected, SERVER_TIME).unwrap_err();
        assert_eq!((mismatch.field(), mismatch.found()), ("invoice.wallet", found));
    }
    let expected = order(2_500_000, BEANS, Network::Bitcoin).for_todays_wallets();
    charge(vectors::FEATURES, HASH, 2_500_000, BEANS).check(&expected, SERVER_TIME).unwrap();
}

/// The example with a high S and a payee field also repeats its payment secret, which is already
/// an error. `signature.rs` has an invoice with only the signature wrong.
#[test]
fn invalid_fields_are_named_in_the_error() {
    assert_eq!(Invoice::read(vectors::HIGH_S_AND_PAYEE), Err(InvoiceError::Twice("payment secret")));
    assert_eq!(Invoice::read(vectors::WRONG_LENGTHS), Err(InvoiceError::Length("payment hash")));
}
