//! Who signed an invoice: the part that needs the curve, under the feature `signature`.
//!
//! `lightning-invoice` hashes what it read, written anew. That is what was signed only if the invoice was written in
//! the one form that BOLT11 asks of writers, so any other form is refused: its signature could not be judged.

use std::fmt;
use std::str::FromStr;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::PublicKey;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use lightning_invoice::{Bolt11ParseError, SignedRawBolt11Invoice};

use super::expectation::Expectation;
use super::read::{Invoice, InvoiceDescription};
use crate::errors::Mismatch;
use crate::values::{Charge, InvalidInput};

/// A Lightning node's public key: who is paid.
///
/// ```
/// use strike_core::PayeeKey;
///
/// // The node of the BOLT11 specification's examples.
/// let payee: PayeeKey = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad".parse()?;
/// assert_eq!(payee.as_bytes().len(), 33);
/// assert!("03".repeat(32).parse::<PayeeKey>().is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayeeKey([u8; 33]);

impl PayeeKey {
    /// The key with these bytes, in the compressed form of a point.
    ///
    /// # Errors
    /// [`InvalidInput`] unless they are a point of the curve secp256k1.
    pub fn new(bytes: [u8; 33]) -> Result<Self, InvalidInput> {
        match PublicKey::from_slice(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(InvalidInput::new("payee", "a compressed public key: a point of secp256k1")),
        }
    }

    /// The 33 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }
}

impl FromStr for PayeeKey {
    type Err = InvalidInput;

    /// Reads 66 hex digits.
    fn from_str(hex: &str) -> Result<Self, InvalidInput> {
        let mut bytes = [0; 33];
        // The length first: decoding into a buffer of another size panics.
        if hex.len() == 66 && HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), &mut bytes).is_ok() {
            Self::new(bytes)
        } else {
            Err(InvalidInput::new("payee", "66 hex digits"))
        }
    }
}

impl fmt::Display for PayeeKey {
    /// 66 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PayeeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayeeKey({self})")
    }
}

pub(super) fn sha256(text: &str) -> [u8; 32] {
    sha256::Hash::hash(text.as_bytes()).to_byte_array()
}

/// Checks what the light check leaves open, and says who signed.
pub(super) fn check(
    charge: &Charge,
    invoice: &Invoice,
    expected: &Expectation,
) -> Result<PayeeKey, Mismatch> {
    // The text behind a hash is the order's; what the order does not name, the charge does.
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

/// The key that signed, by the invoice's own payee field or else by recovery.
fn signer(text: &str) -> Result<PayeeKey, Mismatch> {
    let wrong = |found: &str| Mismatch::new("invoice.signature", "valid", found);
    let signed: SignedRawBolt11Invoice =
        text.parse().map_err(|error: Bolt11ParseError| wrong(&error.to_string()))?;
    if signed.to_string() != text.to_ascii_lowercase() {
        return Err(wrong("over fields that are not in BOLT11's shortest form"));
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
