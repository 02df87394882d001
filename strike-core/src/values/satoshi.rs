//! An amount in satoshi.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// An amount in satoshi, the smallest unit of bitcoin on the chain: 100 000 000 of them are one bitcoin.
///
/// Reading one with serde fails above [`MAX`](Self::MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Satoshi(u64);

impl Satoshi {
    /// 21 million bitcoin, which is all that there can be. No order and no charge has a larger amount.
    pub const MAX: Self = Self(2_100_000_000_000_000);

    /// That many satoshi. Above [`MAX`](Self::MAX) it is no amount, and refused wherever it is used as one.
    #[must_use]
    pub const fn new(satoshi: u64) -> Self {
        Self(satoshi)
    }

    /// The number of satoshi.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same amount in millisatoshi, the unit of invoices; `None` beyond what 64 bits hold.
    #[must_use]
    pub const fn millisatoshi(self) -> Option<u64> {
        self.0.checked_mul(1000)
    }
}

impl Satoshi {
    /// The amount, unless it is above all that there can be.
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
