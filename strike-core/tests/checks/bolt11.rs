//! Writes invoices field by field, right and wrong ones, and signs them or not.

use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1};

use crate::support::invoices::key;

/// The public key of whoever signs here.
pub(crate) fn public_key() -> [u8; 33] {
    PublicKey::from_secret_key(&Secp256k1::new(), &key()).serialize()
}

/// The parts of an invoice, in groups of five bits.
pub(crate) struct Bolt11 {
    pub(crate) prefix: String,
    pub(crate) time: u64,
    /// Tags: 1 payment hash, 3 route, 5 features, 6 expiry, 13 description, 19 payee, 23 description hash, 24 last hop.
    pub(crate) fields: Vec<(u8, Vec<u8>)>,
}

impl Bolt11 {
    /// What the service wrote: `p`, `d` and `c`, no payment secret and no features. It suits the charge of the tests.
    pub(crate) fn of_2018() -> Self {
        Self {
            prefix: "lntb42u".into(),
            time: 1_542_221_803,
            fields: vec![(1, groups(&[0xab; 32])), (13, groups(b"tea")), (24, vec![10])],
        }
    }

    /// The first field with this tag.
    pub(crate) fn field(&mut self, tag: u8) -> &mut Vec<u8> {
        &mut self.fields.iter_mut().find(|(known, _)| *known == tag).unwrap().1
    }

    /// Everything before the signature.
    pub(crate) fn groups(&self) -> Vec<u8> {
        let mut all: Vec<u8> =
            (0..7).rev().map(|at| u8::try_from(self.time >> (5 * at) & 31).unwrap()).collect();
        for (tag, value) in &self.fields {
            assert!(value.len() < 1024);
            all.push(*tag);
            all.extend([value.len() / 32, value.len() % 32].map(|length| u8::try_from(length).unwrap()));
            all.extend(value);
        }
        all
    }

    /// What is signed, according to the specification.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let groups = self.groups();
        let mut signed = self.prefix.clone().into_bytes();
        for bits in bits(&groups).chunks(8) {
            signed.push((0..8).fold(0, |byte, at| byte * 2 + bits.get(at).copied().unwrap_or(0)));
        }
        sha256::Hash::hash(&signed).to_byte_array()
    }

    /// A signature of this content.
    pub(crate) fn signature(&self) -> Vec<u8> {
        let message = Message::from_digest(self.digest());
        let (id, signature) = Secp256k1::new().sign_ecdsa_recoverable(&message, &key()).serialize_compact();
        groups(&[&signature[..], &[u8::try_from(id.to_i32()).unwrap()]].concat())
    }

    /// The invoice with this signature, whether it fits or not, and with a good checksum.
    pub(crate) fn text(&self, signature: &[u8]) -> String {
        bech32(&self.prefix, &[&self.groups(), signature].concat())
    }

    pub(crate) fn signed(&self) -> String {
        self.text(&self.signature())
    }
}

/// Bech32 with a good checksum around whatever groups.
pub(crate) fn bech32(prefix: &str, groups: &[u8]) -> String {
    let hrp = Hrp::parse(prefix).unwrap();
    let groups = groups.iter().map(|group| Fe32::try_from(*group).unwrap());
    groups.with_checksum::<Bech32>(&hrp).chars().collect()
}

fn bits(groups: &[u8]) -> Vec<u8> {
    groups.iter().flat_map(|group| (0..5).rev().map(move |at| group >> at & 1)).collect()
}

/// Bytes as groups of five bits, filled up with zeros.
pub(crate) fn groups(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    bits.chunks(5)
        .map(|bits| (0..5).fold(0, |group, at| group * 2 + bits.get(at).copied().unwrap_or(0)))
        .collect()
}

/// Groups of five bits as whole bytes.
#[cfg(feature = "signature")]
pub(crate) fn bytes(groups: &[u8]) -> Vec<u8> {
    bits(groups).chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte * 2 + bit)).collect()
}
