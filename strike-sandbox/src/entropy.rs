//! The only source of randomness: a seeded ChaCha20 stream, so that one seed gives one history.

use std::hash::{BuildHasher, RandomState};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// How many base58 characters follow the prefix of an id or a key.
const NAME_LENGTH: usize = 29;

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
    #[cfg(feature = "sqlite")]
    pub(crate) fn from_position(position: &Position) -> Self {
        Self { stream: ChaCha20Rng::deserialize_state(&position.stream), start: position.start }
    }

    /// A stream of a seed begins here, too, when it is rewound.
    pub(crate) fn mark(&mut self) {
        if self.start.is_some() {
            self.start = Some(self.stream.get_word_pos());
        }
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

    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.stream.fill_bytes(&mut bytes);
        bytes
    }

    /// The prefix and 29 base58 characters: the form of the service's ids (`ch_`) and keys (`sk_`).
    pub(crate) fn name(&mut self, prefix: &str) -> String {
        let mut name = String::with_capacity(prefix.len() + NAME_LENGTH);
        name.push_str(prefix);
        while name.len() < prefix.len() + NAME_LENGTH {
            for byte in self.bytes32() {
                // Six bits, and those beyond the alphabet are drawn again, so that each character is as likely.
                if let Some(character) = BASE58.get(usize::from(byte & 63))
                    && name.len() < prefix.len() + NAME_LENGTH
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
    fn a_seed_gives_the_same_stream_on_every_machine() {
        let mut entropy = Entropy::from_seed(7);
        assert_eq!(entropy.name("ch_"), "ch_rXcze3R5dPpqFPCEYJgMKdemLPcgN");
        assert_ne!(Entropy::from_seed(7).bytes32(), Entropy::from_seed(8).bytes32());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_stream_goes_on_from_any_position_as_if_it_had_not_stopped() {
        let mut whole = Entropy::from_seed(7);
        for drawn in 0..100 {
            let mut resumed = Entropy::from_position(&whole.position());
            assert_eq!(resumed.bytes32(), whole.bytes32(), "after {drawn} draws");
            assert_eq!(resumed.position(), whole.position());
        }
    }

    #[test]
    fn without_a_seed_every_stream_differs() {
        assert_ne!(Entropy::from_system().bytes32(), Entropy::from_system().bytes32());
    }

    #[test]
    fn names_have_29_characters_of_base58_and_use_all_of_them() {
        let mut entropy = Entropy::from_seed(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let name = entropy.name("sk_");
            let characters = name.strip_prefix("sk_").expect("the prefix");
            assert_eq!(characters.len(), 29);
            seen.extend(characters.bytes());
        }
        assert!(seen.iter().eq(BASE58.iter()));
    }
}
