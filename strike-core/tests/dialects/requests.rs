//! Tests of the requests: each verb is one request, and bad input is refused before it is sent.

use serde_json::{Value, json};
use strike_core::machine::Operation;
use strike_core::{Create, Endpoint, ErrorKind, Get, HttpRequest, List, NewCharge, OrderKey};

use crate::{hash, lnbits, order, phoenixd, phoenixd_builder};

fn line(request: &HttpRequest) -> String {
    format!("{} {}", request.method(), request.uri())
}

fn create(endpoint: &Endpoint, order: NewCharge) -> HttpRequest {
    Create::new(order).request(endpoint).unwrap()
}

fn form(request: &HttpRequest) -> Vec<(String, String)> {
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    form_urlencoded::parse(request.body()).into_owned().collect()
}

fn field(request: &HttpRequest, name: &str) -> Option<String> {
    form(request).into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn body(request: &HttpRequest) -> Value {
    assert_eq!(request.headers()["content-type"], "application/json");
    serde_json::from_slice(request.body()).unwrap()
}

#[test]
fn phoenixd_creates_an_invoice_with_a_form() {
    let request = create(&phoenixd(), order().customer_id("table 4").expiry_sec(600));
    assert_eq!(line(&request), "POST http://127.0.0.1:9740/createinvoice");
    let sent = "amountSat=4200&description=tea&expirySeconds=600&externalId=table+4";
    assert_eq!(std::str::from_utf8(request.body()).unwrap(), sent);
    assert_eq!(field(&request, "webhookUrl"), None);
}

#[test]
fn expiry_is_always_sent_and_is_an_hour_by_default() {
    assert_eq!(field(&create(&phoenixd(), order()), "expirySeconds").unwrap(), "3600");
    assert_eq!(body(&create(&lnbits(), order()))["expiry"], 3600);
}

#[test]
fn phoenixd_takes_an_empty_description_but_lnbits_does_not() {
    let empty = NewCharge::satoshis(1, "");
    assert_eq!(field(&create(&phoenixd(), empty.clone()), "description").unwrap(), "");
    let error = Create::new(empty).request(&lnbits()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "description"));
    assert!(error.to_string().contains("nothing was sent"), "{error}");
}

#[test]
fn phoenixd_limits_descriptions_in_utf_16_units_unless_hashed() {
    let hashing = phoenixd_builder().hash_long_descriptions().build().unwrap();
    // The crab is one character and two UTF-16 units.
    for (description, units) in [("x".repeat(128), 128), ("\u{1F980}".repeat(64), 128)] {
        let order = NewCharge::satoshis(1, &description);
        assert_eq!(description.encode_utf16().count(), units);
        for endpoint in [&phoenixd(), &hashing] {
            let request = create(endpoint, order.clone());
            assert_eq!(field(&request, "description").unwrap(), description);
            assert_eq!(field(&request, "descriptionHash"), None);
        }
    }
    for description in ["x".repeat(129), "\u{1F980}".repeat(64) + "x"] {
        let order = NewCharge::satoshis(1, &description);
        let error = Create::new(order.clone()).request(&phoenixd()).unwrap_err();
        assert!(error.to_string().contains("hash_long_descriptions"), "{error}");
        let request = create(&hashing, order);
        let hash = hmac_sha256::Hash::hash(description.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(field(&request, "descriptionHash").unwrap(), hex);
        assert_eq!(field(&request, "description"), None);
    }
}

#[test]
fn lnbits_creates_an_invoice_with_json() {
    let request = create(&lnbits(), order().customer_id("table-4").expiry_sec(600));
    assert_eq!(line(&request), "POST http://127.0.0.1:5000/api/v1/payments");
    let expected = json!({
        "out": false, "unit": "sat", "amount": 4200, "memo": "tea", "expiry": 600,
        "external_id": "table-4", "extra": { "customer_id": "table-4" },
    });
    assert_eq!(body(&request), expected);
}

#[test]
fn lnbits_refuses_spaces_in_what_becomes_external_id() {
    for own in ["table 4", "a\nb", " "] {
        let error = Create::new(order().customer_id(own)).request(&lnbits()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "customer_id"));
        // The caller's own part of a `customer_id` with an order key may have spaces.
        let key = OrderKey::named("order-17");
        let with_key = key.customer_id(own);
        let sent = body(&create(&lnbits(), order().customer_id(&with_key)));
        assert_eq!(sent["external_id"], key.to_string());
        assert_eq!(sent["extra"]["customer_id"], with_key);
    }
}

#[test]
fn a_webhook_url_is_sent_with_each_create() {
    let url = "https://shop.example.com/hook?token=a&b=c";
    let endpoint = phoenixd_builder().webhook_url(url).build().unwrap();
    assert_eq!(field(&create(&endpoint, order()), "webhookUrl").unwrap(), url);
    let key = strike_core::ApiKey::new(crate::INVOICE_KEY).unwrap();
    let builder =
        strike_core::EndpointBuilder::lnbits("https://a.example", key, strike_core::Network::Bitcoin);
    let endpoint = builder.webhook_url(url).build().unwrap();
    assert_eq!(body(&create(&endpoint, order()))["webhook"], url);
}

#[test]
fn gets_and_pages_are_one_request_each() {
    let id = hash().parse::<strike_core::ChargeId>().unwrap();
    let get = |endpoint: &Endpoint| line(&Get::new(id.clone()).request(endpoint).unwrap());
    assert_eq!(get(&phoenixd()), format!("GET http://127.0.0.1:9740/payments/incoming/{id}"));
    assert_eq!(get(&lnbits()), format!("GET http://127.0.0.1:5000/api/v1/payments/{id}"));

    let page = |endpoint: &Endpoint| line(&List::page(3).size(50).request(endpoint).unwrap());
    assert_eq!(page(&phoenixd()), "GET http://127.0.0.1:9740/payments/incoming?all=true&limit=50&offset=150");
    let query = "recheck_pending=true&sortby=time&direction=desc&amount%5Bgt%5D=0&limit=50&offset=150";
    assert_eq!(page(&lnbits()), format!("GET http://127.0.0.1:5000/api/v1/payments/paginated?{query}"));
    // The largest page number does not overflow the offset.
    let last = List::page(u32::MAX).size(u32::MAX).request(&phoenixd()).unwrap();
    assert!(last.uri().to_string().ends_with("offset=18446744065119617025"), "{}", last.uri());
}

#[test]
fn ids_of_another_form_are_unknown_without_a_request() {
    let upper = hash().to_uppercase();
    for id in ["ch_1", "internal_ab", &hash()[1..], &format!("{}0", hash()), &"g".repeat(64), &upper] {
        for endpoint in [phoenixd(), lnbits()] {
            let error = Get::new(id.parse().unwrap()).request(&endpoint).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::NotFound, "{id}");
            assert!(error.to_string().contains(id), "{error}");
        }
    }
}

#[test]
fn amounts_have_no_limit_of_the_old_service() {
    let large = NewCharge::satoshis(100_000_000, "a car");
    assert!(Create::new(large.clone()).request(&phoenixd()).is_ok());
    assert!(Create::new(large).request(&lnbits()).is_ok());
    for amount in [0, 2_100_000_000_000_001] {
        assert!(Create::new(NewCharge::satoshis(amount, "x")).request(&phoenixd()).is_err());
        assert!(Create::new(NewCharge::satoshis(amount, "x")).request(&lnbits()).is_err());
    }
}
