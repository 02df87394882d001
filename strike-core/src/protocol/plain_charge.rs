//! Reads a charge without copying its texts, if a server wrote it as servers usually do.

use crate::invoice;
use crate::protocol::plain_json::PlainJson;
use crate::values::{Charge, ChargeId, ChargeTexts, Currency, Origin, PaymentHash, Satoshi, UnixMillis};

/// A charge of the API whose texts are still in the response. It is valid: [`ChargeJson`] reads the
/// same charge from the same text.
///
/// [`ChargeJson`]: crate::protocol::charge_json::ChargeJson
#[derive(Clone)]
pub(super) struct PlainCharge<'a> {
    pub(super) id: &'a str,
    amount: Satoshi,
    amount_satoshi: Satoshi,
    payment_hash: PaymentHash,
    payment_request: &'a str,
    description: &'a str,
    customer_id: Option<&'a str>,
    paid: bool,
    pub(super) created: UnixMillis,
    updated: UnixMillis,
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
        let id = json.string().filter(|id| ChargeId::is_valid(id))?;
        field!(json, ",", "object")?;
        json.string()?;
        field!(json, ",", "amount")?;
        let amount = Satoshi::try_from(json.number()?).ok()?;
        field!(json, ",", "currency")?;
        json.string().filter(|currency| *currency == Currency::Btc.as_str())?;
        field!(json, ",", "amount_satoshi")?;
        let amount_satoshi = Satoshi::try_from(json.number()?).ok()?;
        field!(json, ",", "payment_hash")?;
        let payment_hash = json.string()?.parse().ok()?;
        field!(json, ",", "payment_request")?;
        let payment_request = invoice::bare(json.string()?);
        field!(json, ",", "description")?;
        let description = json.nullable_string()?.unwrap_or_default();
        let customer_id = match field!(json, ",", "customer_id") {
            Some(()) => json.nullable_string()?,
            None => None,
        };
        field!(json, ",", "paid")?;
        let paid = json.boolean()?;
        field!(json, ",", "created")?;
        let created = UnixMillis::from_wire(json.number()?);
        field!(json, ",", "updated")?;
        let updated = UnixMillis::from_wire(json.number()?);
        json.punctuation(b'}')?;
        Some(Self {
            id,
            amount,
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

    /// Copies the charge.
    pub(super) fn to_charge(&self, origin: Origin) -> Charge {
        Charge {
            id: ChargeId::of_valid(self.id),
            amount: self.amount.get(),
            currency: Currency::Btc,
            amount_satoshi: self.amount_satoshi,
            payment_hash: self.payment_hash,
            texts: ChargeTexts::new(self.payment_request, self.description, self.customer_id),
            paid: self.paid,
            created: self.created,
            updated: self.updated,
            settlement: None,
            origin,
        }
    }
}
