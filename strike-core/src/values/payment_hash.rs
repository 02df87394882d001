//! The `PaymentHash` type: the hash that identifies a payment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// The hash that identifies a payment. It is the SHA-256 of the preimage, which is the payer's
/// receipt.
///
/// ```
/// use strike_core::PaymentHash;
///
/// let hash: PaymentHash = "00".repeat(32).parse()?;
/// assert_eq!(hash.as_bytes(), &[0; 32]);
/// assert_eq!(hash.to_string(), "00".repeat(32));
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash([u8; 32]);

impl PaymentHash {
    /// Creates a hash from its 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PaymentHash {
    /// Writes the hash as 64 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentHash({self})")
    }
}

impl FromStr for PaymentHash {
    type Err = InvalidInput;

    fn from_str(hex: &str) -> Result<Self, InvalidInput> {
        let mut bytes = [0; 32];
        // Check the length first. `decode_mut` panics if the buffer has another size.
        if hex.len() == 64
            && data_encoding::HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), &mut bytes).is_ok()
        {
            Ok(Self(bytes))
        } else {
            Err(InvalidInput::new("payment_hash", "64 hex digits"))
        }
    }
}

impl Serialize for PaymentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PaymentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let hex = std::borrow::Cow::<str>::deserialize(deserializer)?;
        hex.parse().map_err(D::Error::custom)
    }
}

impl From<[u8; 32]> for PaymentHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for PaymentHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
