//! The event `payment_received`, and its signature in webhooks.

use std::sync::Arc;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use data_encoding::HEXLOWER;
use serde::Serialize;
use strike_core::UnixMillis;
use strike_core::http::{HeaderName, HeaderValue};

use super::payment_json::received_satoshi;
use super::reply::pretty;
use crate::ledger::Charge;
use crate::webhooks::Message;

const SIGNATURE: HeaderName = HeaderName::from_static("x-phoenix-signature");

/// A payment of an invoice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentReceived<'a> {
    r#type: &'static str,
    timestamp: u64,
    amount_sat: i64,
    payment_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Nullable<'a>,
    /// Only payments of BOLT12 offers have a note and the key of its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_note: Nullable<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_key: Nullable<'a>,
}

/// A text, or `Some(None)` for null. `None` leaves the field out.
///
/// Webhooks contain nulls, unlike websockets and the rest of the API.
type Nullable<'a> = Option<Option<&'a str>>;

impl<'a> PaymentReceived<'a> {
    pub(super) fn new(charge: &'a Charge, now: UnixMillis) -> Self {
        Self {
            r#type: "payment_received",
            timestamp: now.as_millis(),
            amount_sat: received_satoshi(charge),
            payment_hash: HEXLOWER.encode(charge.payment_hash.as_bytes()),
            external_id: Some(charge.customer_id.as_deref()),
            payer_note: Some(None),
            payer_key: Some(None),
        }
    }

    /// Returns the signed body of a webhook.
    pub(super) fn to_webhook(&self, secret: &str) -> Message {
        let body: Arc<str> = pretty(self).into();
        // Hex is always a valid header value.
        let signature = HeaderValue::try_from(sign(secret, body.as_bytes())).ok();
        Message { body, signature: signature.map(|value| (SIGNATURE, value)) }
    }

    /// Returns the text of a websocket's message.
    #[cfg(feature = "server")]
    pub(super) fn into_websocket(mut self) -> String {
        for field in [&mut self.external_id, &mut self.payer_note, &mut self.payer_key] {
            *field = field.filter(Option::is_some);
        }
        pretty(&self)
    }
}

/// Returns the HMAC-SHA256 of a body in hex. The key is the text of the secret, which is not decoded.
fn sign(secret: &str, body: &[u8]) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(secret.as_bytes());
    engine.input(body);
    HEXLOWER.encode(Hmac::from_engine(engine).as_byte_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_and_signature_match_the_test_vector() {
        let event = PaymentReceived {
            r#type: "payment_received",
            timestamp: 1_753_257_600_123,
            amount_sat: 4200,
            payment_hash: "ab".repeat(32),
            external_id: Some(Some("order-17")),
            payer_note: Some(None),
            payer_key: Some(None),
        };
        let message = event.to_webhook(&"5f".repeat(32));
        assert_eq!(message.body.len(), 251);
        let (name, value) = message.signature.expect("a signature");
        assert_eq!(name, "X-Phoenix-Signature");
        assert_eq!(value, "599dada671e852dd9891db521cbe3a13fc583c6bb37e058721cfe5f13bf5e913");
    }
}
