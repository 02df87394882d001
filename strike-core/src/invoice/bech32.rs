//! Decodes bech32 with a table. BIP 173 describes the format; BOLT11 has no limit of the length.
#![expect(clippy::indexing_slicing, reason = "each index is smaller than its table")]

use super::error::InvoiceError;

/// The characters of the 5-bit groups 0 to 31.
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What each byte means: its 5-bit group in the lower byte, and the flags below in the highest bits.
const SYMBOLS: [u16; 256] = symbols();
const LOWER: u16 = 0x1000;
const UPPER: u16 = 0x2000;
const INVALID: u16 = 0x4000;

/// The contribution of the five bits that leave the checksum when a group is added.
const REMAINDERS: [u32; 32] = remainders();

/// The contribution of the ten bits that leave it when two groups are added.
const REMAINDERS_OF_TWO: [u32; 1024] = remainders_of_two();

/// The groups of a checksum.
const CHECKSUM: usize = 6;

/// The longest prefix, by BIP 173.
const MAX_PREFIX: usize = 83;

const fn symbols() -> [u16; 256] {
    let mut symbols = [INVALID; 256];
    let mut group = 0_u16;
    while group < 32 {
        let character = ALPHABET[group as usize];
        if character.is_ascii_digit() {
            symbols[character as usize] = group;
        } else {
            symbols[character as usize] = group | LOWER;
            symbols[character.to_ascii_uppercase() as usize] = group | UPPER;
        }
        group += 1;
    }
    symbols
}

const fn remainders() -> [u32; 32] {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let mut remainders = [0; 32];
    let mut bits = 0;
    while bits < 32 {
        let mut bit = 0;
        while bit < 5 {
            if bits >> bit & 1 == 1 {
                remainders[bits] ^= GENERATOR[bit];
            }
            bit += 1;
        }
        bits += 1;
    }
    remainders
}

const fn remainders_of_two() -> [u32; 1024] {
    let mut remainders = [0; 1024];
    let mut bits = 0;
    while bits < 1024 {
        remainders[bits as usize] = add(add(bits << 20, 0), 0);
        bits += 1;
    }
    remainders
}

/// Returns the prefix in lower case, and the 5-bit groups after it, without the checksum.
pub(super) fn decode(text: &str) -> Result<(String, Vec<u8>), InvoiceError> {
    // The data has no `1`, so the last one is soon after the start.
    let start = text.get(..=MAX_PREFIX).unwrap_or(text);
    let (prefix, _) = start.rsplit_once('1').ok_or(InvoiceError::NotBech32)?;
    let data = text.as_bytes().get(prefix.len() + 1..).unwrap_or_default();
    let is_prefix =
        (1..=MAX_PREFIX).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_graphic());
    let mut seen = prefix.bytes().fold(0, |seen, byte| match byte {
        b'a'..=b'z' => seen | LOWER,
        b'A'..=b'Z' => seen | UPPER,
        _ => seen,
    });
    let prefix = prefix.to_ascii_lowercase();
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    let mut checksum = high.chain([0]).chain(low).fold(1, add);
    let mut groups = vec![0; data.len()];
    let ((pairs, last), (group_pairs, last_group)) = (data.as_chunks(), groups.as_chunks_mut());
    for (bytes, groups) in pairs.iter().zip(group_pairs) {
        let [first, second] = bytes.map(|byte| SYMBOLS[usize::from(byte)]);
        seen |= first | second;
        *groups = [group_of(first), group_of(second)];
        checksum = add_two(checksum, u32::from(first) << 5 ^ u32::from(second));
    }
    for (byte, group) in last.iter().zip(last_group) {
        let symbol = SYMBOLS[usize::from(*byte)];
        seen |= symbol;
        *group = group_of(symbol);
        checksum = add(checksum, *group);
    }
    let is_mixed = seen & (LOWER | UPPER) == LOWER | UPPER;
    if !is_prefix || is_mixed || seen & INVALID != 0 {
        return Err(InvoiceError::NotBech32);
    }
    let length = groups.len().checked_sub(CHECKSUM).ok_or(InvoiceError::Checksum)?;
    if checksum != 1 {
        return Err(InvoiceError::Checksum);
    }
    groups.truncate(length);
    Ok((prefix, groups))
}

const fn group_of(symbol: u16) -> u8 {
    symbol.to_le_bytes()[0]
}

/// Returns the character of a group, in lower case.
pub(super) fn character(group: u8) -> u8 {
    ALPHABET.get(usize::from(group)).copied().unwrap_or_default()
}

/// Adds a group to the checksum.
const fn add(checksum: u32, group: u8) -> u32 {
    let leaving = REMAINDERS[(checksum >> 25 & 31) as usize];
    ((checksum & 0x01ff_ffff) << 5) ^ group as u32 ^ leaving
}

/// Adds two groups to the checksum, as [`add`] adds one after the other. They are the lowest ten bits
/// of `two`. The other bits are ignored.
const fn add_two(checksum: u32, two: u32) -> u32 {
    let leaving = REMAINDERS_OF_TWO[(checksum >> 20 & 0x3ff) as usize];
    ((checksum & 0x000f_ffff) << 10) ^ (two & 0x3ff) ^ leaving
}

#[cfg(test)]
mod tests {
    use bech32::primitives::checksum::Checksum;
    use bech32::primitives::decode::UncheckedHrpstring;
    use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bech32 of any length, as the crate `bech32` reads it.
    enum AnyLength {}

    impl Checksum for AnyLength {
        type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
        type CorrectionField = <Bech32 as Checksum>::CorrectionField;
        const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
        const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
        const CODE_LENGTH: usize = usize::MAX;
        const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
        const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
        const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
    }

    fn reference(text: &str) -> Result<(String, Vec<u8>), InvoiceError> {
        let unchecked = UncheckedHrpstring::new(text).map_err(|_| InvoiceError::NotBech32)?;
        unchecked.validate_checksum::<AnyLength>().map_err(|_| InvoiceError::Checksum)?;
        let checked = unchecked.remove_checksum::<AnyLength>();
        let groups = checked.fe32_iter().map(Fe32::to_u8).collect();
        Ok((checked.hrp().lowercase_char_iter().collect(), groups))
    }

    fn encode(prefix: &str, groups: &[u8]) -> String {
        let groups = groups.iter().map(|group| Fe32::try_from(*group).unwrap());
        groups.with_checksum::<AnyLength>(&Hrp::parse(prefix).unwrap()).chars().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_groups_are_decoded_again(prefix in "[!-@\\[-~]{1,83}", groups in vec(0_u8..32, 0..400)) {
            let text = encode(&prefix, &groups);
            prop_assert_eq!(decode(&text), Ok((prefix.to_ascii_lowercase(), groups)));
            prop_assert_eq!(decode(&text.to_ascii_uppercase()), decode(&text));
        }

        #[test]
        fn any_text_is_read_as_the_crate_bech32_reads_it(text in "\\PC{0,40}|[a-zA-Z0-9]{0,120}|[!-~]{0,120}") {
            prop_assert_eq!(decode(&text), reference(&text));
        }

        #[test]
        fn a_changed_character_is_read_as_the_crate_bech32_reads_it(
            groups in vec(0_u8..32, 0..60),
            at in any::<prop::sample::Index>(),
            new in "[ -~]",
        ) {
            let mut text = encode("lntb42u", &groups);
            let at = at.index(text.len());
            text.replace_range(at..=at, &new);
            prop_assert_eq!(decode(&text), reference(&text));
        }
    }
}
