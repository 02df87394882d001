//! Signs BOLT11 invoices.

use std::time::Duration;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey, SignOnly};
use data_encoding::HEXLOWER;
use lightning_invoice::{
    Bolt11InvoiceDescription, Currency, Description as DescriptionText, InvoiceBuilder, PaymentSecret,
    RawBolt11Invoice, Sha256,
};
use strike_core::{Network, PaymentHash, Satoshi};

use super::phoenixd_invoice;
use crate::entropy::Entropy;

/// The CLTV delta of the last hop, in blocks, that current nodes use.
const MIN_FINAL_CLTV_EXPIRY_DELTA: u16 = 18;
/// The CLTV delta in the service's recorded invoices, which current nodes reject.
const RECORDED_MIN_FINAL_CLTV_EXPIRY_DELTA: u16 = 10;

/// The expiry that BOLT11 defines for invoices without an `x` tag.
pub(crate) const DEFAULT_EXPIRY: Duration = Duration::from_secs(3600);

/// The secret key of a node.
#[derive(Clone, Copy)]
pub(crate) struct NodeKey(SecretKey);

impl NodeKey {
    pub(crate) fn draw(entropy: &mut Entropy) -> Self {
        // One value in 2^128 is not a valid secret key.
        loop {
            if let Some(key) = Self::from_bytes(&entropy.bytes32()) {
                break key;
            }
        }
    }

    /// Returns `None` if the bytes are not a valid secret key.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(bytes).ok().map(Self)
    }

    /// Derives a secret of 64 hex digits with this name. Without the key it cannot be guessed.
    pub(crate) fn derive(self, name: &str) -> String {
        let mut engine = HmacEngine::<sha256::Hash>::new(&self.0.secret_bytes());
        engine.input(name.as_bytes());
        HEXLOWER.encode(Hmac::from_engine(engine).as_byte_array())
    }

    #[cfg(any(feature = "lightning", feature = "sqlite"))]
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        self.0.secret_bytes()
    }
}

/// Signs the invoices of one node for one network.
pub(crate) struct Signer {
    secp: Secp256k1<SignOnly>,
    key: SecretKey,
    public_key: PublicKey,
    currency: Currency,
    min_final_cltv_expiry_delta: u16,
}

/// The format of invoices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvoiceFormat {
    /// With a payment secret and features, which current nodes require.
    Current,
    /// Without a payment secret and features, as in the recordings of the service.
    Recorded2018,
    /// With the tags of phoenixd, in its order.
    Phoenixd,
}

/// What the payer is told that the payment is for.
#[derive(Clone, Copy)]
pub(crate) enum Description<'a> {
    Text(&'a str),
    /// The SHA-256 of a text that the payer gets elsewhere.
    Hash([u8; 32]),
}

impl Description<'_> {
    pub(super) fn to_tag(self) -> Result<Bolt11InvoiceDescription, SigningError> {
        Ok(match self {
            Self::Text(text) => {
                let text = DescriptionText::new(text.to_owned()).map_err(|_| SigningError)?;
                Bolt11InvoiceDescription::Direct(text)
            }
            Self::Hash(hash) => Bolt11InvoiceDescription::Hash(Sha256(sha256::Hash::from_byte_array(hash))),
        })
    }
}

/// The contents of an invoice.
#[derive(Clone, Copy)]
pub(crate) struct InvoiceTerms<'a> {
    pub(crate) format: InvoiceFormat,
    pub(crate) amount: Satoshi,
    pub(crate) description: Description<'a>,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) payment_secret: [u8; 32],
    /// Since 1970. Fractions of a second are ignored.
    pub(crate) timestamp: Duration,
    /// `None` omits the `x` tag.
    pub(crate) expiry: Option<Duration>,
}

/// The terms cannot be encoded in an invoice.
#[derive(Debug)]
pub(crate) struct SigningError;

impl Signer {
    /// Creates a signer with the default CLTV delta.
    pub(crate) fn new(network: Network, key: NodeKey) -> Self {
        Self::with_cltv_delta(network, key.0, MIN_FINAL_CLTV_EXPIRY_DELTA)
    }

    /// Creates a signer with this CLTV delta, in blocks, for [`InvoiceFormat::Current`]. The other
    /// formats have a delta of their own.
    pub(crate) fn with_cltv_delta(
        network: Network,
        key: SecretKey,
        min_final_cltv_expiry_delta: u16,
    ) -> Self {
        let currency = match network {
            Network::Bitcoin => Currency::Bitcoin,
            Network::Testnet => Currency::BitcoinTestnet,
            Network::Signet => Currency::Signet,
            Network::Regtest => Currency::Regtest,
        };
        let secp = Secp256k1::signing_only();
        let public_key = PublicKey::from_secret_key(&secp, &key);
        Self { secp, key, public_key, currency, min_final_cltv_expiry_delta }
    }

    /// Returns the node's public key in hex. It verifies the signature of each invoice.
    pub(crate) fn payee(&self) -> String {
        HEXLOWER.encode(&self.public_key.serialize())
    }

    pub(crate) fn sign(&self, terms: &InvoiceTerms<'_>) -> Result<String, SigningError> {
        let signature = |message: &Message| Ok(self.secp.sign_ecdsa_recoverable(message, &self.key));
        let signed = self.unsigned(terms)?.sign(signature)?;
        Ok(signed.to_string())
    }

    fn unsigned(&self, terms: &InvoiceTerms<'_>) -> Result<RawBolt11Invoice, SigningError> {
        if terms.format == InvoiceFormat::Phoenixd {
            return phoenixd_invoice::unsigned(self.currency.clone(), terms, self.public_key);
        }
        let hash = sha256::Hash::from_byte_array(*terms.payment_hash.as_bytes());
        let invoice = InvoiceBuilder::new(self.currency.clone())
            .amount_milli_satoshis(terms.amount.millisatoshi().ok_or(SigningError)?)
            .duration_since_epoch(terms.timestamp)
            .payment_hash(hash);
        let cltv_delta = match terms.format {
            InvoiceFormat::Recorded2018 => RECORDED_MIN_FINAL_CLTV_EXPIRY_DELTA,
            InvoiceFormat::Current | InvoiceFormat::Phoenixd => self.min_final_cltv_expiry_delta,
        };
        // The recorded invoices have their tags in this order: p, d, c.
        let invoice = invoice
            .invoice_description(terms.description.to_tag()?)
            .min_final_cltv_expiry_delta(cltv_delta.into());
        match (terms.format, terms.expiry) {
            (InvoiceFormat::Recorded2018, Some(expiry)) => invoice.expiry_time(expiry).build_raw(),
            (InvoiceFormat::Recorded2018, None) => invoice.build_raw(),
            (_, expiry) => {
                let invoice = invoice.payment_secret(PaymentSecret(terms.payment_secret));
                match expiry {
                    Some(expiry) => invoice.expiry_time(expiry).build_raw(),
                    None => invoice.build_raw(),
                }
            }
        }
        .map_err(|_| SigningError)
    }
}

/// Returns the payment hash of a preimage.
pub(crate) fn payment_hash(preimage: &[u8; 32]) -> PaymentHash {
    PaymentHash::new(sha256::Hash::hash(preimage).to_byte_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(network: Network) -> Signer {
        Signer::new(network, NodeKey::draw(&mut Entropy::from_seed(1)))
    }

    fn terms(satoshi: u64, description: &str) -> InvoiceTerms<'_> {
        InvoiceTerms {
            format: InvoiceFormat::Current,
            amount: Satoshi::new(satoshi),
            description: Description::Text(description),
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
        assert!(
            signer.sign(&InvoiceTerms { timestamp: Duration::from_secs(1 << 35), ..terms(1, "") }).is_err()
        );
        assert!(signer.sign(&terms(u64::MAX, "")).is_err());
    }
}
