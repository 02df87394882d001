//! What the server owns: a charge and the types of its fields.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::input::InvalidInput;
use crate::order_key::OrderKey;

/// The name of a charge, as the server gave it: 1 to 128 of `[A-Za-z0-9_-]`.
///
/// It is checked wherever it is made, deserialisation included, so that it can never change the path of a request.
///
/// ```
/// use strike_core::ChargeId;
///
/// let id: ChargeId = "ch_LzQ9ASJS9KABeqdWhCjCGuK2uiee4".parse()?;
/// assert_eq!(id.as_str(), "ch_LzQ9ASJS9KABeqdWhCjCGuK2uiee4");
/// assert!("../secrets".parse::<ChargeId>().is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "Box<str>")]
pub struct ChargeId(Box<str>);

impl ChargeId {
    /// Takes a charge's id.
    ///
    /// # Errors
    /// [`InvalidInput`] unless it is 1 to 128 of `[A-Za-z0-9_-]`.
    pub fn new(id: impl Into<Box<str>>) -> Result<Self, InvalidInput> {
        let id = id.into();
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=128).contains(&id.len()) && id.bytes().all(known) {
            Ok(Self(id))
        } else {
            Err(InvalidInput::new("id", "1 to 128 of the characters A-Z, a-z, 0-9, `_` and `-`"))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChargeId({})", self.0)
    }
}

impl AsRef<str> for ChargeId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChargeId {
    type Err = InvalidInput;

    fn from_str(id: &str) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl TryFrom<Box<str>> for ChargeId {
    type Error = InvalidInput;

    fn try_from(id: Box<str>) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl From<ChargeId> for Box<str> {
    fn from(id: ChargeId) -> Self {
        id.0
    }
}

/// An amount in satoshi, the smallest unit of bitcoin on the chain: 100 000 000 of them are one bitcoin.
///
/// Reading one with serde fails above [`MAX`](Self::MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Satoshi(u64);

impl Satoshi {
    /// 21 million bitcoin, which is all that there can be. No order and no charge has a larger amount.
    pub const MAX: Self = Self(2_100_000_000_000_000);

    /// That many satoshi. Above [`MAX`](Self::MAX) it is no amount, and refused wherever it is used as one.
    #[must_use]
    pub const fn new(satoshi: u64) -> Self {
        Self(satoshi)
    }

    /// The number of satoshi.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same amount in millisatoshi, the unit of invoices; `None` beyond what 64 bits hold.
    #[must_use]
    pub const fn millisatoshi(self) -> Option<u64> {
        self.0.checked_mul(1000)
    }
}

impl Satoshi {
    /// The amount, unless it is above all that there can be.
    pub(crate) fn within_supply(self, field: &'static str) -> Result<Self, InvalidInput> {
        if self <= Self::MAX {
            Ok(self)
        } else {
            Err(InvalidInput::new(field, "at most 2100000000000000 satoshi, which is 21 million bitcoin")
                .found(self.0))
        }
    }
}

impl<'de> Deserialize<'de> for Satoshi {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = Self(u64::deserialize(deserializer)?);
        amount.within_supply("amount").map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Satoshi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} satoshi", self.0)
    }
}

/// The currency of a charge. The service knew `btc` alone; anything else does not parse.
///
/// ```
/// use strike_core::Currency;
///
/// assert_eq!("btc".parse(), Ok(Currency::Btc));
/// assert!("eur".parse::<Currency>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Currency {
    /// Bitcoin, counted in satoshi.
    #[serde(rename = "btc")]
    Btc,
}

impl Currency {
    /// The currency as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Btc => "btc",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = InvalidInput;

    fn from_str(currency: &str) -> Result<Self, InvalidInput> {
        match currency {
            "btc" => Ok(Self::Btc),
            _ => Err(InvalidInput::new("currency", "`btc`, the only currency of the service")),
        }
    }
}

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(u64);

impl UnixMillis {
    /// That many milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// That many seconds since the epoch; what does not fit becomes the end of time.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment that much later, or the end of time.
    #[must_use]
    pub fn saturating_add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The moment that much earlier, or the epoch.
    #[must_use]
    pub fn saturating_sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(earlier.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How much later this moment is than the other; zero if it is not.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Reads a time of the wire: the service sent seconds until April 2018 and milliseconds since, without
    /// saying which, so a value below 10^11 (seconds until the year 5138, milliseconds until 1973) is seconds.
    pub(crate) const fn from_wire(value: u64) -> Self {
        if value < Self::SECONDS_BELOW { Self::from_secs(value) } else { Self(value) }
    }

    /// The value of the wire that is read as this time: one of before 1973 is written in the seconds that it came in.
    pub(crate) const fn to_wire(self) -> u64 {
        if self.0 < Self::SECONDS_BELOW { self.0 / 1000 } else { self.0 }
    }

    const SECONDS_BELOW: u64 = 100_000_000_000;
}

impl fmt::Display for UnixMillis {
    /// Writes the moment in UTC as RFC 3339 has it, or its milliseconds if it lies after the year 9999.
    ///
    /// ```
    /// use strike_core::UnixMillis;
    ///
    /// assert_eq!(UnixMillis::from_millis(1_542_221_803_505).to_string(), "2018-11-14T18:56:43.505Z");
    /// assert_eq!(UnixMillis::from_millis(u64::MAX).to_string(), "18446744073709551615 ms after 1970");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(moment) => write!(f, "{moment}"),
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}

/// The hash that names a payment: the SHA-256 of the preimage that proves it was made.
///
/// ```
/// use strike_core::PaymentHash;
///
/// let hash: PaymentHash = "00".repeat(32).parse()?;
/// assert_eq!(hash.as_bytes(), &[0; 32]);
/// assert_eq!(hash.to_string(), "00".repeat(32));
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash([u8; 32]);

impl PaymentHash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PaymentHash {
    /// 64 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentHash({self})")
    }
}

impl FromStr for PaymentHash {
    type Err = InvalidInput;

    fn from_str(hex: &str) -> Result<Self, InvalidInput> {
        let mut bytes = [0; 32];
        // The length first: decoding into a buffer of another size panics.
        if hex.len() == 64
            && data_encoding::HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), &mut bytes).is_ok()
        {
            Ok(Self(bytes))
        } else {
            Err(InvalidInput::new("payment_hash", "64 hex digits"))
        }
    }
}

impl Serialize for PaymentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PaymentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let hex = alloc::borrow::Cow::<str>::deserialize(deserializer)?;
        hex.parse().map_err(D::Error::custom)
    }
}

/// A request for an amount, as the server last described it.
///
/// It is a reading, not a promise: `paid` and `updated` can have changed since.
///
/// It serialises in the form of the wire, so a shop can keep it, and read it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "crate::wire::Charge<crate::number::Lossless>", into = "crate::wire::Charge<u64>")]
pub struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
    pub(crate) amount_satoshi: Satoshi,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) payment_request: String,
    pub(crate) description: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) paid: bool,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
}

impl Charge {
    /// The name under which the server knows the charge.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.id
    }

    /// The amount in the smallest unit of [`currency`](Self::currency), which is satoshi.
    ///
    /// It equals [`amount_satoshi`](Self::amount_satoshi) unless the host is broken. Creating and [checking](Self::check)
    /// refuse a charge whose two amounts differ. A get and a list report it as it is.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// The currency, which is bitcoin.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount to be paid, in satoshi.
    #[must_use]
    pub const fn amount_satoshi(&self) -> Satoshi {
        self.amount_satoshi
    }

    /// The hash that names the payment.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// The BOLT11 invoice, which the payer's wallet needs. A `lightning:` and white space that the host wrote around it are
    /// removed.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.payment_request
    }

    /// What is paid for, as the payer's wallet shows it; it may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The caller's own reference; `None` if none was given.
    #[must_use]
    pub fn raw_customer_id(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    /// The caller's own reference without the [order key](crate::OrderKey) that may travel with it; `None` if there is none.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        let whole = self.raw_customer_id()?;
        Some(OrderKey::from_customer_id(whole).map_or(whole, |(_, own)| own)).filter(|own| !own.is_empty())
    }

    /// Whether the server had been paid when it gave this answer. Once true, it stays true.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.paid
    }

    /// When the charge was made, by the server's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }

    /// When the charge last changed: the time of payment for a paid one, else of creation.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.updated
    }
}

impl fmt::Display for Charge {
    /// One line for people: id, amount, and whether it is paid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.paid { "paid" } else { "unpaid" };
        write!(f, "{}: {}, {state}", self.id, self.amount_satoshi)
    }
}
