//! Tests of the credentials, and of the URLs and settings that an endpoint accepts.

use std::ffi::OsString;

use http::header::AUTHORIZATION;
use strike_core::machine::Operation;
use strike_core::{
    ApiKey, Create, Endpoint, EndpointBuilder, ErrorKind, List, Network, Password, Satoshi, WebhookSecret,
};

use crate::{INVOICE_KEY, PASSWORD, PREIMAGE, created, get, lnbits, order, phoenixd, phoenixd_builder};

fn password() -> Password {
    Password::new(PASSWORD).unwrap()
}

fn invoice_key() -> ApiKey {
    ApiKey::new(INVOICE_KEY).unwrap()
}

#[test]
fn phoenixd_gets_basic_credentials_with_an_empty_user() {
    let request = List::page(0).request(&phoenixd()).unwrap();
    let value = &request.headers()[AUTHORIZATION];
    let credentials = data_encoding::BASE64.encode(format!(":{PASSWORD}").as_bytes());
    assert_eq!(value, &format!("Basic {credentials}"));
    assert!(value.is_sensitive());
    assert!(!format!("{request:?}").contains(&credentials));
}

#[test]
fn lnbits_gets_its_key_in_a_header_of_its_own() {
    let request = List::page(0).request(&lnbits()).unwrap();
    assert_eq!(request.headers()["x-api-key"], INVOICE_KEY);
    assert!(request.headers()["x-api-key"].is_sensitive());
    assert!(request.headers().get(AUTHORIZATION).is_none());
    assert!(!format!("{request:?}").contains(INVOICE_KEY));
}

#[test]
fn debug_shows_no_credential() {
    let secret = WebhookSecret::new(PREIMAGE).unwrap();
    let builder = phoenixd_builder().webhook_secret(secret.clone());
    let shown = format!("{:?} {builder:?} {:?} {secret:?}", password(), builder.clone().build().unwrap());
    assert!(!shown.contains(PASSWORD) && !shown.contains(PREIMAGE), "{shown}");
    let shown = format!("{:?} {:?}", invoice_key(), lnbits());
    assert!(!shown.contains(INVOICE_KEY), "{shown}");
}

#[test]
fn errors_show_no_credential_and_no_preimage() {
    let secret = "c0ffee5ecre7c0ffee5ecre7c0ffee5ecre7";
    let signed = phoenixd_builder().webhook_secret(WebhookSecret::new(secret).unwrap()).build().unwrap();
    for (endpoint, secret) in [(&phoenixd(), PASSWORD), (&lnbits(), INVOICE_KEY), (&signed, secret)] {
        for body in [
            format!("the password {secret} is wrong"),
            format!(r#"{{"detail":"bad key {secret}"}}"#),
            format!(r#"{{"detail":[{{"msg":"{secret}"}}]}}"#),
            data_encoding::BASE64.encode(format!(":{secret}").as_bytes()),
        ] {
            for status in [200, 400, 401, 404, 500, 520] {
                for error in [get(endpoint, status, &body), created(endpoint, status, &body)] {
                    let error = error.unwrap_err();
                    let shown = format!("{error} {error:?} {:?}", error.server_message());
                    assert!(!shown.contains(secret), "{status} {body}: {shown}");
                    assert!(!shown.contains(&data_encoding::BASE64.encode(secret.as_bytes())), "{shown}");
                }
            }
        }
    }
    // Unpaid records have a preimage. A broken one must not show it, even without the field's name.
    for body in [
        serde_json::json!({ "p&6eimage": PREIMAGE }),
        crate::incoming(&[("requestedSat", serde_json::json!("many"))]),
        crate::details(&crate::payment(&[("amount", serde_json::json!("many"))])),
        serde_json::json!({ "paid": false, "preimage": PREIMAGE }),
    ] {
        for endpoint in [&phoenixd(), &lnbits()] {
            let error = get(endpoint, 200, &body.to_string()).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.server_message());
            assert!(!shown.contains(&PREIMAGE[..16]), "{shown}");
        }
    }
}

#[test]
fn charges_hold_no_preimage() {
    let charge = get(&phoenixd(), 200, &crate::incoming(&[]).to_string()).unwrap();
    assert!(!format!("{charge:?} {}", serde_json::to_string(&charge).unwrap()).contains(PREIMAGE));
    let charge = get(&lnbits(), 200, &crate::details(&crate::payment(&[])).to_string()).unwrap();
    assert!(!format!("{charge:?} {}", serde_json::to_string(&charge).unwrap()).contains(PREIMAGE));
}

#[test]
fn passwords_that_phoenixd_would_cut_are_refused() {
    for wrong in ["", "two words", "a=b", "ends=", "tab\t", "n\u{e9}", &"x".repeat(513)] {
        let error = Password::new(wrong).unwrap_err();
        assert!(wrong.len() < 3 || !error.to_string().contains(wrong), "{error}");
        assert!(WebhookSecret::new(wrong).is_err(), "{wrong}");
    }
    // A colon is allowed: the user name is empty, so the first colon ends it.
    assert!(Password::new("a:b").is_ok() && WebhookSecret::new("a:b").is_ok());
}

#[test]
fn urls_with_a_path_are_refused_unless_it_is_allowed() {
    for url in ["https://node.example/", "https://node.example", "https://node.example//"] {
        assert_eq!(
            Endpoint::phoenixd(url, password(), Network::Bitcoin).unwrap().base_url(),
            "https://node.example/"
        );
        assert_eq!(
            Endpoint::lnbits(url, invoice_key(), Network::Bitcoin).unwrap().base_url(),
            "https://node.example/"
        );
    }
    for url in
        ["https://node.example/api/v1", "https://node.example/api/v1/payments/", "https://node.example/x"]
    {
        let error = Endpoint::phoenixd(url, password(), Network::Bitcoin).unwrap_err();
        assert!(error.to_string().contains("allow_path"), "{error}");
        assert!(Endpoint::lnbits(url, invoice_key(), Network::Bitcoin).is_err());
        assert!(Endpoint::new(url, invoice_key(), Network::Bitcoin).is_ok());
    }
    let builder = EndpointBuilder::phoenixd("https://a.example/node/", password(), Network::Bitcoin);
    let request = List::page(0).request(&builder.allow_path().build().unwrap()).unwrap();
    assert_eq!(request.uri().path(), "/node/payments/incoming");
}

#[test]
fn plain_http_needs_consent_beyond_this_machine() {
    let url = "http://10.0.0.7:9740";
    let error = Endpoint::phoenixd(url, password(), Network::Bitcoin).unwrap_err();
    assert!(error.to_string().contains("allow_plain_http"), "{error}");
    assert!(Endpoint::lnbits(url, invoice_key(), Network::Bitcoin).is_err());
    let builder = EndpointBuilder::phoenixd(url, password(), Network::Bitcoin);
    assert!(builder.allow_plain_http().build().is_ok());
}

#[test]
fn networks_that_phoenixd_does_not_have_are_refused() {
    for (network, known) in [
        (Network::Bitcoin, true),
        (Network::Testnet, true),
        (Network::Signet, false),
        (Network::Regtest, false),
    ] {
        let endpoint = Endpoint::phoenixd("http://127.0.0.1:9740", password(), network);
        assert_eq!(endpoint.is_ok(), known, "{network:?}");
        assert!(Endpoint::lnbits("http://127.0.0.1:5000", invoice_key(), network).is_ok());
    }
}

#[test]
fn webhook_urls_that_a_backend_would_reject_are_refused() {
    for url in
        ["", "shop", "/hook", "ftp://shop.example/", "https://", "https://shop example/", "https:///hook"]
    {
        let error = phoenixd_builder().webhook_url(url).build().unwrap_err();
        assert_eq!(error.field(), "webhook_url", "{url}");
    }
    let strike = Endpoint::builder("https://a.example/", invoice_key(), Network::Bitcoin);
    assert_eq!(strike.webhook_url("https://shop.example/").build().unwrap_err().field(), "webhook_url");
}

#[test]
fn a_limit_of_the_shop_is_obeyed() {
    let endpoint = phoenixd_builder().max_amount(Some(Satoshi::new(4199))).build().unwrap();
    let error = Create::new(order()).request(&endpoint).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "amount"));
}

#[test]
fn webhook_settings_are_read_from_variables() {
    let endpoint = |backend: &'static str, url: Option<&'static str>, secret: &'static str| {
        Endpoint::from_variables(|name| match name {
            "STRIKE_BACKEND" => Some(backend.into()),
            "STRIKE_BASE_URL" => Some("http://127.0.0.1:1".into()),
            "STRIKE_API_KEY" => Some(INVOICE_KEY.into()),
            "STRIKE_WEBHOOK_URL" => url.map(OsString::from),
            "STRIKE_WEBHOOK_SECRET" => Some(secret.into()),
            _ => Some("bitcoin".into()),
        })
    };
    let url = "https://shop.example.com/hook";
    let request = Create::new(order()).request(&endpoint("phoenixd", Some(url), PREIMAGE).unwrap()).unwrap();
    assert!(request.body().ends_with(b"&webhookUrl=https%3A%2F%2Fshop.example.com%2Fhook"));
    let error = endpoint("strike", Some(url), PREIMAGE).unwrap_err();
    assert_eq!(error.field(), "STRIKE_WEBHOOK_URL");
}
