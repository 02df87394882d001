//! The JSON of a charge, and its conversion from and to `Charge`.

use std::num::FpCategory;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::invoice;
use crate::protocol::number::Lossless;
use crate::values::{
    Charge, ChargeId, ChargeTexts, Currency, InvalidInput, Origin, PaymentHash, Satoshi, Settlement,
    UnixMillis,
};

/// A charge as the API's JSON represents it. `N` is the type that reads the numbers. Unknown fields
/// are ignored.
#[derive(Serialize, Deserialize)]
pub(super) struct ChargeJson<N> {
    id: ChargeId,
    #[serde(skip_deserializing)]
    object: Object,
    amount: N,
    currency: Currency,
    amount_satoshi: N,
    payment_hash: PaymentHash,
    payment_request: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    paid: bool,
    created: N,
    updated: N,
    /// Stored, but never read from a response of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settlement: Option<Settlement>,
    /// The code of an error. An object with a code is an error, whatever the HTTP status. Null and
    /// zero count as no code, as in existing clients of the service.
    #[serde(default, skip_serializing)]
    code: Code,
}

/// The constant field `object: "charge"`. It is written but not read.
#[derive(Default, Serialize)]
enum Object {
    #[default]
    #[serde(rename = "charge")]
    Charge,
}

/// True if the object has an error code.
#[derive(Default)]
struct Code(bool);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Number(f64),
            Other(IgnoredAny),
        }
        let code = Option::<Value>::deserialize(deserializer)?;
        Ok(Self(match code {
            None => false,
            Some(Value::Number(number)) => number.classify() != FpCategory::Zero,
            Some(Value::Other(_)) => true,
        }))
    }
}

impl<N> ChargeJson<N> {
    /// Returns true if the object has an error code.
    pub(super) const fn is_error(&self) -> bool {
        self.code.0
    }
}

impl<N: Into<u64>> TryFrom<ChargeJson<N>> for Charge {
    type Error = InvalidInput;

    fn try_from(wire: ChargeJson<N>) -> Result<Self, InvalidInput> {
        Ok(Self {
            id: wire.id,
            amount: Satoshi::new(wire.amount.into()).within_supply("amount")?.get(),
            currency: wire.currency,
            amount_satoshi: Satoshi::new(wire.amount_satoshi.into()).within_supply("amount_satoshi")?,
            payment_hash: wire.payment_hash,
            texts: ChargeTexts::new(
                invoice::bare(&wire.payment_request),
                &wire.description.unwrap_or_default(),
                wire.customer_id.as_deref(),
            ),
            paid: wire.paid,
            created: UnixMillis::from_wire(wire.created.into()),
            updated: UnixMillis::from_wire(wire.updated.into()),
            settlement: wire.settlement,
            origin: Origin::Unverified,
        })
    }
}

impl From<&Charge> for ChargeJson<u64> {
    fn from(charge: &Charge) -> Self {
        Self {
            id: charge.id.clone(),
            object: Object::Charge,
            amount: charge.amount,
            currency: charge.currency,
            amount_satoshi: charge.amount_satoshi.get(),
            payment_hash: charge.payment_hash,
            payment_request: charge.payment_request().to_owned(),
            description: Some(charge.description().to_owned()),
            customer_id: charge.raw_customer_id().map(str::to_owned),
            paid: charge.paid,
            created: charge.created.to_wire(),
            updated: charge.updated.to_wire(),
            settlement: charge.settlement,
            code: Code(false),
        }
    }
}

impl Serialize for Charge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ChargeJson::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Charge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ChargeJson::<Lossless>::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}
