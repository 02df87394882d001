//! Reads a charge without copying its texts, if a server wrote it as servers usually do.

use crate::invoice;
use crate::protocol::plain_json::PlainJson;
use crate::values::{Charge, ChargeId, ChargeTexts, Currency, Origin, PaymentHash, Satoshi, UnixMillis};

/// The fields of a charge whose texts are still in the response. Their values were not checked.
pub(super) struct PlainCharge<'a> {
    pub(super) id: &'a str,
    amount: u64,
    currency: &'a str,
    amount_satoshi: u64,
    payment_hash: &'a str,
    payment_request: &'a str,
    description: &'a str,
    customer_id: Option<&'a str>,
    paid: bool,
    created: u64,
    updated: u64,
}

/// The values of a charge that are not as they are in the response.
struct Checked {
    amount: Satoshi,
    amount_satoshi: Satoshi,
    payment_hash: PaymentHash,
}

/// Reads the character before a field, its name and the colon: with one comparison if the white space
/// is that of the hosted service.
macro_rules! field {
    ($json:expr, $before:literal, $name:literal) => {
        match $json.literal(concat!($before, "\n  \"", $name, "\" : ")) {
            None => $json.field($before, $name),
            found => found,
        }
    };
}

impl<'a> PlainCharge<'a> {
    /// Reads a text that is one charge.
    pub(super) fn whole(text: &'a str) -> Option<Self> {
        let mut json = PlainJson::new(text);
        let charge = Self::read(&mut json)?;
        json.end()?;
        Some(charge)
    }

    /// Reads the next value. `None` if serde has to read it: because a field is missing, added or at
    /// another place, or because a value is not written plainly.
    pub(super) fn read(json: &mut PlainJson<'a>) -> Option<Self> {
        field!(json, "{", "id")?;
        let id = json.string()?;
        field!(json, ",", "object")?;
        json.string()?;
        field!(json, ",", "amount")?;
        let amount = json.number()?;
        field!(json, ",", "currency")?;
        let currency = json.string()?;
        field!(json, ",", "amount_satoshi")?;
        let amount_satoshi = json.number()?;
        field!(json, ",", "payment_hash")?;
        let payment_hash = json.string()?;
        field!(json, ",", "payment_request")?;
        let payment_request = json.string()?;
        field!(json, ",", "description")?;
        let description = json.nullable_string()?.unwrap_or_default();
        let customer_id = match field!(json, ",", "customer_id") {
            Some(()) => json.nullable_string()?,
            None => None,
        };
        field!(json, ",", "paid")?;
        let paid = json.boolean()?;
        field!(json, ",", "created")?;
        let created = json.number()?;
        field!(json, ",", "updated")?;
        let updated = json.number()?;
        json.punctuation(b'}')?;
        Some(Self {
            id,
            amount,
            currency,
            amount_satoshi,
            payment_hash,
            payment_request,
            description,
            customer_id,
            paid,
            created,
            updated,
        })
    }

    /// Checks the values. `None` if serde has to explain what is wrong.
    fn check(&self) -> Option<Checked> {
        if !ChargeId::is_valid(self.id) || self.currency != Currency::Btc.as_str() {
            return None;
        }
        Some(Checked {
            amount: Satoshi::try_from(self.amount).ok()?,
            amount_satoshi: Satoshi::try_from(self.amount_satoshi).ok()?,
            payment_hash: self.payment_hash.parse().ok()?,
        })
    }

    /// Returns the creation time, if the charge is valid.
    pub(super) fn created(&self) -> Option<UnixMillis> {
        self.check().map(|_| UnixMillis::from_wire(self.created))
    }

    /// Copies the charge, if it is valid.
    pub(super) fn to_charge(&self, origin: Origin) -> Option<Charge> {
        let Checked { amount, amount_satoshi, payment_hash } = self.check()?;
        let payment_request = invoice::bare(self.payment_request);
        Some(Charge {
            id: ChargeId::of_valid(self.id),
            amount: amount.get(),
            currency: Currency::Btc,
            amount_satoshi,
            payment_hash,
            texts: ChargeTexts::new(payment_request, self.description, self.customer_id),
            paid: self.paid,
            created: UnixMillis::from_wire(self.created),
            updated: UnixMillis::from_wire(self.updated),
            settlement: None,
            origin,
        })
    }
}
