//! Whether a Lightning wallet of today pays an invoice.

use bech32::Fe32;

/// The features that BOLT 9 assigns to invoices, each with the feature that it depends on. Even bits; the odd bit above
/// each is its optional form.
const KNOWN_FEATURES: [(u16, Option<u16>); 6] =
    [(8, None), (14, None), (16, Some(14)), (24, None), (36, None), (48, None)];

/// A reason why a Lightning wallet of today refuses to pay an invoice, although it can be read.
///
/// The specification asks wallets to refuse these. An invoice without any of them can still have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WalletObjection {
    /// It has no payment secret. The invoices of the hosted service never had one; wallets have required it since about 2021.
    #[error("it has no payment secret")]
    NoPaymentSecret,
    /// It has neither a description nor the hash of one.
    #[error("it has neither a description nor the hash of one")]
    NoDescription,
    /// A number in it, which is named, begins with zeros. The specification asks readers to treat that as invalid.
    #[error("its {0} begins with zeros")]
    LeadingZeros(&'static str),
    /// It requires a feature, by its even bit, that BOLT 9 does not assign to invoices.
    #[error("it requires the unknown feature {0}")]
    UnknownFeature(u16),
    /// It has a feature without another one on which the first depends. Both are named by their even bits.
    #[error("it has feature {feature} without feature {needs}")]
    FeatureWithout {
        /// The feature that it has.
        feature: u16,
        /// The feature that is missing.
        needs: u16,
    },
}

/// Returns what a wallet objects to in the groups of a features field, which may be empty.
pub(super) fn feature_objections(field: &[Fe32]) -> Vec<WalletObjection> {
    // Bit 0 is the last bit of the last group.
    let set = |bit: u16| {
        let group = field.iter().rev().nth(usize::from(bit / 5));
        group.is_some_and(|group| group.to_u8() >> (bit % 5) & 1 == 1)
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
