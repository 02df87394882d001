//! Reads whole numbers from JSON exactly, without floating point.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A whole number read from JSON text. `4200`, `4200.0` and `4.2e3` are the same number. No digit
/// is lost.
pub(crate) struct Exact<T>(pub(crate) T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let number = whole(text).and_then(|number| T::try_from(number).ok());
        number.map(Self).ok_or_else(|| D::Error::custom("expected a whole number within range"))
    }
}

/// A whole number read from any serde format, such as a stored charge.
///
/// A float is accepted if it is whole and below 2^53; larger floats are not exact.
pub(crate) struct Lossless(u64);

impl From<Exact<u64>> for u64 {
    fn from(number: Exact<u64>) -> Self {
        number.0
    }
}

impl From<Lossless> for u64 {
    fn from(number: Lossless) -> Self {
        number.0
    }
}

impl<'de> Deserialize<'de> for Lossless {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Lossless;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number of 64 bits")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Lossless, E> {
                Ok(Lossless(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Lossless, E> {
                u64::try_from(number).map(Lossless).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Lossless, E> {
                // `Display` of a float is exact and has no exponent.
                whole(&format!("{number}"))
                    .and_then(|whole| u64::try_from(whole).ok())
                    .filter(|whole| *whole < 1 << 53)
                    .map(Lossless)
                    .ok_or_else(|| E::custom("expected a whole number below 2^53"))
            }
        }

        // Human-readable formats may hold a float here. Binary formats often do not support
        // `deserialize_any`.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Number)
        } else {
            deserializer.deserialize_u64(Number)
        }
    }
}

/// Returns the value of a JSON number, or `None` if it is not whole or does not fit. The exponent
/// can have any size.
fn whole(text: &str) -> Option<i128> {
    if let Some(number) = plain(text) {
        return Some(number.into());
    }
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |text| (text, -1));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if integer.is_empty() || !digits(integer) || !digits(fraction) {
        return None;
    }
    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let length = i64::try_from(digits.trim_end_matches('0').len()).ok()?;
    let point = i64::try_from(integer.len()).ok()?.checked_add(exponent.parse().ok()?)?;
    let zeros = u32::try_from(point.checked_sub(length)?).ok()?;
    let number: i128 = significant.parse().ok()?;
    number.checked_mul(10_i128.checked_pow(zeros)?)?.checked_mul(sign)
}

/// Returns the value of a number as servers write it: a few digits. `whole` returns the same.
fn plain(text: &str) -> Option<u64> {
    let is_plain = (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.bytes().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{plain, whole};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn plain_numbers_have_the_same_value_as_any_other_form(text in "[0-9]{1,20}") {
            let other_form = whole(&format!("{text}.0"));
            prop_assert!(other_form.is_some());
            if let Some(number) = plain(&text) {
                prop_assert_eq!(Some(i128::from(number)), other_form);
            }
            prop_assert_eq!(whole(&text), other_form);
        }
    }
}
