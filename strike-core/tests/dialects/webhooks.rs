//! Tests of the webhooks of all backends. Each is a hint, and phoenixd's must be signed.

use http::{HeaderMap, HeaderValue};
use strike_core::webhook::{InvalidWebhook, MAX_BODY};
use strike_core::{Endpoint, WebhookSecret};

use crate::{hash, lnbits, phoenixd, phoenixd_builder, support};

/// A body in the format of phoenixd, and its signature with the secret `5f5f...` as text.
const BODY: &str = r#"{
    "type": "payment_received",
    "timestamp": 1753257600123,
    "amountSat": 4200,
    "paymentHash": "abababababababababababababababababababababababababababababababab",
    "externalId": "order-17",
    "payerNote": null,
    "payerKey": null
}"#;
const SIGNATURE: &str = "599dada671e852dd9891db521cbe3a13fc583c6bb37e058721cfe5f13bf5e913";

fn signed() -> Endpoint {
    phoenixd_builder().webhook_secret(WebhookSecret::new("5f".repeat(32)).unwrap()).build().unwrap()
}

fn headers(signatures: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for signature in signatures {
        headers.append("X-Phoenix-Signature", HeaderValue::from_str(signature).unwrap());
    }
    headers
}

fn sign(body: &str) -> HeaderMap {
    let mac = hmac_sha256::HMAC::mac(body.as_bytes(), "5f".repeat(32).as_bytes());
    headers(&[&data_encoding::HEXLOWER.encode(&mac)])
}

#[test]
fn the_test_vector_is_accepted() {
    assert_eq!(BODY.len(), 251);
    assert_eq!(sign(BODY)["X-Phoenix-Signature"], SIGNATURE);
    let notification = signed().read_webhook(&headers(&[SIGNATURE]), BODY.as_bytes()).unwrap();
    assert_eq!(notification.id().as_str(), hash());
    // It is only a hint: the same webhook again names the same charge.
    let again = signed().read_webhook(&headers(&[SIGNATURE]), BODY.as_bytes()).unwrap();
    assert_eq!(again, notification);
}

#[test]
fn forged_webhooks_of_phoenixd_are_refused() {
    let hex_decoded_key = "e646e3e62f4fbfe8502a49b5028fb311ffcc08dff46e1ee4ef50d8b6b52f0a64";
    for signatures in [
        &[][..],
        &[hex_decoded_key],
        &[""],
        &[&SIGNATURE[..62]],
        &["sha256=599dada671e852dd9891db521cbe3a13fc583c6bb37e058721cfe5f13bf5e913"],
        // Two signatures: it is unclear which one counts.
        &[SIGNATURE, SIGNATURE],
        &[hex_decoded_key, SIGNATURE],
    ] {
        let result = signed().read_webhook(&headers(signatures), BODY.as_bytes());
        assert_eq!(result, Err(InvalidWebhook::BadSignature), "{signatures:?}");
    }
    for body in
        [BODY.replace("4200", "4201"), format!("{BODY}\n"), format!(" {BODY}"), BODY.replace('\n', "\r\n")]
    {
        let result = signed().read_webhook(&headers(&[SIGNATURE]), body.as_bytes());
        assert_eq!(result, Err(InvalidWebhook::BadSignature), "{body}");
    }
    let other =
        phoenixd_builder().webhook_secret(WebhookSecret::new("6f".repeat(32)).unwrap()).build().unwrap();
    assert_eq!(
        other.read_webhook(&headers(&[SIGNATURE]), BODY.as_bytes()),
        Err(InvalidWebhook::BadSignature)
    );
}

#[test]
fn without_a_secret_every_webhook_of_phoenixd_is_refused() {
    let result = phoenixd().read_webhook(&headers(&[SIGNATURE]), BODY.as_bytes());
    assert_eq!(result, Err(InvalidWebhook::NoSecret));
}

#[test]
fn the_signature_is_verified_before_the_body_is_parsed() {
    assert_eq!(signed().read_webhook(&headers(&[SIGNATURE]), b"{"), Err(InvalidWebhook::BadSignature));
    for body in ["{", "[]", "", "{\"type\":\"payment_sent\",\"paymentHash\":\"ab\"}", "\u{0}", "\"text\""] {
        assert_eq!(
            signed().read_webhook(&sign(body), body.as_bytes()),
            Err(InvalidWebhook::NotAnEvent),
            "{body}"
        );
    }
    let sent = BODY.replace("payment_received", "payment_sent");
    assert_eq!(signed().read_webhook(&sign(&sent), sent.as_bytes()), Err(InvalidWebhook::NotAnEvent));
}

#[test]
fn events_with_negative_amounts_and_without_a_time_are_read() {
    for body in [BODY.replace("4200", "-15800"), BODY.replace("    \"timestamp\": 1753257600123,\n", "")] {
        assert!(signed().read_webhook(&sign(&body), body.as_bytes()).is_ok(), "{body}");
    }
}

#[test]
fn webhooks_of_lnbits_are_json_in_a_json_text() {
    let inner =
        format!(r#"{{"checking_id":"x","payment_hash":"{}","amount":4200000,"preimage":"9c"}}"#, hash());
    let outer = serde_json::to_string(&inner).unwrap();
    for body in [outer.clone(), format!("\n{outer} "), inner, format!("\u{feff}{outer}")] {
        let notification = lnbits().read_webhook(&HeaderMap::new(), body.as_bytes()).unwrap();
        assert_eq!(notification.id().as_str(), hash());
    }
    let upper = outer.replace(&hash(), &hash().to_uppercase());
    let notification = lnbits().read_webhook(&HeaderMap::new(), upper.as_bytes()).unwrap();
    assert_eq!(notification.id().as_str(), hash(), "the id of the charge is in lower case");
    let twice = serde_json::to_string(&outer).unwrap();
    let bad =
        [twice.as_str(), "", "\"\"", "{}", "[]", "7", "\"{\"", r#"{"payment_hash":"../admin"}"#, "\"null\""];
    for body in bad {
        let result = lnbits().read_webhook(&HeaderMap::new(), body.as_bytes());
        assert_eq!(result, Err(InvalidWebhook::NotAnEvent), "{body}");
    }
    assert!(lnbits().read_webhook(&HeaderMap::new(), b"\"\xff\"").is_err());
}

#[test]
fn webhooks_of_the_strike_api_are_read_through_the_same_method() {
    let body = br#"{"object":"event","data":{"id":"ch_1"}}"#;
    let notification = support::endpoint().read_webhook(&HeaderMap::new(), body).unwrap();
    assert_eq!(notification.id().as_str(), "ch_1");
}

#[test]
fn bodies_above_the_limit_are_refused_by_every_backend() {
    let body = vec![b' '; MAX_BODY + 1];
    for endpoint in [signed(), phoenixd(), lnbits(), support::endpoint()] {
        assert_eq!(endpoint.read_webhook(&HeaderMap::new(), &body), Err(InvalidWebhook::TooLarge));
    }
}
