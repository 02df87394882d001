//! Verifies the signature of an invoice (feature `signature`).
//!
//! `lightning-invoice` hashes its own serialization of the invoice. That equals the signed data
//! only if the invoice was written in BOLT11's canonical form. Any other form is rejected, because
//! its signature cannot be verified.

use data_encoding::HEXLOWER;
use lightning_invoice::{Bolt11ParseError, SignedRawBolt11Invoice};

use super::expectation::Expectation;
use super::payee::{PayeeKey, sha256};
use super::read::{Invoice, InvoiceDescription};
use crate::errors::Mismatch;
use crate::values::Charge;

/// Verifies the description hash, the signature and the payee. Returns the key that signed.
pub(super) fn check(
    charge: &Charge,
    invoice: &Invoice,
    expected: &Expectation,
) -> Result<PayeeKey, Mismatch> {
    // Use the order's text if it has one, otherwise the charge's description.
    let wanted = expected.description_hash.unwrap_or_else(|| sha256(charge.description()));
    match invoice.description() {
        InvoiceDescription::Hash(found) => same_hash(&wanted, &HEXLOWER.encode(found))?,
        _ if expected.description_hash.is_some() => same_hash(&wanted, "absent")?,
        _ => {}
    }
    let signer = signer(charge.payment_request())?;
    if let Some(payee) = expected.payee {
        Mismatch::unless_equal("invoice.payee", payee, signer)?;
    }
    Ok(signer)
}

fn same_hash(wanted: &[u8; 32], found: &str) -> Result<(), Mismatch> {
    let wanted = HEXLOWER.encode(wanted);
    if wanted == found { Ok(()) } else { Err(Mismatch::new("invoice.description_hash", wanted, found)) }
}

/// Returns the signing key: the invoice's payee field, or else the key recovered from the
/// signature.
fn signer(text: &str) -> Result<PayeeKey, Mismatch> {
    let wrong = |found: &str| Mismatch::new("invoice.signature", "valid", found);
    let signed: SignedRawBolt11Invoice =
        text.parse().map_err(|error: Bolt11ParseError| wrong(&error.to_string()))?;
    if signed.to_string() != text.to_ascii_lowercase() {
        return Err(wrong("not verifiable: its fields are not in BOLT11's canonical form"));
    }
    let raw = signed.raw_invoice();
    if !signed.check_signature() {
        return Err(wrong("not valid"));
    }
    let key = match raw.payee_pub_key() {
        Some(claimed) => claimed.0,
        None => signed.recover_payee_pub_key().map_err(|_| wrong("not valid"))?.0,
    };
    Ok(PayeeKey(key.serialize()))
}
