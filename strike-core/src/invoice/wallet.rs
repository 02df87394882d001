//! Finds reasons why current Lightning wallets refuse to pay an invoice.

/// The feature bits that BOLT 9 assigns to invoices, each with the feature that it depends on.
///
/// These are the even bits, which mean "required". The next odd bit means "optional".
const KNOWN_FEATURES: [(u16, Option<u16>); 6] =
    [(8, None), (14, None), (16, Some(14)), (24, None), (36, None), (48, None)];

/// A reason why current Lightning wallets refuse to pay an invoice that can be decoded.
///
/// The specification requires wallets to refuse such invoices. An invoice without objections can
/// still have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WalletObjection {
    /// The payment secret is missing. Wallets have required it since about 2021. The hosted service
    /// never set it.
    #[error("it has no payment secret")]
    NoPaymentSecret,
    /// Both the description and the description hash are missing.
    #[error("it has neither a description nor a description hash")]
    NoDescription,
    /// The named field is a number with leading zeros, which the specification declares invalid.
    #[error("its {0} has leading zeros")]
    LeadingZeros(&'static str),
    /// The invoice requires a feature that BOLT 9 does not assign to invoices. The number is its
    /// even bit.
    #[error("it requires the unknown feature {0}")]
    UnknownFeature(u16),
    /// The invoice has a feature, but not the feature that it depends on. The numbers are their
    /// even bits.
    #[error("it has feature {feature} without feature {needs}")]
    FeatureWithout {
        /// The feature that is present.
        feature: u16,
        /// The feature that is missing.
        needs: u16,
    },
}

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
