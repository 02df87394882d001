//! Fuzz target for invoices.
//!
//! Random text almost never has a valid checksum, so some inputs get a computed one.

use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
use strike_core::{Charge, Expectation, Invoice, InvoiceDescription, Network, Satoshi};

const NETWORKS: [Network; 4] = [Network::Bitcoin, Network::Testnet, Network::Signet, Network::Regtest];

/// Parses the input as an invoice.
///
/// If the first byte is below 4, it selects the network. The rest of the prefix, a zero byte and
/// 5-bit groups follow, and the checksum is appended.
pub(crate) fn invoice(data: &[u8]) {
    let text = match data.split_first() {
        Some((network, rest)) if *network < 4 => {
            let Some(text) = encode(NETWORKS[usize::from(*network)], rest) else { return };
            text
        }
        _ => String::from_utf8_lossy(data).into_owned(),
    };
    let invoice = match Invoice::read(&text) {
        Ok(invoice) => invoice,
        Err(error) => {
            assert!(error.to_string().len() < 200, "{error}");
            return;
        }
    };
    let bare = charge(&text, &invoice, 1).payment_request().to_ascii_lowercase();
    assert!(bare.starts_with(invoice.network().invoice_prefix()), "{bare}");
    assert!(invoice.amount_millisatoshi().is_none_or(|amount| amount / 1000 <= Satoshi::MAX.get()));
    assert!(invoice.expires_at() >= invoice.timestamp());
    if let InvoiceDescription::Text(description) = invoice.description() {
        assert!(description.len() <= text.len());
    }
    let millisatoshi = invoice.amount_millisatoshi();
    // A charge passes the check only with the invoice's amount, which must be whole satoshi.
    for amount in [millisatoshi.unwrap_or_default() / 1000, 1] {
        let charge = charge(&text, &invoice, amount);
        let agrees = millisatoshi == Some(amount * 1000) && invoice.expires_at() > invoice.timestamp();
        for network in NETWORKS {
            let expected = Expectation::new(network).amount(Satoshi::new(amount));
            match charge.check(&expected, invoice.timestamp()) {
                Ok(checked) => {
                    assert!(agrees && network == invoice.network());
                    assert_eq!(checked.amount().millisatoshi(), millisatoshi);
                    assert_eq!(checked.to_qr_text(), checked.to_uri().to_ascii_uppercase());
                    assert_eq!(checked.expires_at(), invoice.expires_at());
                    assert_eq!(checked.to_uri(), format!("lightning:{bare}"));
                    let demanding = charge.check(&expected.for_todays_wallets(), invoice.timestamp());
                    assert_eq!(demanding.is_ok(), invoice.wallet_objections().is_empty());
                }
                Err(mismatch) => {
                    assert!(!agrees || network != invoice.network(), "{mismatch:?}");
                    assert!(mismatch.found().chars().count() <= 201);
                }
            }
        }
    }
}

/// Returns a charge with this payment request and amount, and otherwise the fields of the invoice.
fn charge(text: &str, invoice: &Invoice, amount: u64) -> Charge {
    let description = match invoice.description() {
        InvoiceDescription::Text(text) => text.as_str(),
        _ => "",
    };
    serde_json::from_value(serde_json::json!({
        "id": "ch_1", "amount": amount, "currency": "btc", "amount_satoshi": amount, "paid": false,
        "payment_hash": invoice.payment_hash().to_string(), "payment_request": text, "description": description,
        "created": invoice.timestamp().as_millis(), "updated": invoice.timestamp().as_millis(),
    }))
    .unwrap()
}

/// Encodes a prefix and 5-bit groups as bech32 with a valid checksum.
fn encode(network: Network, data: &[u8]) -> Option<String> {
    let end = data.iter().position(|byte| *byte == 0)?;
    let (rest, groups) = data.split_at(end);
    let prefix = format!("{}{}", network.invoice_prefix(), std::str::from_utf8(rest).ok()?);
    let prefix = Hrp::parse(&prefix.to_ascii_lowercase()).ok()?;
    let groups = groups[1..].iter().map(|byte| Fe32::try_from(byte & 31).unwrap());
    Some(groups.with_checksum::<Bech32>(&prefix).chars().collect())
}
