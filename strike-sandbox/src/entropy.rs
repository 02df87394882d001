//! The only source of randomness: a seeded ChaCha20 stream, so that one seed gives one history.

use std::hash::{BuildHasher, RandomState};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// How many base58 characters follow the prefix of an id or a key.
const NAME_LENGTH: usize = 29;

pub(crate) struct Entropy(ChaCha20Rng);

impl Entropy {
    /// The stream of that seed, the same on every machine.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        Self(ChaCha20Rng::from_seed(key))
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
        Self(ChaCha20Rng::from_seed(key))
    }

    /// Another stream from the same seed, from its beginning; this one goes on as if nothing had happened.
    pub(crate) fn beside(&self, stream: u64) -> Self {
        let mut beside = ChaCha20Rng::from_seed(self.0.get_seed());
        beside.set_stream(stream);
        Self(beside)
    }

    /// A number from 0 up to 1, without 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        // Both numbers are exact in a double, so that the first never becomes the second.
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
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
