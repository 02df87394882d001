//! Decodes BOLT11 invoices.
//!
//! The decoder accepts invoices as the hosted service created them in 2018: without a payment
//! secret and without feature bits. It rejects everything that two decoders could read differently:
//! a wrong checksum, an amount that is not a whole number of millisatoshi, a duplicate field, a
//! field of the wrong length. It does not verify signatures. The format is BOLT #11 of the
//! Lightning specifications.

use std::time::Duration;

use super::bech32;
use super::error::InvoiceError;
use super::wallet::{WalletObjection, feature_objections};
use crate::values::{Network, PaymentHash, Satoshi, UnixMillis};

/// The lifetime of an invoice without an expiry field, by BOLT11.
const DEFAULT_EXPIRY: Duration = Duration::from_secs(3600);

/// A BOLT11 invoice that was decoded but not verified. Do not trust its content.
///
/// To compare it with a charge and an order, use [`Charge::check`](crate::Charge::check).
///
/// ```
/// use std::time::Duration;
/// use strike_core::{InvoiceDescription, Invoice, Network};
///
/// // An example from the BOLT11 specification.
/// let invoice = Invoice::read(
///     "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp",
/// )?;
/// assert_eq!(invoice.network(), Network::Bitcoin);
/// assert_eq!(invoice.amount_millisatoshi(), Some(250_000_000));
/// assert_eq!(invoice.description(), &InvoiceDescription::Text("1 cup coffee".into()));
/// assert_eq!(invoice.expiry(), Duration::from_secs(60));
/// # Ok::<(), strike_core::InvoiceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    network: Network,
    amount_millisatoshi: Option<u64>,
    timestamp: UnixMillis,
    expiry: Duration,
    payment_hash: PaymentHash,
    description: InvoiceDescription,
    objections: Vec<WalletObjection>,
}

/// The description of an invoice, in one of three forms.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvoiceDescription {
    /// The description itself.
    Text(String),
    /// The SHA-256 of a longer text, which the payer must get separately.
    Hash([u8; 32]),
    /// No description.
    Absent,
}

impl Invoice {
    /// Decodes an invoice in lower or upper case. Surrounding white space and a `lightning:` prefix
    /// are ignored.
    ///
    /// # Errors
    /// Returns [`InvoiceError`] if the text is not a valid invoice.
    pub fn read(text: &str) -> Result<Self, InvoiceError> {
        let (prefix, data) = bech32::decode(bare(text))?;
        let (network, amount_millisatoshi) = read_prefix(&prefix)?;
        // Of the 5-bit groups, the first 7 are the timestamp and the last 104 the signature.
        let signed =
            data.len().checked_sub(104).and_then(|end| data.get(..end)).ok_or(InvoiceError::Short)?;
        let (time, fields) = signed.split_at_checked(7).ok_or(InvoiceError::Short)?;
        let fields = Fields::read(fields)?;
        Ok(Self {
            network,
            amount_millisatoshi,
            timestamp: UnixMillis::from_secs(number(time)),
            expiry: fields.expiry.unwrap_or(DEFAULT_EXPIRY),
            payment_hash: fields.payment_hash.ok_or(InvoiceError::NoPaymentHash)?,
            objections: fields.objections(),
            description: fields.description.unwrap_or(InvoiceDescription::Absent),
        })
    }

    /// Returns the network on which the invoice can be paid.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.network
    }

    /// Returns the amount in millisatoshi, or `None` if the payer chooses the amount.
    #[must_use]
    pub const fn amount_millisatoshi(&self) -> Option<u64> {
        self.amount_millisatoshi
    }

    /// Returns when the invoice was created, in whole seconds.
    #[must_use]
    pub const fn timestamp(&self) -> UnixMillis {
        self.timestamp
    }

    /// Returns how long the invoice is valid after its creation. The default is one hour.
    #[must_use]
    pub const fn expiry(&self) -> Duration {
        self.expiry
    }

    /// Returns when the invoice expires. From then on, wallets refuse to pay it.
    #[must_use]
    pub fn expires_at(&self) -> UnixMillis {
        self.timestamp.saturating_add(self.expiry)
    }

    /// Returns the payment hash.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// Returns the description.
    #[must_use]
    pub const fn description(&self) -> &InvoiceDescription {
        &self.description
    }

    /// Returns the reasons why current Lightning wallets refuse to pay the invoice. Empty if there
    /// are none.
    ///
    /// For example, invoices from 2018 have no payment secret. They can be decoded, but current
    /// wallets do not pay them.
    ///
    /// ```
    /// use strike_core::{Invoice, WalletObjection};
    ///
    /// // An invoice that the hosted service created in 2018.
    /// let invoice = Invoice::read("lntb420u1pdsdxfepp58hgsk3qeggjfx66hxjv3tkk2fmq9k4srkq6z4h69a33euns3rzwsdq4xysyymr0vd4kzcmrd9hx7cqp2fs6hglhgfax7depekep53kmlgkswhcvxlmju3e4k0cdex6ml4xpygcxzt93julus09hj30fruzw9l65n5uktqe9khmlk8uh8pvl3f7sp3026hz")?;
    /// assert_eq!(invoice.wallet_objections(), [WalletObjection::NoPaymentSecret]);
    /// # Ok::<(), strike_core::InvoiceError>(())
    /// ```
    #[must_use]
    pub fn wallet_objections(&self) -> &[WalletObjection] {
        &self.objections
    }
}

/// Removes surrounding white space and the prefixes `lightning:` and `lightning://`, in upper or
/// lower case.
pub(crate) fn bare(text: &str) -> &str {
    const SCHEME: &str = "lightning:";
    let mut text = text.trim();
    while let Some((scheme, rest)) = text.split_at_checked(SCHEME.len())
        && scheme.eq_ignore_ascii_case(SCHEME)
    {
        text = rest.strip_prefix("//").unwrap_or(rest).trim_start();
    }
    text
}

/// Parses the network and the amount from a prefix such as `lnbc2500u`.
fn read_prefix(prefix: &str) -> Result<(Network, Option<u64>), InvoiceError> {
    // Longest prefixes first, because `lnbcrt` begins with `lnbc`.
    let networks = [Network::Regtest, Network::Signet, Network::Bitcoin, Network::Testnet];
    let (network, amount) = networks
        .into_iter()
        .find_map(|network| Some((network, prefix.strip_prefix(network.invoice_prefix())?)))
        .ok_or(InvoiceError::Prefix)?;
    if amount.is_empty() {
        return Ok((network, None));
    }
    let digits = amount.trim_end_matches(|c: char| !c.is_ascii_digit());
    // The multipliers turn bitcoin into millisatoshi. One `p` is a tenth of a millisatoshi.
    let (factor, divisor) = match amount.strip_prefix(digits) {
        Some("") => (100_000_000_000, 1),
        Some("m") => (100_000_000, 1),
        Some("u") => (100_000, 1),
        Some("n") => (100, 1),
        Some("p") => (1, 10),
        _ if digits.is_empty() => return Err(InvoiceError::Prefix),
        _ => return Err(InvoiceError::Amount),
    };
    let number: u64 = digits.parse().map_err(|_| InvoiceError::Amount)?;
    if number == 0 || !number.is_multiple_of(divisor) {
        return Err(InvoiceError::Amount);
    }
    let amount =
        (number / divisor).checked_mul(factor).filter(|amount| amount.div_ceil(1000) <= Satoshi::MAX.get());
    amount.map(|amount| (network, Some(amount))).ok_or(InvoiceError::Amount)
}

/// The tagged fields that may appear only once. `Option<()>` records only that a field is present.
#[derive(Default)]
struct Fields<'a> {
    payment_hash: Option<PaymentHash>,
    payment_secret: Option<()>,
    description: Option<InvoiceDescription>,
    payee: Option<()>,
    expiry: Option<Duration>,
    last_hop_delta: Option<()>,
    metadata: Option<()>,
    features: Option<&'a [u8]>,
    leading_zeros: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn read(mut data: &'a [u8]) -> Result<Self, InvoiceError> {
        let mut fields = Self::default();
        while let Some((head, rest)) = data.split_at_checked(3) {
            let length = head.get(1..).map(number).and_then(|length| usize::try_from(length).ok());
            let (value, rest) =
                length.and_then(|length| rest.split_at_checked(length)).ok_or(InvoiceError::Short)?;
            data = rest;
            match head.first().map(|tag| bech32::character(*tag)) {
                Some(b'p') => {
                    let hash = PaymentHash::new(bytes32(value, "payment hash")?);
                    put(&mut fields.payment_hash, "payment hash", hash)?;
                }
                Some(b's') => {
                    check_32_bytes(value, "payment secret")?;
                    put(&mut fields.payment_secret, "payment secret", ())?;
                }
                Some(b'd') => {
                    let text = String::from_utf8(bytes(value)).map_err(|_| InvoiceError::NotText)?;
                    put(&mut fields.description, "description", InvoiceDescription::Text(text))?;
                }
                Some(b'h') => {
                    let hash = bytes32(value, "description hash")?;
                    put(&mut fields.description, "description", InvoiceDescription::Hash(hash))?;
                }
                Some(b'n') if value.len() != 53 => return Err(InvoiceError::Length("payee")),
                Some(b'n') => put(&mut fields.payee, "payee", ())?,
                Some(b'x') => {
                    fields.note_zeros("expiry", value);
                    put(&mut fields.expiry, "expiry", Duration::from_secs(number(value)))?;
                }
                Some(b'c') => {
                    fields.note_zeros("last hop's delta", value);
                    put(&mut fields.last_hop_delta, "last hop's delta", ())?;
                }
                Some(b'9') => {
                    fields.note_zeros("features", value);
                    put(&mut fields.features, "features", value)?;
                }
                Some(b'm') => put(&mut fields.metadata, "payment metadata", ())?,
                // Fallback addresses and routes may repeat. Unknown fields are skipped.
                _ => {}
            }
        }
        if data.is_empty() { Ok(fields) } else { Err(InvoiceError::Short) }
    }

    fn note_zeros(&mut self, name: &'static str, value: &[u8]) {
        if value.first() == Some(&0) {
            self.leading_zeros.push(name);
        }
    }

    fn objections(&self) -> Vec<WalletObjection> {
        let mut objections = Vec::new();
        if self.payment_secret.is_none() {
            objections.push(WalletObjection::NoPaymentSecret);
        }
        if self.description.is_none() {
            objections.push(WalletObjection::NoDescription);
        }
        objections.extend(self.leading_zeros.iter().copied().map(WalletObjection::LeadingZeros));
        objections.extend(feature_objections(self.features.unwrap_or_default()));
        objections
    }
}

fn put<T>(field: &mut Option<T>, name: &'static str, value: T) -> Result<(), InvoiceError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(InvoiceError::Twice(name)),
    }
}

/// Reads 5-bit groups as one big-endian number. Saturates at `u64::MAX`.
fn number(groups: &[u8]) -> u64 {
    let shifted = |sum: u64, group: &u8| Some(sum.checked_mul(32)? | u64::from(*group));
    groups.iter().try_fold(0, shifted).unwrap_or(u64::MAX)
}

/// Converts 5-bit groups into bytes. Drops the padding bits at the end.
fn bytes(groups: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; groups.len() * 5 / 8];
    regroup(groups, &mut bytes);
    bytes
}

/// Converts a field of exactly 52 groups into 32 bytes. The last four bits are padding.
fn bytes32(groups: &[u8], name: &'static str) -> Result<[u8; 32], InvoiceError> {
    check_32_bytes(groups, name)?;
    let mut bytes = [0; 32];
    regroup(groups, &mut bytes);
    Ok(bytes)
}

/// Requires the 52 groups of 32 bytes.
const fn check_32_bytes(groups: &[u8], name: &'static str) -> Result<(), InvoiceError> {
    if groups.len() == 52 { Ok(()) } else { Err(InvoiceError::Length(name)) }
}

/// Fills bytes with the bits of 5-bit groups. Eight groups are five bytes.
fn regroup(groups: &[u8], bytes: &mut [u8]) {
    let five_bytes = |groups: &[u8; 8]| {
        let bits = groups.iter().fold(0_u64, |bits, group| (bits << 5) | u64::from(*group));
        let [_, _, _, five @ ..] = bits.to_be_bytes();
        five
    };
    let ((groups, last_groups), (bytes, last_bytes)) = (groups.as_chunks(), bytes.as_chunks_mut::<5>());
    for (groups, bytes) in groups.iter().zip(bytes) {
        *bytes = five_bytes(groups);
    }
    let mut padded = [0; 8];
    padded.iter_mut().zip(last_groups).for_each(|(padded, group)| *padded = *group);
    last_bytes.iter_mut().zip(five_bytes(&padded)).for_each(|(byte, new)| *byte = new);
}
