//! The `Network` type: the bitcoin network of an invoice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// The bitcoin network of an endpoint and its invoices.
///
/// ```
/// use strike_core::Network;
///
/// assert_eq!("testnet".parse(), Ok(Network::Testnet));
/// assert_eq!(Network::Bitcoin.invoice_prefix(), "lnbc");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the networks of BOLT11, and callers should handle each"
)]
pub enum Network {
    /// The main network: real money.
    Bitcoin,
    /// The public test network.
    Testnet,
    /// The signed test network.
    Signet,
    /// A private network for tests.
    Regtest,
}

impl Network {
    /// Returns the prefix of a BOLT11 invoice of this network.
    #[must_use]
    pub const fn invoice_prefix(self) -> &'static str {
        match self {
            Self::Bitcoin => "lnbc",
            Self::Testnet => "lntb",
            Self::Signet => "lntbs",
            Self::Regtest => "lnbcrt",
        }
    }

    /// Returns the name of the network. Parsing it returns the network again.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Network {
    type Err = InvalidInput;

    /// Parses the name of a network. `mainnet` is an alias of `bitcoin`.
    fn from_str(name: &str) -> Result<Self, InvalidInput> {
        match name {
            "bitcoin" | "mainnet" => Ok(Self::Bitcoin),
            "testnet" => Ok(Self::Testnet),
            "signet" => Ok(Self::Signet),
            "regtest" => Ok(Self::Regtest),
            _ => Err(InvalidInput::new("network", "bitcoin (or mainnet), testnet, signet or regtest")),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidInput;

    fn try_from(name: String) -> Result<Self, InvalidInput> {
        name.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.as_str().to_owned()
    }
}
