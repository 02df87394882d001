//! Tests of reading invoices and comparing them with charges. An independent library writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use bitcoin::hashes as bitcoin_hashes;
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin_hashes::Hash as _;
use lightning_invoice::{Currency, RawBolt11Invoice, RawDataPart, RawHrp, RawTaggedField, TaggedField};
use proptest::prelude::*;
use serde_json::json;
use strike_core::machine::Operation;
use strike_core::{
    Advice, ApiKey, CLOCK_MARGIN, Create, Endpoint, ErrorKind, Expectation, Invoice, InvoiceDescription,
    InvoiceError, Network, NewCharge, Now, UnixMillis,
};
use support::charge_json;
use support::invoices::{key, written};

/// The timestamp of the invoices of 2018.
const CREATED: Now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_542_221_803));

/// Returns an invoice with exactly these fields. Like the service's early invoices, it has no
/// payment secret and no features.
fn raw(fields: Vec<RawTaggedField>) -> String {
    let raw = RawBolt11Invoice {
        hrp: RawHrp {
            currency: Currency::BitcoinTestnet,
            raw_amount: Some(42_000),
            si_prefix: Some(lightning_invoice::SiPrefix::Nano),
        },
        data: RawDataPart {
            timestamp: lightning_invoice::PositiveTimestamp::from_unix_timestamp(1_542_221_803).unwrap(),
            tagged_fields: fields,
        },
    };
    raw.sign(|hash: &Message| Ok::<_, ()>(Secp256k1::new().sign_ecdsa_recoverable(hash, &key())))
        .unwrap()
        .to_string()
}

fn field(field: TaggedField) -> RawTaggedField {
    RawTaggedField::KnownSemantics(field)
}

fn hash_field(byte: u8) -> RawTaggedField {
    field(TaggedField::PaymentHash(lightning_invoice::Sha256(bitcoin_hashes::sha256::Hash::from_byte_array(
        [byte; 32],
    ))))
}

fn text_field(text: &str) -> RawTaggedField {
    field(TaggedField::Description(lightning_invoice::Description::new(text.to_owned()).unwrap()))
}

#[test]
fn invoice_without_payment_secret_is_read() {
    let text = raw(vec![hash_field(0xab), text_field("1%20Blockaccino")]);
    assert!(text.parse::<lightning_invoice::Bolt11Invoice>().is_err(), "strict parsers reject it");
    let invoice = Invoice::read(&text).unwrap();
    assert_eq!(invoice.network(), Network::Testnet);
    assert_eq!(invoice.amount_millisatoshi(), Some(4_200_000));
    assert_eq!(invoice.payment_hash().as_bytes(), &[0xab; 32]);
    assert_eq!(invoice.description(), &InvoiceDescription::Text("1%20Blockaccino".into()));
    assert_eq!(invoice.timestamp(), UnixMillis::from_secs(1_542_221_803));
    assert_eq!(invoice.expiry(), Duration::from_secs(3600), "the default of BOLT11");
    assert_eq!(invoice.expires_at(), UnixMillis::from_secs(1_542_225_403));
    // Upper case, as in QR codes, is read as the same invoice.
    assert_eq!(Invoice::read(&text.to_uppercase()), Ok(invoice));
}

/// Examples of the BOLT11 specification: a donation without an amount, and a hashed description.
#[test]
fn old_specification_examples_are_read() {
    let donation = "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4ecky03ylcqca784w";
    let invoice = Invoice::read(donation).unwrap();
    assert_eq!((invoice.network(), invoice.amount_millisatoshi()), (Network::Bitcoin, None));
    assert_eq!(invoice.timestamp(), UnixMillis::from_secs(1_496_314_658));
    assert_eq!(
        invoice.description(),
        &InvoiceDescription::Text("Please consider supporting this project".into())
    );

    let testnet = "lntb20m1pvjluezhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqfpp3x9et2e20v6pu37c5d9vax37wxq72un98kmzzhznpurw9sgl2v0nklu2g4d0keph5t7tj9tcqd8rexnd07ux4uv2cjvcqwaxgj7v4uwn5wmypjd5n69z2xm3xgksg28nwht7f6zspwp3f9t";
    let invoice = Invoice::read(testnet).unwrap();
    assert_eq!((invoice.network(), invoice.amount_millisatoshi()), (Network::Testnet, Some(2_000_000_000)));
    assert!(matches!(invoice.description(), InvoiceDescription::Hash(hash) if hash[..2] == [0x39, 0x25]));
}

#[test]
fn invalid_checksums_and_repeated_fields_are_rejected() {
    let good = written(Currency::BitcoinTestnet, 4_200_000, "tea", None);
    let (prefix, _) = good.split_once('1').unwrap();
    assert_eq!(prefix, "lntb42u");
    let changed = good.replacen("lntb42u", "lntb43u", 1);
    let mut mixed = good.clone();
    mixed.replace_range(10..11, &good[10..11].to_uppercase());
    let ascii_digit = |c: char| c.is_ascii_digit();
    if mixed == good {
        let at = good.rfind(|c| !ascii_digit(c)).unwrap();
        mixed.replace_range(at..=at, &good[at..=at].to_uppercase());
    }
    for (text, error) in [
        (String::new(), InvoiceError::NotBech32),
        ("invented".into(), InvoiceError::NotBech32),
        (mixed, InvoiceError::NotBech32),
        (changed, InvoiceError::Checksum),
        (good[..good.len() - 1].into(), InvoiceError::Checksum),
        (good.clone() + "q", InvoiceError::Checksum),
        (raw(vec![text_field("tea")]), InvoiceError::NoPaymentHash),
        (raw(vec![hash_field(1), hash_field(2)]), InvoiceError::Twice("payment hash")),
        (raw(vec![hash_field(1), text_field("a"), text_field("b")]), InvoiceError::Twice("description")),
    ] {
        assert_eq!(Invoice::read(&text), Err(error), "{text}");
    }
}

/// Returns a bech32 text with a valid checksum around these groups.
fn bech32(prefix: &str, groups: &[u8]) -> String {
    use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
    let hrp = Hrp::parse(prefix).unwrap();
    let groups = groups.iter().map(|group| Fe32::try_from(group & 31).unwrap());
    groups.with_checksum::<Bech32>(&hrp).chars().collect()
}

#[test]
fn network_and_amount_are_read_from_the_prefix() {
    // 7 groups for the timestamp, then the payment hash, then 104 groups for the signature.
    let mut groups = vec![0; 7];
    groups.extend([1, 1, 20]);
    groups.extend([0; 52 + 104]);
    let read = |prefix: &str| {
        Invoice::read(&bech32(prefix, &groups)).map(|i| (i.network(), i.amount_millisatoshi()))
    };
    for (prefix, network, amount) in [
        ("lnbc", Network::Bitcoin, None),
        ("lnbcrt", Network::Regtest, None),
        ("lntbs1m", Network::Signet, Some(100_000_000)),
        ("lntb1", Network::Testnet, Some(100_000_000_000)),
        ("lnbcrt5n", Network::Regtest, Some(500)),
        ("lnbc10p", Network::Bitcoin, Some(1)),
        ("lnbc42949670n", Network::Bitcoin, Some(4_294_967_000)),
        ("lnbc21000000", Network::Bitcoin, Some(2_100_000_000_000_000_000)),
    ] {
        assert_eq!(read(prefix), Ok((network, amount)), "{prefix}");
    }
    for (prefix, error) in [
        ("lnxy", InvoiceError::Prefix),
        ("bc", InvoiceError::Prefix),
        ("lnbcx", InvoiceError::Prefix),
        ("lnbcm", InvoiceError::Amount),
        ("lnbc0", InvoiceError::Amount),
        ("lnbc1p", InvoiceError::Amount),
        ("lnbc1x", InvoiceError::Amount),
        ("lnbc1x1", InvoiceError::Amount),
        ("lnbc1mm", InvoiceError::Amount),
        ("lnbc21000001", InvoiceError::Amount),
        ("lnbc21000000001m", InvoiceError::Amount),
        ("lnbc21000000000001u", InvoiceError::Amount),
        ("lnbc21000000000000001n", InvoiceError::Amount),
        ("lnbc184467441", InvoiceError::Amount),
        ("lnbc99999999999999999999", InvoiceError::Amount),
    ] {
        assert_eq!(read(prefix), Err(error), "{prefix}");
    }
    for cut in [0, 6, 7, 60, 110, 165] {
        assert_eq!(Invoice::read(&bech32("lnbc", &groups[..cut])), Err(InvoiceError::Short), "{cut}");
    }
}

#[test]
fn lightning_uri_and_white_space_are_stripped() {
    let text = written(Currency::BitcoinTestnet, 4_200_000, "tea", None);
    let invoice = Invoice::read(&text).unwrap();
    let upper = text.to_uppercase();
    for around in [
        format!("lightning:{text}"),
        format!("LIGHTNING:{upper}"),
        format!("Lightning:{upper}"),
        format!("lightning://{text}"),
        format!("lightning: {text}"),
        format!("lightning:lightning:{text}"),
        format!(" \t{text}\r\n"),
        format!("\n lightning:{text} "),
    ] {
        assert_eq!(Invoice::read(&around).as_ref(), Ok(&invoice), "{around:?}");
        let charge = support::charge(&[("payment_request", json!(around))]);
        assert!(charge.payment_request().eq_ignore_ascii_case(&text), "{around:?}");
        let checked = charge
            .check(&Expectation::new(Network::Testnet), charge.created())
            .unwrap_or_else(|mismatch| panic!("{mismatch}: {around:?}"));
        assert_eq!(checked.to_uri(), format!("lightning:{text}"));
        assert_eq!(checked.to_qr_text(), format!("LIGHTNING:{upper}"));
        let saved = serde_json::to_string(&charge).unwrap();
        assert_eq!(serde_json::from_str::<strike_core::Charge>(&saved).unwrap(), charge);
    }
    for other in [format!("bitcoin:{text}"), format!("lightning{text}"), format!("lightning:x{text}")] {
        assert!(Invoice::read(&other).is_err(), "{other}");
    }
    assert!(Invoice::read(&"lightning:".repeat(100_000)).is_err());
}

#[test]
fn largest_expiry_does_not_overflow() {
    let mut groups = vec![31; 7];
    groups.extend([1, 1, 20]);
    groups.extend([0; 52]);
    groups.extend([6, 0, 20]);
    groups.extend([31; 20]);
    groups.extend([0; 104]);
    let invoice = Invoice::read(&bech32("lnbc", &groups)).unwrap();
    assert_eq!(invoice.expiry(), Duration::from_secs(u64::MAX));
    assert_eq!(invoice.expires_at(), UnixMillis::from_millis(u64::MAX));
}

#[test]
fn create_rejects_an_invoice_that_differs_from_the_order() {
    let endpoint =
        Endpoint::new("http://127.0.0.1:1/", ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap();
    let parse = |invoice: &str| {
        let body = charge_json(&[("payment_request", json!(invoice))]).to_string();
        let response = http::Response::new(body.into_bytes());
        Create::new(NewCharge::satoshis(4200, "tea")).parse(&endpoint, &response, CREATED)
    };
    parse(&written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(60))).unwrap();
    parse(&raw(vec![hash_field(0xab), text_field("tea")])).unwrap();
    let hashed = field(TaggedField::DescriptionHash(lightning_invoice::Sha256(
        bitcoin_hashes::sha256::Hash::from_byte_array([9; 32]),
    )));
    parse(&raw(vec![hash_field(0xab), hashed])).expect("a hashed description is not checked");
    for (invoice, name) in [
        ("invented".to_owned(), "payment_request"),
        (written(Currency::Bitcoin, 4_200_000, "tea", None), "invoice.network"),
        (written(Currency::Signet, 4_200_000, "tea", None), "invoice.network"),
        (written(Currency::BitcoinTestnet, 4_200_001, "tea", None), "invoice.amount (millisatoshi)"),
        (written(Currency::BitcoinTestnet, 4_200_000, "Tea", None), "invoice.description"),
        (raw(vec![hash_field(0xab)]), "invoice.description"),
        (raw(vec![hash_field(0xac), text_field("tea")]), "invoice.payment_hash"),
    ] {
        let error = parse(&invoice).unwrap_err();
        let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error:?}") };
        assert_eq!(mismatch.field(), name);
        assert_eq!(error.charge().unwrap().payment_request(), invoice, "the error has no charge");
    }
}

/// Returns an invoice with timestamp [`CREATED`] and this expiry field, in groups of five bits.
fn lasting(expiry: &[u8]) -> String {
    let mut groups: Vec<u8> =
        (0..7).rev().map(|at| u8::try_from(1_542_221_803_u64 >> (5 * at) & 31).unwrap()).collect();
    groups.extend([1, 1, 20]);
    groups.extend([0; 52]);
    groups.extend([6, 0, u8::try_from(expiry.len()).unwrap()]);
    groups.extend(expiry);
    groups.extend([0; 104]);
    bech32("lntb42u", &groups)
}

#[test]
fn create_rejects_an_invoice_expired_by_the_server_clock() {
    let made = CREATED.unix;
    let hour = Duration::from_secs(3600);
    let second = Duration::from_secs(1);
    let endpoint = |checked| {
        Endpoint::builder("http://127.0.0.1:1/", ApiKey::new("sk_demo").unwrap(), Network::Testnet)
            .check_invoices(checked)
            .build()
            .unwrap()
    };
    let parse = |expiry: &[u8], date: Option<&str>, local: UnixMillis, checked: bool| {
        let charge = charge_json(&[
            ("payment_request", json!(lasting(expiry))),
            ("payment_hash", json!("00".repeat(32))),
            ("description", json!("")),
        ]);
        let mut response = http::Response::new(charge.to_string().into_bytes());
        if let Some(date) = date {
            response.headers_mut().insert("date", date.parse().unwrap());
        }
        let now = Now::new(Duration::ZERO, local);
        Create::new(NewCharge::satoshis(4200, "")).parse(&endpoint(checked), &response, now)
    };
    // One hour, zero, and the largest possible expiry, in groups of five bits.
    let (an_hour, zero, endless): (&[u8], &[u8], &[u8]) = (&[3, 16, 16], &[0], &[31; 20]);
    let (on_time, too_late) = ("Wed, 14 Nov 2018 19:56:42 GMT", "Wed, 14 Nov 2018 19:56:43 GMT");
    let at = |later: Duration| made.saturating_add(later);
    for (expiry, date, local, payable) in [
        (an_hour, Some("Wed, 14 Nov 2018 18:56:43 GMT"), made, true),
        (an_hour, Some(on_time), made, true),
        (an_hour, Some(too_late), made, false),
        (an_hour, Some("Wed, 14 Nov 2018 20:56:43 GMT"), made, false),
        // The local clock is not used if the response has a `Date`.
        (an_hour, Some(on_time), at(hour * 24), true),
        (an_hour, Some("Fri, 01 Jan 2100 00:00:00 GMT"), made, false),
        // It is used if there is no readable `Date`.
        (an_hour, None, made, true),
        (an_hour, None, at(hour + CLOCK_MARGIN - second), true),
        (an_hour, None, at(hour + CLOCK_MARGIN), false),
        (an_hour, Some("yesterday"), at(hour + CLOCK_MARGIN), false),
        // A `Date` from a clock that was never set is ignored.
        (an_hour, Some("Thu, 01 Jan 1970 00:00:00 GMT"), made, true),
        (an_hour, Some("Thu, 01 Jan 1970 00:00:00 GMT"), at(hour + CLOCK_MARGIN), false),
        (an_hour, None, UnixMillis::from_millis(0), true),
        (zero, Some("Wed, 14 Nov 2018 18:56:43 GMT"), made, false),
        (endless, Some("Fri, 01 Jan 2100 00:00:00 GMT"), made, true),
        (endless, None, UnixMillis::from_secs(4_102_444_800), true),
    ] {
        parse(expiry, date, local, false).expect("invoices are not checked");
        let result = parse(expiry, date, local, true);
        assert_eq!(result.is_ok(), payable, "{expiry:?} {date:?} {local}: {result:?}");
        let Err(error) = result else { continue };
        let ErrorKind::Mismatch(mismatch) = error.kind() else { panic!("{error:?}") };
        assert_eq!(mismatch.field(), "invoice.expires_at");
        assert_eq!((error.advice(), error.status()), (Advice::InvoiceExpired, Some(200)));
        assert_eq!(error.charge().unwrap().payment_request(), lasting(expiry), "the error has no charge");
    }
    let error = parse(an_hour, Some(too_late), made, true).unwrap_err();
    let text = "invoice.expires_at should be later than 2018-11-14T19:56:43Z, but is 2018-11-14T19:56:43Z";
    assert!(error.to_string().contains(text), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Reads back every field of an invoice that an independent library wrote.
    #[test]
    fn invoices_of_an_independent_library_are_read(
        satoshi in 1_u64..=4_294_967,
        text in "\\PC{0,200}",
        expiry in proptest::option::of(1_u64..=604_800),
        network in 0_usize..4,
    ) {
        let currency = [Currency::Bitcoin, Currency::BitcoinTestnet, Currency::Signet, Currency::Regtest];
        let networks = [Network::Bitcoin, Network::Testnet, Network::Signet, Network::Regtest];
        let invoice = Invoice::read(&written(currency[network].clone(), satoshi * 1000, &text, expiry)).unwrap();
        prop_assert_eq!(invoice.network(), networks[network]);
        prop_assert_eq!(invoice.amount_millisatoshi(), Some(satoshi * 1000));
        prop_assert_eq!(invoice.description(), &InvoiceDescription::Text(text));
        prop_assert_eq!(invoice.expiry(), Duration::from_secs(expiry.unwrap_or(3600)));
    }

    /// Arbitrary text does not panic, and a change of one character is always detected.
    #[test]
    fn changed_character_is_detected(position in 4_usize..250, to in "[0-9a-z]", junk in "\\PC{0,100}") {
        let _ = Invoice::read(&junk);
        let good = written(Currency::BitcoinTestnet, 4_200_000, "tea", None);
        let position = position % good.len();
        let mut changed = good.clone();
        changed.replace_range(position..=position, &to);
        prop_assert!(changed == good || Invoice::read(&changed).is_err());
    }

    /// Arbitrary field structures do not panic.
    #[test]
    fn arbitrary_field_data_does_not_panic(groups in proptest::collection::vec(0_u8..32, 0..400)) {
        let _ = Invoice::read(&bech32("lnbc1u", &groups));
    }
}
