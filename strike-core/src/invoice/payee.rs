//! The public key of a payee, and the hash of a description.

use std::fmt;
use std::str::FromStr;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::PublicKey;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::values::InvalidInput;

/// The public key of a Lightning node, which identifies the payee of an invoice.
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
pub struct PayeeKey(pub(super) [u8; 33]);

impl PayeeKey {
    /// Creates a key from the 33 bytes of a compressed point.
    ///
    /// # Errors
    /// [`InvalidInput`] if the bytes are not a point on the curve secp256k1.
    pub fn new(bytes: [u8; 33]) -> Result<Self, InvalidInput> {
        match PublicKey::from_slice(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(InvalidInput::new("payee", "a compressed public key: a point of secp256k1")),
        }
    }

    /// Returns the 33 bytes of the compressed point.
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
        // Check the length first: decoding into a buffer of another size panics.
        if hex.len() == 66 && HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), &mut bytes).is_ok() {
            Self::new(bytes)
        } else {
            Err(InvalidInput::new("payee", "66 hex digits"))
        }
    }
}

impl fmt::Display for PayeeKey {
    /// Writes 66 lower-case hex digits.
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
