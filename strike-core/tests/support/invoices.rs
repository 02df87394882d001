//! Invoices for tests, created with an independent library.

use std::time::Duration;

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};

pub fn key() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

/// Returns a signed invoice with a payment secret and the timestamp 1,700,000,000 s.
pub fn written(currency: Currency, millisatoshi: u64, description: &str, expiry: Option<u64>) -> String {
    let builder = InvoiceBuilder::new(currency)
        .amount_milli_satoshis(millisatoshi)
        .description(description.to_owned())
        .payment_hash(sha256::Hash::from_byte_array([0xab; 32]))
        .payment_secret(PaymentSecret([1; 32]))
        .duration_since_epoch(Duration::from_secs(1_700_000_000))
        .min_final_cltv_expiry_delta(18);
    let builder = match expiry {
        Some(seconds) => builder.expiry_time(Duration::from_secs(seconds)),
        None => builder,
    };
    builder.build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key())).unwrap().to_string()
}
