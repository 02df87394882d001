//! The `OrderKey` type: the idempotency key of an order, and its encoding in `customer_id`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// Bitcoin's base58 alphabet: no 0, O, I or l.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The number of base58 digits that hold 128 bits.
const DIGITS: usize = 22;

/// The longest reference of the caller next to a key, in UTF-16 units. `customer_id` holds 64, and
/// the key takes 24.
pub(crate) const MAX_OWN: usize = 40;

/// The most invoices that one order can have, one after the other. One base58 digit holds the
/// number.
pub(crate) const MAX_ATTEMPTS: u8 = 58;

/// The idempotency key of one order. The API has no idempotency keys, so this SDK stores the key in
/// `customer_id`.
///
/// The stored `customer_id` has four parts:
///
/// 1. one base58 digit with the number of the attempt,
/// 2. the key, as 22 base58 characters,
/// 3. a full stop,
/// 4. your own reference, at most 40 UTF-16 units.
///
/// [`OrderKey::from_customer_id`] splits it again.
///
/// An order can have several invoices, one after the other. When one expires unpaid, the next
/// *attempt* creates a new invoice under the same key. See
/// [`CreateOutcome::Expired`](crate::CreateOutcome::Expired).
///
/// ```
/// use strike_core::OrderKey;
///
/// let key = OrderKey::named("order-17");
/// assert_eq!(key, OrderKey::named("order-17"));
/// let customer_id = key.customer_id("table 4");
/// assert_eq!(OrderKey::from_customer_id(&customer_id), Some((key, "table 4")));
/// assert_eq!(OrderKey::from_customer_id("order-17"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderKey(u128);

impl OrderKey {
    /// Returns the key for the name of an order. The same name always gives the same key, also
    /// after a restart.
    ///
    /// The key is the first 128 bits of the SHA-256 of the name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let hash = hmac_sha256::Hash::hash(name.as_bytes());
        Self(hash.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte)))
    }

    /// Returns a key made of these 128 random bits.
    #[must_use]
    pub const fn from_entropy(entropy: u128) -> Self {
        Self(entropy)
    }

    /// Returns the `customer_id` of the first attempt, which holds the key and your own reference.
    #[must_use]
    pub fn customer_id(&self, own: &str) -> String {
        self.customer_id_of_attempt(1, own)
    }

    /// Returns the `customer_id` of an attempt. Attempts count from 1.
    pub(crate) fn customer_id_of_attempt(self, attempt: u8, own: &str) -> String {
        let digit = ALPHABET.get(usize::from(attempt.saturating_sub(1))).copied().unwrap_or(b'z');
        format!("{}{self}.{own}", char::from(digit))
    }

    /// Returns the last 64 bits, for a table of keys that may take two keys for one.
    pub(crate) fn short(self) -> u64 {
        u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or_default()
    }

    /// Returns the key and your own reference from a `customer_id`, or `None` if it holds no key.
    ///
    /// It accepts the `customer_id` of every attempt.
    #[must_use]
    pub fn from_customer_id(customer_id: &str) -> Option<(Self, &str)> {
        Self::read_attempt(customer_id).map(|(key, _, own)| (key, own))
    }

    /// Returns the key, the attempt (counted from 1) and the caller's own reference.
    pub(crate) fn read_attempt(customer_id: &str) -> Option<(Self, u8, &str)> {
        let (head, own) = customer_id.split_once('.')?;
        let (digit, key) = head.split_at_checked(1)?;
        let attempt = ALPHABET.iter().position(|symbol| digit.as_bytes() == [*symbol])?;
        Some((key.parse().ok()?, u8::try_from(attempt).ok()?.checked_add(1)?, own))
    }
}

impl fmt::Display for OrderKey {
    /// Writes the key as 22 base58 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = ['1'; DIGITS];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            let value = usize::try_from(rest % 58).unwrap_or_default();
            *digit = char::from(*ALPHABET.get(value).unwrap_or(&b'1'));
            rest /= 58;
        }
        digits.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderKey({self})")
    }
}

impl FromStr for OrderKey {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let wrong = || InvalidInput::new("order key", "22 base58 characters that hold 128 bits");
        if text.len() != DIGITS {
            return Err(wrong());
        }
        let digit = |c: u8| {
            ALPHABET.iter().position(|symbol| *symbol == c).and_then(|value| u128::try_from(value).ok())
        };
        let value = text.bytes().try_fold(0_u128, |sum, c| sum.checked_mul(58)?.checked_add(digit(c)?));
        value.map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for OrderKey {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        text.parse()
    }
}

impl From<OrderKey> for String {
    fn from(key: OrderKey) -> Self {
        format!("{key}")
    }
}
