//! Finds reasons why current Lightning wallets refuse to pay an invoice.

use std::error::Error;
use std::fmt;

/// The feature bits that BOLT 9 assigns to invoices, each with the feature that it depends on.
///
/// These are the even bits, which mean "required". The next odd bit means "optional".
const KNOWN_FEATURES: [(u16, Option<u16>); 6] =
    [(8, None), (14, None), (16, Some(14)), (24, None), (36, None), (48, None)];

/// A reason why current Lightning wallets refuse to pay an invoice that can be decoded.
///
/// The specification requires wallets to refuse such invoices. An invoice without objections can
/// still have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WalletObjection {
    /// The payment secret is missing. Wallets have required it since about 2021. The hosted service
    /// never set it.
    NoPaymentSecret,
    /// Both the description and the description hash are missing.
    NoDescription,
    /// The named field is a number with leading zeros, which the specification declares invalid.
    LeadingZeros(&'static str),
    /// The invoice requires a feature that BOLT 9 does not assign to invoices. The number is its
    /// even bit.
    UnknownFeature(u16),
    /// The invoice has a feature, but not the feature that it depends on. The numbers are their
    /// even bits.
    FeatureWithout {
        /// The feature that is present.
        feature: u16,
        /// The feature that is missing.
        needs: u16,
    },
}

impl fmt::Display for WalletObjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPaymentSecret => f.write_str("it has no payment secret"),
            Self::NoDescription => f.write_str("it has neither a description nor a description hash"),
            Self::LeadingZeros(name) => write!(f, "its {name} has leading zeros"),
            Self::UnknownFeature(bit) => write!(f, "it requires the unknown feature {bit}"),
            Self::FeatureWithout { feature, needs } => {
                write!(f, "it has feature {feature} without feature {needs}")
            }
        }
    }
}

impl Error for WalletObjection {}

/// Returns the objections to a features field, given as 5-bit groups. The field may be empty.
pub(super) fn feature_objections(field: &[u8]) -> Vec<WalletObjection> {
    if field.is_empty() {
        return Vec::new();
    }
    // Bit 0 is the last bit of the last group.
    let set = |bit: u16| {
        let group = field.iter().rev().nth(usize::from(bit / 5));
        group.is_some_and(|group| group >> (bit % 5) & 1 == 1)
    };
    let has = |feature: u16| set(feature) || set(feature + 1);
    let bits = u16::try_from(field.len()).unwrap_or(u16::MAX).saturating_mul(5);
    let unknown = (0..bits)
        .step_by(2)
        .filter(|bit| set(*bit) && !KNOWN_FEATURES.iter().any(|(known, _)| known == bit))
        .map(WalletObjection::UnknownFeature);
    let incomplete = KNOWN_FEATURES.into_iter().filter_map(|(feature, needs)| {
        let needs = needs.filter(|needs| has(feature) && !has(*needs))?;
        Some(WalletObjection::FeatureWithout { feature, needs })
    });
    unknown.chain(incomplete).collect()
}
