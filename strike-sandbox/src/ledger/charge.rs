//! A stored charge, and its JSON in responses and webhooks.

use data_encoding::HEXLOWER;
use strike_core::{ChargeId, PaymentHash, Satoshi, UnixMillis};

use super::ChargeState;
use crate::quirks::Quirks;
use crate::response::Object;

#[derive(Clone)]
pub(crate) struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) amount: Satoshi,
    pub(crate) description: Box<str>,
    pub(crate) customer_id: Option<Box<str>>,
    pub(crate) payment_request: Box<str>,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) preimage: [u8; 32],
    pub(crate) paid: bool,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
    /// The invoice cannot be paid from this time on. The API does not show it.
    pub(crate) expires: UnixMillis,
    /// What the node charged for receiving the payment, in millisatoshi. 0 if the charge is unpaid.
    pub(crate) fee: u64,
    /// `None` for most charges.
    pub(crate) extras: Option<Box<Extras>>,
}

/// What only the phoenixd API can set.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// The invoice contains this hash instead of a description.
    pub(crate) description_hash: Option<[u8; 32]>,
    /// The receiver of the webhook for this payment, beside those in the settings.
    pub(crate) webhook_url: Option<Box<str>>,
}

impl Extras {
    /// Returns `None` if there is nothing to store.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl Charge {
    /// Adds the keys of the API's charge object. `customer_id` is omitted if there is none or if it is
    /// empty, which only the phoenixd API allows.
    pub(crate) fn write_to(&self, object: Object, quirks: &Quirks) -> Object {
        let millis_per_unit = if quirks.timestamps_in_seconds { 1000 } else { 1 };
        // Most keys are written out, with their layout. A page has up to 1000 charges, and to put each
        // key together takes longer than the rest.
        let mut object = object
            .plain("id", self.id.as_str())
            .verbatim(",\n  \"object\" : \"charge\",\n  \"amount\" : ")
            .digits(self.amount.get())
            .verbatim(",\n  \"currency\" : \"btc\",\n  \"amount_satoshi\" : ")
            .digits(self.amount.get())
            .verbatim(",\n  \"payment_hash\" : \"")
            .hex_digits(self.payment_hash.as_bytes())
            .verbatim("\",\n  \"payment_request\" : \"")
            .verbatim(&self.payment_request)
            .verbatim("\"")
            .text("description", &self.description);
        if let Some(customer_id) = self.customer_id.as_deref().filter(|it| !it.is_empty()) {
            object = object.text("customer_id", customer_id);
        }
        let object = object
            .flag("paid", self.paid)
            .number("created", self.created.as_millis() / millis_per_unit)
            .number("updated", self.updated.as_millis() / millis_per_unit);
        if quirks.extra_keys { object.extra_keys() } else { object }
    }

    pub(crate) fn to_json(&self, quirks: &Quirks) -> String {
        self.write_to(Object::default(), quirks).end()
    }

    /// Returns the JSON that a webhook sends for the charge.
    pub(crate) fn to_event(&self, quirks: &Quirks) -> String {
        let extra = if quirks.extra_keys { r#","extra_key":[null]"# } else { "" };
        format!(r#"{{"object":"event","data":{}{extra}}}"#, self.to_json(quirks))
    }

    pub(crate) fn state(&self, now: UnixMillis) -> ChargeState {
        match self.paid {
            true => ChargeState::Paid,
            false if now >= self.expires => ChargeState::Expired,
            false => ChargeState::Pending,
        }
    }

    pub(crate) fn preimage_hex(&self) -> String {
        HEXLOWER.encode(&self.preimage)
    }
}

#[cfg(test)]
impl Charge {
    /// Returns an unpaid charge with this id, created 1 second after 1970, that expires 9 seconds after.
    pub(crate) fn sample(id: &str) -> Self {
        Self {
            id: id.parse().expect("a charge id"),
            amount: Satoshi::new(1),
            description: "".into(),
            customer_id: None,
            payment_request: "".into(),
            payment_hash: crate::node::payment_hash(&[0; 32]),
            preimage: [0; 32],
            paid: false,
            created: UnixMillis::from_secs(1),
            updated: UnixMillis::from_secs(1),
            expires: UnixMillis::from_secs(9),
            fee: 0,
            extras: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes a charge key by key.
    fn key_by_key(charge: &Charge) -> String {
        let mut object = Object::default()
            .text("id", charge.id.as_str())
            .text("object", "charge")
            .number("amount", charge.amount.get())
            .text("currency", "btc")
            .number("amount_satoshi", charge.amount.get())
            .hex("payment_hash", charge.payment_hash.as_bytes())
            .text("payment_request", &charge.payment_request)
            .text("description", &charge.description);
        if let Some(customer_id) = charge.customer_id.as_deref().filter(|it| !it.is_empty()) {
            object = object.text("customer_id", customer_id);
        }
        let object = object.flag("paid", charge.paid);
        object
            .number("created", charge.created.as_millis())
            .number("updated", charge.updated.as_millis())
            .end()
    }

    proptest! {
        #[test]
        fn charge_is_written_as_if_key_by_key(
            amount: u64,
            description: String,
            customer_id: Option<String>,
            paid: bool,
            updated: u64,
        ) {
            let charge = Charge {
                amount: Satoshi::new(amount),
                description: description.into(),
                customer_id: customer_id.map(Into::into),
                payment_request: "lntb1".into(),
                paid,
                updated: UnixMillis::from_millis(updated),
                ..Charge::sample("ch_1")
            };
            prop_assert_eq!(charge.to_json(&Quirks::new()), key_by_key(&charge));
        }
    }
}
