//! The only source of random numbers: seeded ChaCha20 streams. The same seed gives the same
//! results.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

const ID_PREFIX: &str = "ch_";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The number of base58 characters after the prefix of an id or API key.
pub(crate) const NAME_LENGTH: usize = 29;
/// The number of base58 characters in the ids of April 2018.
pub(crate) const LONG_NAME_LENGTH: usize = 44;

/// The position of a stream. It determines all numbers that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The seed and the position in its stream.
    pub(crate) stream: [u8; 49],
    /// See [`Entropy::start`].
    pub(crate) start: Option<u128>,
}

pub(crate) struct Entropy {
    stream: ChaCha20Rng,
    /// The position to which a reset returns. `None` if the seed is random: a random sandbox never
    /// repeats an id.
    start: Option<u128>,
}

impl Entropy {
    pub(crate) fn position(&self) -> Position {
        Position { stream: self.stream.serialize_state(), start: self.start }
    }

    /// Restores a stream at a saved position.
    pub(crate) fn from_position(position: &Position) -> Self {
        Self { stream: ChaCha20Rng::deserialize_state(&position.stream), start: position.start }
    }

    /// Creates the stream of a seed. It is the same on every platform.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        Self { stream: ChaCha20Rng::from_seed(key), start: Some(0) }
    }

    /// Creates an unpredictable stream from the operating system's random numbers.
    pub(crate) fn from_system() -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // The keys of the standard library's hasher are random too, with fewer bits. That is
            // enough for a sandbox.
            for (n, chunk) in key.chunks_mut(8).enumerate() {
                chunk.copy_from_slice(&RandomState::new().hash_one(n).to_le_bytes());
            }
        }
        Self { stream: ChaCha20Rng::from_seed(key), start: None }
    }

    /// Makes [`rewind`](Self::rewind) return to the current position. Does nothing with a random
    /// seed.
    pub(crate) fn mark(&mut self) {
        if self.start.is_some() {
            self.start = Some(self.stream.get_word_pos());
        }
    }

    /// Returns to the start of the stream. Does nothing with a random seed.
    pub(crate) fn rewind(&mut self) {
        if let Some(start) = self.start {
            self.stream.set_word_pos(start);
        }
    }

    /// Returns another stream of the same seed, at its start. The streams are independent.
    ///
    /// `stream` must not be 0, the number of the main stream.
    pub(crate) fn branch(&self, stream: u64) -> Self {
        let mut branch = ChaCha20Rng::from_seed(self.stream.get_seed());
        branch.set_stream(stream);
        Self { stream: branch, start: None }
    }

    /// Returns a number from 0 to 1, excluding 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        // Both numbers are exact as `f64`, so the result is never rounded up to 1.
        f64::from(self.stream.next_u32()) / 4_294_967_296.0
    }

    /// Returns a number below `end` with uniform probability. Returns 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product. Its bias is at most `end` times 2^-64, which is negligible.
        let product = u128::from(self.stream.next_u64()).wrapping_mul(end.into());
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// Returns a random duration up to this one, in whole milliseconds.
    pub(crate) fn duration(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(millis.saturating_add(1)))
    }

    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.stream.fill_bytes(&mut bytes);
        bytes
    }

    /// Returns a charge id with this number of characters after the prefix.
    ///
    /// Of the 94 recorded ids with 29 characters, 92 begin with one of the first 25 characters of
    /// the base58 alphabet. It is unknown how the service generated its ids, so this function
    /// reproduces the observed distribution.
    pub(crate) fn id(&mut self, length: usize) -> String {
        loop {
            let id = self.name(ID_PREFIX, length);
            let first = id.as_bytes().get(ID_PREFIX.len());
            let is_usual = BASE58.iter().take(25).any(|usual| Some(usual) == first);
            // The other 33 of 58 characters are kept once in 61 times. That yields 2 of 94.
            if is_usual || length != NAME_LENGTH || self.below(61) == 0 {
                return id;
            }
        }
    }

    /// Returns a prefix with random base58 characters, the form of ids (`ch_`) and API keys
    /// (`sk_`).
    pub(crate) fn name(&mut self, prefix: &str, length: usize) -> String {
        let mut name = String::with_capacity(prefix.len() + length);
        name.push_str(prefix);
        while name.len() < prefix.len() + length {
            for byte in self.bytes32() {
                // Skip values beyond the alphabet, so that all characters have the same
                // probability.
                if let Some(character) = BASE58.get(usize::from(byte & 63))
                    && name.len() < prefix.len() + length
                {
                    name.push(char::from(*character));
                }
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_stream_is_reproducible() {
        let mut entropy = Entropy::from_seed(7);
        assert_eq!(entropy.name("ch_", NAME_LENGTH), "ch_rXcze3R5dPpqFPCEYJgMKdemLPcgN");
        assert_ne!(Entropy::from_seed(7).bytes32(), Entropy::from_seed(8).bytes32());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn stream_resumes_from_any_saved_position() {
        let mut whole = Entropy::from_seed(7);
        for drawn in 0..100 {
            let mut resumed = Entropy::from_position(&whole.position());
            assert_eq!(resumed.bytes32(), whole.bytes32(), "after {drawn} draws");
            assert_eq!(resumed.position(), whole.position());
        }
    }

    #[test]
    fn branch_is_independent_of_its_parent_stream() {
        let mut entropy = Entropy::from_seed(7);
        let mut branch = entropy.branch(1);
        let first = branch.bytes32();
        assert_ne!(first, Entropy::from_seed(7).bytes32());
        assert_eq!(entropy.name("ch_", NAME_LENGTH), Entropy::from_seed(7).name("ch_", NAME_LENGTH));
        // The position of the parent stream does not affect a branch.
        assert_eq!(entropy.branch(1).bytes32(), first);
        assert_ne!(Entropy::from_seed(8).branch(1).bytes32(), first);
    }

    #[test]
    fn numbers_and_durations_cover_their_whole_range() {
        let mut entropy = Entropy::from_seed(1);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| entropy.below(5)).collect();
        assert!(seen.into_iter().eq(0..5));
        assert_eq!((entropy.below(0), entropy.below(1)), (0, 0));
        let longest = Duration::from_millis(3);
        let seen: std::collections::BTreeSet<_> = (0..200).map(|_| entropy.duration(longest)).collect();
        assert!(seen.into_iter().eq((0..4).map(Duration::from_millis)));
        assert_eq!(entropy.duration(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn unseeded_streams_differ() {
        assert_ne!(Entropy::from_system().bytes32(), Entropy::from_system().bytes32());
    }

    #[test]
    fn names_have_the_requested_length_and_use_all_of_base58() {
        let mut entropy = Entropy::from_seed(1);
        let mut seen = std::collections::BTreeSet::new();
        for length in [NAME_LENGTH, LONG_NAME_LENGTH].into_iter().cycle().take(500) {
            let name = entropy.name("sk_", length);
            let characters = name.strip_prefix("sk_").expect("the sk_ prefix");
            assert_eq!(characters.len(), length);
            seen.extend(characters.bytes());
        }
        assert!(seen.iter().eq(BASE58.iter()));
    }
}
