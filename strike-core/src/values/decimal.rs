//! The `Decimal` type: the digits of a number, without an allocation.

/// The decimal digits of a number.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(number: impl Into<u64>) -> Self {
        let (mut digits, mut start, mut rest) = ([b'0'; 20], 20, number.into());
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10).to_le_bytes()[0];
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.digits.get(self.start..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Decimal;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn digits_are_those_that_display_writes(number in any::<u64>(), digits in 0_u32..64) {
            let number = number >> digits;
            let decimal = Decimal::new(number);
            prop_assert_eq!(decimal.as_str(), number.to_string());
        }
    }
}
