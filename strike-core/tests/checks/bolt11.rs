//! Builds valid and invalid invoices field by field.

use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1};

use crate::support::invoices::key;

/// Returns the public key of the test signer.
pub(crate) fn public_key() -> [u8; 33] {
    PublicKey::from_secret_key(&Secp256k1::new(), &key()).serialize()
}

/// An invoice as prefix, timestamp and tagged fields in groups of five bits.
pub(crate) struct Bolt11 {
    pub(crate) prefix: String,
    pub(crate) time: u64,
    /// Tags: 1 payment hash, 3 route, 5 features, 6 expiry, 13 description, 19 payee,
    /// 23 description hash, 24 final CLTV delta ("last hop").
    pub(crate) fields: Vec<(u8, Vec<u8>)>,
}

impl Bolt11 {
    /// Returns an invoice like those of the service in 2018, which matches the test charge. It has
    /// the fields `p`, `d` and `c`, no payment secret and no features.
    pub(crate) fn of_2018() -> Self {
        Self {
            prefix: "lntb42u".into(),
            time: 1_542_221_803,
            fields: vec![(1, groups(&[0xab; 32])), (13, groups(b"tea")), (24, vec![10])],
        }
    }

    /// Returns the first field with this tag.
    pub(crate) fn field(&mut self, tag: u8) -> &mut Vec<u8> {
        &mut self.fields.iter_mut().find(|(known, _)| *known == tag).unwrap().1
    }

    /// Returns all groups before the signature.
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

    /// Returns the hash that the signature covers.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let groups = self.groups();
        let mut signed = self.prefix.clone().into_bytes();
        for bits in bits(&groups).chunks(8) {
            signed.push((0..8).fold(0, |byte, at| byte * 2 + bits.get(at).copied().unwrap_or(0)));
        }
        sha256::Hash::hash(&signed).to_byte_array()
    }

    /// Returns a valid signature.
    pub(crate) fn signature(&self) -> Vec<u8> {
        let message = Message::from_digest(self.digest());
        let (id, signature) = Secp256k1::new().sign_ecdsa_recoverable(&message, &key()).serialize_compact();
        groups(&[&signature[..], &[u8::try_from(id.to_i32()).unwrap()]].concat())
    }

    /// Returns the invoice with this signature and a valid checksum.
    pub(crate) fn text(&self, signature: &[u8]) -> String {
        bech32(&self.prefix, &[&self.groups(), signature].concat())
    }

    pub(crate) fn signed(&self) -> String {
        self.text(&self.signature())
    }
}

/// Encodes groups as bech32 with a valid checksum.
pub(crate) fn bech32(prefix: &str, groups: &[u8]) -> String {
    let hrp = Hrp::parse(prefix).unwrap();
    let groups = groups.iter().map(|group| Fe32::try_from(*group).unwrap());
    groups.with_checksum::<Bech32>(&hrp).chars().collect()
}

fn bits(groups: &[u8]) -> Vec<u8> {
    groups.iter().flat_map(|group| (0..5).rev().map(move |at| group >> at & 1)).collect()
}

/// Converts bytes to groups of five bits, padded with zeros.
pub(crate) fn groups(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    bits.chunks(5)
        .map(|bits| (0..5).fold(0, |group, at| group * 2 + bits.get(at).copied().unwrap_or(0)))
        .collect()
}

/// Converts groups of five bits to bytes, without the padding.
#[cfg(feature = "signature")]
pub(crate) fn bytes(groups: &[u8]) -> Vec<u8> {
    bits(groups).chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte * 2 + bit)).collect()
}
