//! The `Satoshi` type: an amount of bitcoin.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// An amount in satoshi. One bitcoin is 100 000 000 satoshi.
///
/// Deserializing an amount above [`MAX`](Self::MAX) fails.
///
/// ```
/// use strike_core::Satoshi;
///
/// let amount = Satoshi::new(4200);
/// assert_eq!(amount.get(), 4200);
/// assert_eq!(amount.millisatoshi(), Some(4_200_000));
/// assert_eq!(amount.to_string(), "4200 satoshi");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Satoshi(u64);

impl Satoshi {
    /// The largest amount: 21 million bitcoin, which is all that can exist.
    pub const MAX: Self = Self(2_100_000_000_000_000);

    /// Creates an amount of this many satoshi.
    ///
    /// It accepts amounts above [`MAX`](Self::MAX), but orders, endpoints and responses reject
    /// them. Use `try_from` to check an amount.
    #[must_use]
    pub const fn new(satoshi: u64) -> Self {
        Self(satoshi)
    }

    /// Returns the number of satoshi.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the amount in millisatoshi, the unit of invoices, or `None` if it does not fit in 64
    /// bits.
    #[must_use]
    pub const fn millisatoshi(self) -> Option<u64> {
        self.0.checked_mul(1000)
    }
}

impl Satoshi {
    /// Returns the amount, or an error for this field if it is above [`MAX`](Self::MAX).
    pub(crate) fn within_supply(self, field: &'static str) -> Result<Self, InvalidInput> {
        if self <= Self::MAX {
            Ok(self)
        } else {
            Err(InvalidInput::new(field, "at most 2100000000000000 satoshi, which is 21 million bitcoin")
                .found(self.0))
        }
    }
}

impl<'de> Deserialize<'de> for Satoshi {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = Self(u64::deserialize(deserializer)?);
        amount.within_supply("amount").map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Satoshi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} satoshi", self.0)
    }
}

impl From<u32> for Satoshi {
    fn from(satoshi: u32) -> Self {
        Self(satoshi.into())
    }
}

impl TryFrom<u64> for Satoshi {
    type Error = InvalidInput;

    /// Converts a number of satoshi. It fails above [`MAX`](Self::MAX).
    fn try_from(satoshi: u64) -> Result<Self, InvalidInput> {
        Self(satoshi).within_supply("amount")
    }
}

impl From<Satoshi> for u64 {
    fn from(amount: Satoshi) -> Self {
        amount.0
    }
}

impl FromStr for Satoshi {
    type Err = InvalidInput;

    /// Parses a whole number of satoshi, such as `4200`, with or without the unit that `Display`
    /// writes.
    ///
    /// ```
    /// use strike_core::Satoshi;
    ///
    /// assert_eq!("4200".parse(), Ok(Satoshi::new(4200)));
    /// assert_eq!("4200 satoshi".parse(), Ok(Satoshi::new(4200)));
    /// assert!("42.5".parse::<Satoshi>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let digits = text.strip_suffix("satoshi").map_or(text, str::trim_end);
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let amount =
            number.ok_or_else(|| InvalidInput::new("amount", "a whole number of satoshi, such as 4200"))?;
        Self(amount).within_supply("amount")
    }
}
