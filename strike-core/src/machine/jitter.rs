//! Random numbers for jitter: small, fast and seeded. They are not for secrets.

/// A wyrand generator. The same seed gives the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a random number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x2D35_8DCC_AA6C_78A5);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0x8BB8_4B93_962E_ACC9);
        low(product) ^ low(product >> 64)
    }

    /// Returns a random number up to and including `max`.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        low((u128::from(self.number()) * (u128::from(max) + 1)) >> 64)
    }
}

/// Returns the lower half.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is dropped")]
const fn low(number: u128) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::Jitter;

    #[test]
    fn numbers_are_those_of_another_generator_with_the_same_seed() {
        for seed in [0, 1, u64::MAX] {
            let (mut ours, mut theirs) = (Jitter::new(seed), fastrand::Rng::with_seed(seed));
            for _ in 0..1000 {
                assert_eq!(ours.number(), theirs.u64(..));
            }
        }
    }

    #[test]
    fn numbers_in_a_range_reach_both_ends_and_stay_inside() {
        let mut jitter = Jitter::new(7);
        let counts = (0..3000).fold([0; 3], |mut counts, _| {
            counts[usize::try_from(jitter.up_to(2)).unwrap()] += 1;
            counts
        });
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
        assert_eq!(jitter.up_to(0), 0);
        assert!((0..100).any(|_| jitter.up_to(u64::MAX) > u64::MAX / 2));
    }
}
