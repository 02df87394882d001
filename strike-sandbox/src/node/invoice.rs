//! Signs BOLT11 invoices, as the node behind the service would.

use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey, SignOnly};
use data_encoding::HEXLOWER;
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use strike_core::{Network, PaymentHash, Satoshi};

use crate::entropy::Entropy;

/// How many blocks the last hop may take, as today's nodes ask.
const MIN_FINAL_CLTV_EXPIRY_DELTA: u16 = 18;
/// How many the service asked for, which today's nodes refuse.
const MIN_FINAL_CLTV_EXPIRY_DELTA_OF_2018: u16 = 10;

/// How long an invoice without an `x` tag can be paid, by BOLT11.
pub(crate) const DEFAULT_EXPIRY: Duration = Duration::from_secs(3600);

/// The secret that makes a node the node that it is.
#[derive(Clone, Copy)]
pub(crate) struct NodeKey(SecretKey);

impl NodeKey {
    pub(crate) fn draw(entropy: &mut Entropy) -> Self {
        // One draw in 2^128 is no key of the curve.
        loop {
            if let Some(key) = Self::from_bytes(&entropy.bytes32()) {
                break key;
            }
        }
    }

    /// `None` for bytes that are no key of the curve.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(bytes).ok().map(Self)
    }

    #[cfg(any(feature = "lightning", feature = "sqlite"))]
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        self.0.secret_bytes()
    }
}

/// The node's key, and the network that its invoices are for.
pub(crate) struct Signer {
    secp: Secp256k1<SignOnly>,
    key: SecretKey,
    currency: Currency,
    shape: Shape,
    min_final_cltv_expiry_delta: u16,
}

/// Which nodes can pay an invoice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It has a payment secret and features.
    OfToday,
    /// It has neither, as the recorded ones.
    Of2018,
}

/// What an invoice says.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) amount: Satoshi,
    pub(crate) description: &'a str,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) payment_secret: [u8; 32],
    /// Since 1970; whole seconds count.
    pub(crate) timestamp: Duration,
    /// `None` leaves the `x` tag out.
    pub(crate) expiry: Option<Duration>,
}

/// The terms do not fit into an invoice.
#[derive(Debug)]
pub(crate) struct Unsignable;

impl Signer {
    /// Signs with this key.
    pub(crate) fn new(network: Network, shape: Shape, key: NodeKey) -> Self {
        Self::with_blocks(network, shape, key.0, MIN_FINAL_CLTV_EXPIRY_DELTA)
    }

    /// Signs with this key, for a node that asks for this many blocks, unless the shape says how many.
    pub(crate) fn with_blocks(network: Network, shape: Shape, key: SecretKey, blocks: u16) -> Self {
        let currency = match network {
            Network::Bitcoin => Currency::Bitcoin,
            Network::Testnet => Currency::BitcoinTestnet,
            Network::Signet => Currency::Signet,
            Network::Regtest => Currency::Regtest,
        };
        let min_final_cltv_expiry_delta = match shape {
            Shape::OfToday => blocks,
            Shape::Of2018 => MIN_FINAL_CLTV_EXPIRY_DELTA_OF_2018,
        };
        Self { secp: Secp256k1::signing_only(), key, currency, shape, min_final_cltv_expiry_delta }
    }

    /// The node's public key in hex, to which every invoice's signature leads.
    pub(crate) fn payee(&self) -> String {
        HEXLOWER.encode(&PublicKey::from_secret_key(&self.secp, &self.key).serialize())
    }

    pub(crate) fn sign(&self, terms: &Terms<'_>) -> Result<String, Unsignable> {
        let hash = sha256::Hash::from_byte_array(*terms.payment_hash.as_bytes());
        // The order of the tags is that of the recorded invoices: p, d, c.
        let invoice = InvoiceBuilder::new(self.currency.clone())
            .amount_milli_satoshis(terms.amount.millisatoshi().ok_or(Unsignable)?)
            .duration_since_epoch(terms.timestamp)
            .payment_hash(hash)
            .description(terms.description.to_owned())
            .min_final_cltv_expiry_delta(self.min_final_cltv_expiry_delta.into());
        let raw = match (self.shape, terms.expiry) {
            (Shape::OfToday, expiry) => {
                let invoice = invoice.payment_secret(PaymentSecret(terms.payment_secret));
                match expiry {
                    Some(expiry) => invoice.expiry_time(expiry).build_raw(),
                    None => invoice.build_raw(),
                }
            }
            (Shape::Of2018, Some(expiry)) => invoice.expiry_time(expiry).build_raw(),
            (Shape::Of2018, None) => invoice.build_raw(),
        };
        let signature = |message: &Message| Ok(self.secp.sign_ecdsa_recoverable(message, &self.key));
        let signed = raw.map_err(|_| Unsignable)?.sign(signature)?;
        Ok(signed.to_string())
    }
}

/// The hash that a preimage opens.
pub(crate) fn payment_hash(preimage: &[u8; 32]) -> PaymentHash {
    PaymentHash::new(sha256::Hash::hash(preimage).to_byte_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(network: Network) -> Signer {
        Signer::new(network, Shape::OfToday, NodeKey::draw(&mut Entropy::from_seed(1)))
    }

    fn terms(satoshi: u64, description: &str) -> Terms<'_> {
        Terms {
            amount: Satoshi::new(satoshi),
            description,
            payment_hash: payment_hash(&[1; 32]),
            payment_secret: [2; 32],
            timestamp: Duration::from_secs(1_542_221_803),
            expiry: None,
        }
    }

    #[test]
    fn invoices_use_the_network_prefix_and_the_shortest_amount() {
        let prefix = |network, satoshi| {
            let invoice = signer(network).sign(&terms(satoshi, "")).expect("the invoice is signed");
            invoice.split_once("1p").expect("a timestamp after the amount").0.to_owned()
        };
        assert_eq!(prefix(Network::Bitcoin, 42_000), "lnbc420u");
        assert_eq!(prefix(Network::Testnet, 1_000_000), "lntb10m");
        assert_eq!(prefix(Network::Signet, 2_000), "lntbs20u");
        assert_eq!(prefix(Network::Regtest, 4_294_967), "lnbcrt42949670n");
    }

    #[test]
    fn terms_that_do_not_fit_an_invoice_are_rejected() {
        let signer = signer(Network::Testnet);
        let too_long = "x".repeat(640);
        assert!(signer.sign(&terms(1, &too_long)).is_err());
        assert!(signer.sign(&Terms { timestamp: Duration::from_secs(1 << 35), ..terms(1, "") }).is_err());
        assert!(signer.sign(&terms(u64::MAX, "")).is_err());
    }
}
