//! `POST /decodeinvoice`.

use serde_json::json;

use super::{create, post, sandbox, text_error};
use crate::support::{self, FORM};

#[test]
fn decoded_invoice_shows_every_tag() {
    let sandbox = sandbox();
    let created = create(&sandbox, "amountSat=4200&description=tea&expirySeconds=600");
    let invoice = created["serialized"].as_str().expect("an invoice");
    let response = post(&sandbox, "/decodeinvoice", &format!("invoice={invoice}"));
    let decoded = support::json(&response);
    let hop = &decoded["extraHops"][0][0];
    let expected = json!({
        "chain": "testnet3",
        "amount": 4_200_000,
        "paymentHash": created["paymentHash"],
        "description": "tea",
        "minFinalCltvExpiryDelta": 144,
        "paymentSecret": decoded["paymentSecret"],
        "paymentMetadata": "2a",
        "expirySeconds": 600,
        "extraHops": [[{
            "nodeId": hop["nodeId"],
            "shortChannelId": hop["shortChannelId"],
            "feeBase": 1000,
            "feeProportionalMillionths": 100,
            "cltvExpiryDelta": 144,
        }]],
        "features": {
            "activated": {
                "var_onion_optin": "mandatory",
                "payment_secret": "mandatory",
                "basic_mpp": "optional",
                "option_payment_metadata": "optional",
            },
            "unknown": [],
        },
        "timestampSeconds": 1_542_221_803,
    });
    assert_eq!(decoded, expected);
    let parts: Vec<_> = hop["shortChannelId"].as_str().expect("text").split('x').collect();
    assert_eq!(parts.len(), 3);
}

#[test]
fn invoice_of_the_other_api_and_a_hashed_one_are_decoded() {
    let sandbox = sandbox();
    let charge = support::create(&sandbox, FORM, "amount=1&currency=btc&description=cake");
    let hash = "ab".repeat(32);
    let hashed = create(&sandbox, &format!("amountSat=1&descriptionHash={hash}"));
    let decode = |invoice: &serde_json::Value| {
        let form = format!("invoice={}", invoice.as_str().expect("an invoice"));
        support::json(&post(&sandbox, "/decodeinvoice", &form))
    };
    assert_eq!(decode(&charge["payment_request"])["description"], "cake");
    let decoded = decode(&hashed["serialized"]);
    assert_eq!((decoded.get("description"), &decoded["descriptionHash"]), (None, &json!(hash)));
}

#[test]
fn text_that_is_no_invoice_is_not_decoded() {
    let sandbox = sandbox();
    let missing = "Request parameter invoice is missing";
    assert_eq!(text_error(&post(&sandbox, "/decodeinvoice", "")), (400, missing));
    let wrong = "Request parameter invoice couldn't be parsed/converted to bolt11invoice";
    for text in ["", "x", "lntb1", "lno1abc"] {
        let response = post(&sandbox, "/decodeinvoice", &format!("invoice={text}"));
        assert_eq!(text_error(&response), (400, wrong), "{text}");
    }
}
