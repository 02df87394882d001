//! Tests of fields that BOLT11 readers treat differently, and of wallet objections.

use strike_core::{Invoice, InvoiceDescription, InvoiceError, Network, WalletObjection};

use crate::bolt11::{Bolt11, groups, public_key};
use crate::{check, order};

const EXPIRY: u8 = 6;
const FALLBACK: u8 = 9;
const FEATURES: u8 = 5;
const HASH: u8 = 1;
const LAST_HOP: u8 = 24;
const METADATA: u8 = 27;
const PAYEE: u8 = 19;
const ROUTE: u8 = 3;
const SECRET: u8 = 16;
const TEXT: u8 = 13;
const TEXT_HASH: u8 = 23;

fn with(fields: &[(u8, Vec<u8>)]) -> Bolt11 {
    let mut invoice = Bolt11::of_2018();
    invoice.fields.extend(fields.iter().cloned());
    invoice
}

#[test]
fn fixed_length_field_with_another_length_is_rejected() {
    for (tag, right, name) in [
        (HASH, 52, "payment hash"),
        (SECRET, 52, "payment secret"),
        (TEXT_HASH, 52, "description hash"),
        (PAYEE, 53, "payee"),
    ] {
        let own = |other: u8| other == tag || (tag == TEXT_HASH && other == TEXT);
        let others: Vec<_> = Bolt11::of_2018().fields.into_iter().filter(|(other, _)| !own(*other)).collect();
        for length in [0, 1, right - 1, right + 1, 2 * right, 1023] {
            let (good, wrong) = ((tag, vec![0; right]), (tag, vec![0; length]));
            // Alone, before a valid field, and after one.
            for added in [vec![wrong.clone()], vec![wrong.clone(), good.clone()], vec![good, wrong]] {
                let fields = others.iter().cloned().chain(added).collect();
                let invoice = Bolt11 { fields, ..Bolt11::of_2018() };
                assert_eq!(Invoice::read(&invoice.signed()), Err(InvoiceError::Length(name)), "{length}");
            }
        }
    }
}

#[test]
fn repeated_single_field_is_rejected() {
    for (tag, value, name) in [
        (HASH, vec![0; 52], "payment hash"),
        (SECRET, vec![0; 52], "payment secret"),
        (TEXT, groups(b"tea"), "description"),
        (TEXT_HASH, vec![0; 52], "description"),
        (PAYEE, groups(&public_key()), "payee"),
        (EXPIRY, vec![1], "expiry"),
        (LAST_HOP, vec![10], "last hop's delta"),
        (METADATA, vec![1, 2], "payment metadata"),
        (FEATURES, vec![16, 8, 0], "features"),
    ] {
        let mut invoice = Bolt11::of_2018();
        invoice.fields.retain(|(other, _)| *other != tag && !(tag == TEXT_HASH && *other == TEXT));
        invoice.fields.push((tag, value.clone()));
        assert!(Invoice::read(&invoice.signed()).is_ok(), "{name}");
        // The same value again, and a different one.
        for other in [value.clone(), value.iter().map(|group| group ^ 1).collect()] {
            let mut twice = Bolt11 { fields: invoice.fields.clone(), ..Bolt11::of_2018() };
            twice.fields.push((tag, other));
            assert_eq!(Invoice::read(&twice.signed()), Err(InvoiceError::Twice(name)));
        }
    }
    let both = with(&[(TEXT_HASH, vec![0; 52])]).signed();
    assert_eq!(
        Invoice::read(&both),
        Err(InvoiceError::Twice("description")),
        "a description and a description hash"
    );
}

#[test]
fn repeated_routes_and_unknown_fields_are_accepted() {
    let hop = (ROUTE, groups(&[2; 51]));
    let fallbacks = [(FALLBACK, vec![17; 33]), (FALLBACK, vec![19; 33])];
    let unknown = (2, vec![0, 0, 0]);
    let mut fields = vec![hop.clone(), hop, unknown.clone(), unknown];
    fields.extend(fallbacks);
    let invoice = Invoice::read(&with(&fields).signed()).unwrap();
    assert_eq!(invoice.network(), Network::Testnet);
    assert_eq!(invoice.description(), &InvoiceDescription::Text("tea".into()));
}

/// Returns a features field with these bits set.
fn features(bits: &[u16]) -> (u8, Vec<u8>) {
    let most = bits.iter().max().unwrap() / 5;
    let group =
        |at: u16| bits.iter().filter(|bit| *bit / 5 == at).fold(0, |group, bit| group | 1 << (bit % 5));
    (FEATURES, (0..=most).rev().map(group).collect())
}

#[test]
fn wallet_objections_are_listed() {
    use WalletObjection::{FeatureWithout, NoDescription, NoPaymentSecret, UnknownFeature};
    let secret = (SECRET, groups(&[1; 32]));
    let without_multi_part = FeatureWithout { feature: 16, needs: 14 };
    for (fields, objections) in [
        (vec![], vec![NoPaymentSecret]),
        (vec![secret.clone()], vec![]),
        (vec![secret.clone(), features(&[8, 14])], vec![]),
        (vec![secret.clone(), features(&[9, 15, 17, 25, 37, 49])], vec![]),
        (vec![secret.clone(), features(&[8, 14, 16, 24, 36, 48])], vec![]),
        (vec![secret.clone(), features(&[14, 99, 101, 5001])], vec![]),
        (vec![secret.clone(), features(&[0])], vec![UnknownFeature(0)]),
        (vec![secret.clone(), features(&[14, 100])], vec![UnknownFeature(100)]),
        (vec![secret.clone(), features(&[14, 22, 5000])], vec![UnknownFeature(22), UnknownFeature(5000)]),
        (vec![secret.clone(), features(&[17])], vec![without_multi_part]),
        (vec![features(&[16])], vec![NoPaymentSecret, without_multi_part]),
    ] {
        let invoice = with(&fields).signed();
        assert_eq!(Invoice::read(&invoice).unwrap().wallet_objections(), objections, "{fields:?}");
        let checked = check(&invoice, &order()).unwrap_or_else(|error| panic!("{fields:?}: {error}"));
        assert_eq!(checked.wallet_objections(), objections);
        match check(&invoice, &order().for_todays_wallets()) {
            Ok(_) => assert!(objections.is_empty(), "{objections:?}"),
            Err(mismatch) => {
                assert_eq!(
                    (mismatch.field(), mismatch.found()),
                    ("invoice.wallet", &*objections[0].to_string())
                );
            }
        }
    }
    let mut silent = with(&[secret]);
    silent.fields.retain(|(tag, _)| *tag != TEXT);
    assert_eq!(Invoice::read(&silent.signed()).unwrap().wallet_objections(), [NoDescription]);
}

#[test]
fn number_with_leading_zeros_is_a_wallet_objection() {
    let secret = (SECRET, groups(&[1; 32]));
    for (tag, value, name) in [
        (EXPIRY, vec![0, 1], "expiry"),
        (EXPIRY, vec![0], "expiry"),
        (LAST_HOP, vec![0, 10], "last hop's delta"),
        (FEATURES, vec![0, 16, 8, 0], "features"),
    ] {
        let mut invoice = with(std::slice::from_ref(&secret));
        invoice.fields.retain(|(other, _)| *other != tag);
        invoice.fields.push((tag, value));
        let invoice = Invoice::read(&invoice.signed()).unwrap();
        assert_eq!(invoice.wallet_objections(), [WalletObjection::LeadingZeros(name)]);
    }
}

#[test]
fn payment_secret_is_not_in_debug_output() {
    let invoice = Invoice::read(&with(&[(SECRET, groups(&[0xc5; 32]))]).signed()).unwrap();
    let shown = format!("{invoice:?}");
    assert!(!shown.contains("197") && !shown.contains("c5c5"), "{shown}");
}
