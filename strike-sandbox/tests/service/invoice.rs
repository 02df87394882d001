//! Invoices of charges, checked with the strict `lightning-invoice` parser.

use std::time::Duration;

use lightning_invoice::{Bolt11Invoice, Currency};
use serde_json::Value;
use strike_core::Network;
use strike_sandbox::Sandbox;

use crate::support::{FORM, builder, create, sandbox};

fn invoice(charge: &Value) -> Bolt11Invoice {
    let invoice: Bolt11Invoice =
        charge["payment_request"].as_str().expect("text").parse().expect("a valid invoice");
    invoice.check_signature().expect("the invoice is signed");
    invoice
}

#[test]
fn invoice_fields_match_the_charge() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=42000&currency=btc&description=1%2520Blockaccino");
    let invoice = invoice(&charge);
    assert_eq!(invoice.currency(), Currency::BitcoinTestnet);
    assert_eq!(invoice.amount_milli_satoshis(), Some(42_000_000));
    assert_eq!(invoice.description().to_string(), "1%20Blockaccino");
    assert_eq!(invoice.payment_hash().to_string(), charge["payment_hash"].as_str().expect("a hash"));
    // The charge was created 505 ms later. Invoice timestamps are whole seconds.
    assert_eq!(invoice.duration_since_epoch(), Duration::from_secs(1_542_221_803));
    assert_eq!(invoice.recover_payee_pub_key().to_string(), sandbox.payee());
    assert_eq!(invoice.min_final_cltv_expiry_delta(), 18);
    let features = invoice.features().expect("a features field");
    assert!(features.requires_payment_secret() && features.requires_variable_length_onion());
    assert_eq!(invoice.route_hints().len(), 0);
}

#[test]
fn invoice_has_an_expiry_tag_only_if_requested() {
    let sandbox = sandbox();
    let expiry = |body: &str| {
        let invoice = invoice(&create(&sandbox, FORM, &format!("amount=1&currency=btc{body}")));
        invoice.into_signed_raw().raw_invoice().expiry_time().map(|it| it.as_seconds())
    };
    assert_eq!(expiry(""), None);
    assert_eq!(expiry("&expiry_sec=3600"), Some(3600));
    assert_eq!(expiry("&expiry_sec=604000"), Some(604_000));
}

#[test]
fn invoice_prefix_matches_the_network() {
    for (network, currency, prefix) in [
        (Network::Bitcoin, Currency::Bitcoin, "lnbc10n1"),
        (Network::Testnet, Currency::BitcoinTestnet, "lntb10n1"),
        (Network::Signet, Currency::Signet, "lntbs10n1"),
        (Network::Regtest, Currency::Regtest, "lnbcrt10n1"),
    ] {
        let sandbox = builder().network(network).build();
        assert_eq!(sandbox.network(), network);
        let charge = create(&sandbox, FORM, "amount=1&currency=btc");
        assert!(charge["payment_request"].as_str().is_some_and(|it| it.starts_with(prefix)), "{charge}");
        assert_eq!(invoice(&charge).currency(), currency);
    }
}

#[test]
fn hashes_secrets_and_node_keys_are_unique() {
    let sandbox = sandbox();
    let [first, second] = [(), ()].map(|()| invoice(&create(&sandbox, FORM, "amount=1&currency=btc")));
    assert_ne!(first.payment_hash(), second.payment_hash());
    assert_ne!(first.payment_secret(), second.payment_secret());
    assert_eq!(first.recover_payee_pub_key(), second.recover_payee_pub_key());
    assert_ne!(Sandbox::new().payee(), Sandbox::new().payee());
}

#[test]
fn invoices_can_be_signed_at_the_latest_timestamp() {
    let sandbox = sandbox();
    sandbox.advance(Duration::MAX);
    let charge = create(&sandbox, FORM, "amount=1&currency=btc&expiry_sec=604800");
    assert_eq!(invoice(&charge).duration_since_epoch(), Duration::from_secs((1 << 35) - 1));
}
