//! The only source of randomness: a seeded ChaCha20 stream, so that one seed gives one history.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

const ID_PREFIX: &str = "ch_";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// How many base58 characters follow the prefix of an id or a key.
pub(crate) const NAME_LENGTH: usize = 29;
/// How many followed that of an id in April 2018.
pub(crate) const LONG_NAME_LENGTH: usize = 44;

/// Where a stream stands: what is drawn next depends on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The seed, and the place in its stream.
    pub(crate) stream: [u8; 49],
    pub(crate) start: Option<u128>,
}

pub(crate) struct Entropy {
    stream: ChaCha20Rng,
    /// Where in the stream it begins again; nowhere if nobody chose the seed, since ids that were drawn once
    /// would come to name other charges.
    start: Option<u128>,
}

impl Entropy {
    pub(crate) fn position(&self) -> Position {
        Position { stream: self.stream.serialize_state(), start: self.start }
    }

    /// The stream that stood there.
    pub(crate) fn from_position(position: &Position) -> Self {
        Self { stream: ChaCha20Rng::deserialize_state(&position.stream), start: position.start }
    }

    /// The stream of that seed, the same on every machine.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        Self { stream: ChaCha20Rng::from_seed(key), start: Some(0) }
    }

    /// A stream that nobody can foresee.
    pub(crate) fn from_system() -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // No sandbox is worth failing for want of entropy: the keys of the standard library's hasher
            // are random too, if fewer bits.
            for (n, chunk) in key.chunks_mut(8).enumerate() {
                chunk.copy_from_slice(&RandomState::new().hash_one(n).to_le_bytes());
            }
        }
        Self { stream: ChaCha20Rng::from_seed(key), start: None }
    }

    /// A stream of a seed begins here, too, when it is rewound.
    pub(crate) fn mark(&mut self) {
        if self.start.is_some() {
            self.start = Some(self.stream.get_word_pos());
        }
    }

    /// Begins the stream of a seed again.
    pub(crate) fn rewind(&mut self) {
        if let Some(start) = self.start {
            self.stream.set_word_pos(start);
        }
    }

    /// Another stream of the same seed, any but 0, from its start. Drawing from one does not move the other.
    pub(crate) fn branch(&self, stream: u64) -> Self {
        let mut branch = ChaCha20Rng::from_seed(self.stream.get_seed());
        branch.set_stream(stream);
        Self { stream: branch, start: None }
    }

    /// A number from 0 up to 1, without 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        // Both numbers are exact in a double, so that the first never becomes the second.
        f64::from(self.stream.next_u32()) / 4_294_967_296.0
    }

    /// A number below this one, each as likely; 0 for 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product. It favours some numbers by 2^-64 times `end`, which nobody notices.
        let product = u128::from(self.stream.next_u64()).wrapping_mul(end.into());
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// Up to this long, in whole milliseconds.
    pub(crate) fn duration(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(millis.saturating_add(1)))
    }

    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.stream.fill_bytes(&mut bytes);
        bytes
    }

    /// A charge's id of so many characters behind the prefix.
    ///
    /// 92 of the 94 recorded ids of 29 characters begin with one of the first 25 characters of the alphabet, and two
    /// with others. No number of whole bits explains that: numbers of 168 bits end at G, and of 169 at Y. So it is
    /// drawn as it was seen.
    pub(crate) fn id(&mut self, length: usize) -> String {
        loop {
            let id = self.name(ID_PREFIX, length);
            let first = id.as_bytes().get(ID_PREFIX.len());
            let is_usual = BASE58.iter().take(25).any(|usual| Some(usual) == first);
            // 33 characters of 58 are others, and one in 61 of those is 2 in 94 of what is kept.
            if is_usual || length != NAME_LENGTH || self.below(61) == 0 {
                return id;
            }
        }
    }

    /// The prefix and base58 characters: the form of the service's ids (`ch_`) and keys (`sk_`).
    pub(crate) fn name(&mut self, prefix: &str, length: usize) -> String {
        let mut name = String::with_capacity(prefix.len() + length);
        name.push_str(prefix);
        while name.len() < prefix.len() + length {
            for byte in self.bytes32() {
                // Six bits, and those beyond the alphabet are drawn again, so that each character is as likely.
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
