//! The `Currency` type: the currency of a charge.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// The currency of a charge. The API supports only `btc`; parsing any other currency fails.
///
/// ```
/// use strike_core::Currency;
///
/// assert_eq!("btc".parse(), Ok(Currency::Btc));
/// assert!("eur".parse::<Currency>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Currency {
    /// Bitcoin. Amounts are in satoshi.
    #[serde(rename = "btc")]
    Btc,
}

impl Currency {
    /// Returns the currency as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Btc => "btc",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = InvalidInput;

    fn from_str(currency: &str) -> Result<Self, InvalidInput> {
        match currency {
            "btc" => Ok(Self::Btc),
            _ => Err(InvalidInput::new("currency", "`btc`, the only supported currency")),
        }
    }
}
