//! `POST /createinvoice`: its response, its limits and its errors.

use strike_core::http::{HeaderValue, Method};

use super::{create, get, payment, payment_hash, post, request_as, sandbox, text_error};
use crate::support::{json, text};

const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn created_invoice_is_pretty_printed_with_its_hash() {
    let sandbox = sandbox();
    let response = post(&sandbox, "/createinvoice", "amountSat=4200&description=tea");
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = json(&response);
    let (hash, invoice) = (body["paymentHash"].as_str().expect("a hash"), body["serialized"].as_str());
    let invoice = invoice.expect("an invoice");
    let expected = format!(
        "{{\n    \"amountSat\": 4200,\n    \"paymentHash\": \"{hash}\",\n    \"serialized\": \"{invoice}\"\n}}"
    );
    assert_eq!(text(&response), expected);
    assert_eq!((hash.len(), sandbox.charges()), (64, 1));
}

#[test]
fn invoice_needs_either_a_description_or_its_hash() {
    let sandbox = sandbox();
    let neither_or_both = "Must provide either a description or descriptionHash";
    for form in ["amountSat=1".to_owned(), format!("amountSat=1&description=&descriptionHash={HASH}")] {
        assert_eq!(text_error(&post(&sandbox, "/createinvoice", &form)), (400, neither_or_both));
    }
    create(&sandbox, "amountSat=1&description=");
    let hashed = payment_hash(&sandbox, &format!("amountSat=1&descriptionHash={HASH}"));
    assert_eq!(payment(&sandbox, &hashed).get("description"), None);
    for wrong in ["abc", "", &HASH[1..], &HASH.replace('0', "g")] {
        let response = post(&sandbox, "/createinvoice", &format!("amountSat=1&descriptionHash={wrong}"));
        let expected = "Request parameter descriptionHash couldn't be parsed/converted to hex32";
        assert_eq!(text_error(&response), (400, expected), "{wrong}");
    }
    assert_eq!(sandbox.charges(), 2);
}

#[test]
fn description_over_128_utf16_units_is_rejected() {
    let sandbox = sandbox();
    let form = |description: String| {
        let mut form = form_urlencoded::Serializer::new("amountSat=1".to_owned());
        form.append_pair("description", &description).finish()
    };
    // The last character takes two units.
    for longest in ["x".repeat(128), "\u{20ac}".repeat(128), format!("{}\u{1f4a9}", "x".repeat(126))] {
        create(&sandbox, &form(longest));
    }
    for long in ["x".repeat(129), format!("{}\u{1f4a9}", "x".repeat(127))] {
        let response = post(&sandbox, "/createinvoice", &form(long));
        let expected = "Request parameter description is too long (max 128 characters)";
        assert_eq!(text_error(&response), (400, expected));
    }
}

#[test]
fn amount_that_is_not_positive_is_a_500() {
    let sandbox = sandbox();
    for amount in ["0", "-1", "9223372036854775807"] {
        let response = post(&sandbox, "/createinvoice", &format!("amountSat={amount}&description="));
        assert_eq!(text_error(&response), (500, "amount is not valid"), "{amount}");
    }
    for amount in ["x", "", "1.5", "9223372036854775808"] {
        let response = post(&sandbox, "/createinvoice", &format!("amountSat={amount}&description="));
        let expected = "Request parameter amountSat couldn't be parsed/converted to integer";
        assert_eq!(text_error(&response), (400, expected), "{amount}");
    }
    assert_eq!(text_error(&post(&sandbox, "/createinvoice", "description=x")).0, 400);
    assert_eq!(sandbox.charges(), 0);
    // The service's ceiling does not apply.
    create(&sandbox, "amountSat=100000000&description=house");
}

#[test]
fn invoice_expires_after_a_day_or_after_its_seconds() {
    let sandbox = sandbox();
    let lifetime = |form: &str| {
        let record = payment(&sandbox, &payment_hash(&sandbox, form));
        record["expiresAt"].as_u64().expect("a time") - record["createdAt"].as_u64().expect("a time")
    };
    assert_eq!(lifetime("amountSat=1&description="), 24 * 60 * 60 * 1000);
    assert_eq!(lifetime("amountSat=1&description=&expirySeconds=600"), 600_000);
    let response = post(&sandbox, "/createinvoice", "amountSat=1&description=&expirySeconds=soon");
    assert_eq!(text_error(&response).0, 400);
}

#[test]
fn wrong_webhook_url_leaves_an_invoice_without_external_id() {
    let sandbox = sandbox();
    let form = "amountSat=1&description=&externalId=order-17&webhookUrl=ftp%3A%2F%2Fshop.example";
    let expected = "Request parameter webhookUrl couldn't be parsed/converted to url";
    assert_eq!(text_error(&post(&sandbox, "/createinvoice", form)), (400, expected));
    let list = json(&get(&sandbox, "/payments/incoming?all=true"));
    assert_eq!((list.as_array().map(Vec::len), list[0].get("externalId")), (Some(1), None));
}

#[test]
fn body_that_is_not_a_form_gets_415() {
    let sandbox = sandbox();
    for content_type in ["application/json", "text/plain", "multipart/form-data"] {
        let mut request = request_as(":limited", Method::POST, "/createinvoice", "{}");
        request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
        assert_eq!(text_error(&sandbox.respond(&request)).0, 415, "{content_type}");
    }
    let mut request = request_as(":limited", Method::POST, "/createinvoice", "amountSat=1&description=");
    let with_charset = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
    request.headers_mut().insert("content-type", with_charset);
    assert_eq!(sandbox.respond(&request).status(), 200);
    let large = format!("amountSat=1&description=&padding={}", "x".repeat(1 << 16));
    assert_eq!(text_error(&post(&sandbox, "/createinvoice", &large)).0, 413);
}
