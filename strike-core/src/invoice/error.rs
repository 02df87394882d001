//! Why a text is not a BOLT11 invoice.

use std::error::Error;
use std::fmt;

/// The reason why a text is not a valid BOLT11 invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvoiceError {
    /// The text is not bech32: it has an invalid character, or mixes upper and lower case.
    NotBech32,
    /// The checksum is wrong: the text was mistyped, truncated or changed.
    Checksum,
    /// The prefix is not that of a known network.
    Prefix,
    /// The amount is not a whole number of millisatoshi, or exceeds 21 million bitcoin.
    Amount,
    /// The invoice is truncated.
    Short,
    /// The payment hash is missing.
    NoPaymentHash,
    /// The description is not UTF-8.
    NotText,
    /// The named field does not have the length that BOLT11 requires.
    Length(&'static str),
    /// The named field appears twice. Wallets could disagree about which one to use.
    Twice(&'static str),
}

impl fmt::Display for InvoiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBech32 => f.write_str("it is not bech32"),
            Self::Checksum => f.write_str("its checksum is wrong"),
            Self::Prefix => f.write_str("it does not begin with lnbc, lntb, lntbs or lnbcrt"),
            Self::Amount => {
                f.write_str("its amount is not a whole number of millisatoshi up to 21 million bitcoin")
            }
            Self::Short => f.write_str("it ends inside a field"),
            Self::NoPaymentHash => f.write_str("it has no payment hash"),
            Self::NotText => f.write_str("its description is not UTF-8"),
            Self::Length(name) => write!(f, "its {name} has the wrong length"),
            Self::Twice(name) => write!(f, "its {name} appears twice"),
        }
    }
}

impl Error for InvoiceError {}
