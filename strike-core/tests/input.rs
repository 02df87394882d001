//! Tests that invalid input is rejected before a request is sent, with the field and rule named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use strike_core::machine::Operation;
use strike_core::{
    ApiKey, ChargeId, Create, Currency, Endpoint, Error, ErrorKind, InvalidInput, List, Network, NewCharge,
    Satoshi, check_certificates,
};
use support::{CANARY, endpoint};

fn field_and_rule(error: &Error) -> (&'static str, &str) {
    match error.kind() {
        ErrorKind::InvalidInput(input) => (input.field(), input.rule()),
        other => panic!("expected invalid input, got {other:?}"),
    }
}

#[test]
fn orders_beyond_the_limits_are_rejected() {
    let endpoint = endpoint();
    let cases = [
        (NewCharge::satoshis(0, "tea"), "amount", "1 to 4294967 satoshi"),
        (NewCharge::satoshis(4_294_968, "tea"), "amount", "1 to 4294967 satoshi"),
        (NewCharge::satoshis(1, "x".repeat(257)), "description", "at most 256 UTF-16 units"),
        (NewCharge::satoshis(1, "𝄞".repeat(129)), "description", "at most 256 UTF-16 units"),
        (NewCharge::satoshis(1, "€".repeat(256)), "description", "at most 639 bytes of UTF-8"),
        (NewCharge::satoshis(1, "").customer_id("x".repeat(65)), "customer_id", "at most 64 UTF-16 units"),
        (NewCharge::satoshis(1, "").expiry_sec(0), "expiry_sec", "1 to 604800 seconds"),
        (NewCharge::satoshis(1, "").expiry_sec(604_801), "expiry_sec", "1 to 604800 seconds"),
    ];
    for (order, field, rule) in cases {
        let error = Create::new(order.clone()).request(&endpoint).unwrap_err();
        assert_eq!(field_and_rule(&error), (field, rule), "{order:?}");
        let text = error.to_string();
        assert!(text.contains(field) && text.contains(rule) && text.contains("nothing was sent"), "{text}");
    }
}

#[test]
fn orders_at_the_limits_are_accepted() {
    let endpoint = endpoint();
    for order in [
        NewCharge::satoshis(1, ""),
        NewCharge::satoshis(4_294_967, "x".repeat(256)),
        NewCharge::satoshis(1, "𝄞".repeat(128)),
        NewCharge::satoshis(1, "€".repeat(213)),
        NewCharge::satoshis(1, "").customer_id("x".repeat(64)).expiry_sec(1),
        NewCharge::satoshis(1, "").expiry_sec(604_800),
    ] {
        Create::new(order).request(&endpoint).unwrap();
    }
}

#[test]
fn endpoint_amount_limit_cannot_exceed_21_million_bitcoin() {
    let key = || ApiKey::new(CANARY).unwrap();
    let builder = || Endpoint::builder("https://host/", key(), Network::Bitcoin);
    let lifted = builder().max_amount(None).build().unwrap();
    Create::new(NewCharge::satoshis(4_294_968, "")).request(&lifted).unwrap();
    Create::new(NewCharge::satoshis(Satoshi::MAX.get(), "")).request(&lifted).unwrap();
    for amount in [0, Satoshi::MAX.get() + 1, u64::MAX / 1000, u64::MAX] {
        let error = Create::new(NewCharge::satoshis(amount, "")).request(&lifted).unwrap_err();
        assert_eq!(field_and_rule(&error), ("amount", "1 to 2100000000000000 satoshi"));
    }
    let lower = builder().max_amount(Some(Satoshi::new(10))).build().unwrap();
    let error = Create::new(NewCharge::satoshis(11, "")).request(&lower).unwrap_err();
    assert_eq!(field_and_rule(&error), ("amount", "1 to 10 satoshi"));
    builder().max_amount(Some(Satoshi::MAX)).build().unwrap();
    for most in [0, Satoshi::MAX.get() + 1, u64::MAX] {
        let error = builder().max_amount(Some(Satoshi::new(most))).build().unwrap_err();
        assert_eq!((error.field(), error.rule()), ("max_amount", "1 to 2100000000000000 satoshi"));
    }
}

#[test]
fn amounts_above_21_million_bitcoin_are_not_deserialized() {
    for (amount, good) in [(1, true), (Satoshi::MAX.get(), true), (Satoshi::MAX.get() + 1, false)] {
        let saved = format!(r#"{{"amount":{amount},"description":"tea"}}"#);
        assert_eq!(serde_json::from_str::<NewCharge>(&saved).is_ok(), good, "{saved}");
        assert_eq!(serde_json::from_str::<Satoshi>(&amount.to_string()).is_ok(), good, "{amount}");
    }
}

#[test]
fn create_form_is_the_same_as_that_of_pystrike() {
    let order = NewCharge::satoshis(42, "tea & 1%20cake +€").customer_id("order 17").expiry_sec(60);
    let request = Create::new(order).request(&endpoint()).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "http://127.0.0.1:1/api/v1/charges");
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(
        std::str::from_utf8(request.body()).unwrap(),
        "amount=42&currency=btc&description=tea+%26+1%2520cake+%2B%E2%82%AC&customer_id=order+17&expiry_sec=60"
    );
    // An empty customer id is not sent.
    let request = Create::new(NewCharge::satoshis(1, "").customer_id("")).request(&endpoint()).unwrap();
    assert_eq!(request.body(), b"amount=1&currency=btc&description=");
}

#[test]
fn basic_authentication_has_the_key_and_no_password() {
    let endpoint = Endpoint::new("https://host/", ApiKey::new("sk_demo").unwrap(), Network::Bitcoin).unwrap();
    let request = List::page(0).request(&endpoint).unwrap();
    assert_eq!(request.headers()["authorization"], "Basic c2tfZGVtbzo=");
}

#[test]
fn charge_ids_cannot_change_the_request_path() {
    let long = "x".repeat(129);
    for id in ["", "../x", "a/b", "a?b", "a#b", "a%2fb", "a b", "ä", "a\n", ".", long.as_str()] {
        let error = Error::from(id.parse::<ChargeId>().unwrap_err());
        assert_eq!(field_and_rule(&error).0, "id", "{id:?}");
        let json = serde_json::to_string(id).unwrap();
        assert!(serde_json::from_str::<ChargeId>(&json).is_err(), "{id:?}");
    }
    for id in ["x", "ch_LzQ9ASJS9KABeqdWhCjCGuK2uiee4", "A-b_9", &"x".repeat(128)] {
        assert_eq!(id.parse::<ChargeId>().unwrap().as_str(), id);
        let json = serde_json::to_string(id).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<ChargeId>(&json).unwrap()).unwrap(), json);
    }
}

#[test]
fn other_currencies_and_empty_pages_are_rejected() {
    for currency in ["", "BTC", "eur", "usd"] {
        assert_eq!(field_and_rule(&currency.parse::<Currency>().unwrap_err().into()).0, "currency");
    }
    let error = List::page(0).size(0).request(&endpoint()).unwrap_err();
    assert_eq!(field_and_rule(&error).0, "size");
}

#[test]
fn invalid_api_keys_are_rejected() {
    let long = "k".repeat(513);
    for key in ["", "a:b", "a b", "a\n", "a\0", "\u{7f}", "ä", long.as_str()] {
        let error = ApiKey::new(key).unwrap_err();
        assert_eq!(error.field(), "api key", "{key:?}");
    }
    let shown = format!("{:?} {:?}", ApiKey::new(CANARY).unwrap(), endpoint());
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn unsafe_base_urls_are_rejected() {
    for url in [
        "",
        "host/api/v1/",
        "localhost:8420",
        "//host/",
        "ftp://host/",
        "https://",
        "https:///api",
        "https://:443/",
        "https://user@host/",
        "https://user:password@host/",
        "https://host/?a=b",
        "https://host/#a",
        "https://host:0/",
        "https://host:65536/",
        "https://host:/",
        "https://host/a/../b",
        "https://host/./b",
        "https://host/%2E%2e/b",
        "https://ho st/",
        "https://hösT/",
        "https://host/ä",
        "http://host/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://localhost.example.com/",
        "http://10.0.0.1/",
        "http://[::2]/",
    ] {
        let built = Endpoint::new(url, ApiKey::new(CANARY).unwrap(), Network::Bitcoin);
        let error = built.map(|endpoint| endpoint.base_url()).expect_err(url);
        assert_eq!(error.field(), "base URL", "{url}");
    }
}

#[test]
fn safe_base_urls_are_normalized() {
    for (url, base, request) in [
        ("https://host", "https://host/", "https://host/charges?page=0&size=30"),
        ("https://host/api/v1", "https://host/api/v1/", "https://host/api/v1/charges?page=0&size=30"),
        (
            "HTTPS://Host:8443//api///v1//",
            "https://Host:8443/api/v1/",
            "https://Host:8443/api/v1/charges?page=0&size=30",
        ),
        ("http://127.9.9.9:1/x", "http://127.9.9.9:1/x/", "http://127.9.9.9:1/x/charges?page=0&size=30"),
        ("http://LOCALHOST/", "http://LOCALHOST/", "http://LOCALHOST/charges?page=0&size=30"),
        ("http://[::1]:8420/", "http://[::1]:8420/", "http://[::1]:8420/charges?page=0&size=30"),
    ] {
        let endpoint = Endpoint::new(url, ApiKey::new(CANARY).unwrap(), Network::Bitcoin).unwrap();
        assert_eq!(endpoint.base_url(), base);
        assert_eq!(List::page(0).request(&endpoint).unwrap().uri().to_string(), request);
    }
    let lan = Endpoint::builder("http://10.0.0.1/", ApiKey::new(CANARY).unwrap(), Network::Regtest);
    assert_eq!(lan.allow_plain_http().build().unwrap().base_url(), "http://10.0.0.1/");
}

#[test]
fn historical_hosts_have_constructors() {
    let key = || ApiKey::new(CANARY).unwrap();
    let main = Endpoint::acinq_mainnet(key()).unwrap();
    assert_eq!(
        (main.base_url().as_str(), main.network()),
        ("https://api.strike.acinq.co/api/v1/", Network::Bitcoin)
    );
    let test = Endpoint::acinq_testnet(key()).unwrap();
    assert_eq!(
        (test.base_url().as_str(), test.network()),
        ("https://api.dev.strike.acinq.co/api/v1/", Network::Testnet)
    );
}

/// Returns the endpoint of these variables.
fn endpoint_from(variables: &[(&str, &str)]) -> Result<Endpoint, InvalidInput> {
    Endpoint::from_variables(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    })
}

#[test]
fn backend_variable_chooses_the_dialect() {
    for (backend, network, url, header, credential) in [
        (None, "signet", "https://host/charges?page=0&size=30", "authorization", "Basic c2VjcmV0Og=="),
        (
            Some("strike"),
            "regtest",
            "https://host/charges?page=0&size=30",
            "authorization",
            "Basic c2VjcmV0Og==",
        ),
        (
            Some("phoenixd"),
            "testnet",
            "https://host/payments/incoming?all=true&limit=30&offset=0",
            "authorization",
            "Basic OnNlY3JldA==",
        ),
        (
            Some("lnbits"),
            "bitcoin",
            "https://host/api/v1/payments/paginated?recheck_pending=true&sortby=time&direction=desc\
             &amount%5Bgt%5D=0&limit=30&offset=0",
            "x-api-key",
            "secret",
        ),
    ] {
        let rest =
            [("STRIKE_BASE_URL", "https://host"), ("STRIKE_API_KEY", "secret"), ("STRIKE_NETWORK", network)];
        let variables: Vec<_> =
            backend.map(|name| ("STRIKE_BACKEND", name)).into_iter().chain(rest).collect();
        let endpoint = endpoint_from(&variables).unwrap();
        assert_eq!(endpoint.network().as_str(), network);
        let request = List::page(0).request(&endpoint).unwrap();
        assert_eq!(request.uri(), url);
        assert_eq!(request.headers()[header], credential, "{backend:?}");
    }
}

#[test]
fn error_about_a_variable_names_it_and_does_not_contain_its_value() {
    let good = [
        ("STRIKE_BACKEND", "phoenixd"),
        ("STRIKE_BASE_URL", "https://host"),
        ("STRIKE_API_KEY", "secret"),
        ("STRIKE_NETWORK", "bitcoin"),
        ("STRIKE_WEBHOOK_URL", "https://shop/paid"),
        ("STRIKE_WEBHOOK_SECRET", "secret"),
    ];
    assert!(endpoint_from(&good).is_ok());
    let with = |changes: &[(&'static str, &'static str)]| {
        let changed = |name| changes.iter().find(|(changed, _)| *changed == name);
        good.map(|(name, value)| changed(name).map_or((name, value), |(_, value)| (name, *value)))
    };
    for (changes, name, rule) in [
        (&[("STRIKE_BACKEND", "canary")][..], "STRIKE_BACKEND", "`strike`, `phoenixd` or `lnbits`"),
        (&[("STRIKE_BACKEND", "")], "STRIKE_BACKEND", "`strike`, `phoenixd` or `lnbits`"),
        (&[("STRIKE_BACKEND", "Phoenixd")], "STRIKE_BACKEND", "`strike`, `phoenixd` or `lnbits`"),
        (
            &[("STRIKE_NETWORK", "canary")],
            "STRIKE_NETWORK",
            "bitcoin (or mainnet), testnet, signet or regtest",
        ),
        (&[("STRIKE_NETWORK", "signet")], "STRIKE_NETWORK", "`bitcoin` or `testnet`: phoenixd has no other"),
        (&[("STRIKE_NETWORK", "regtest")], "STRIKE_NETWORK", "`bitcoin` or `testnet`: phoenixd has no other"),
        (
            &[("STRIKE_BASE_URL", "https://host/canary")],
            "STRIKE_BASE_URL",
            "the server's address without a path; `EndpointBuilder::allow_path` permits one",
        ),
        (
            &[("STRIKE_BACKEND", "lnbits"), ("STRIKE_BASE_URL", "https://host/api/v1/canary")],
            "STRIKE_BASE_URL",
            "the server's address without a path; `EndpointBuilder::allow_path` permits one",
        ),
        (
            &[("STRIKE_BASE_URL", "http://canary.example")],
            "STRIKE_BASE_URL",
            "a URL that starts with `https://`, because the host is not this machine; \
             `EndpointBuilder::allow_plain_http` permits `http://`",
        ),
        (&[("STRIKE_API_KEY", "canary=")], "STRIKE_API_KEY", "1 to 512 visible ASCII characters without `=`"),
        (
            &[("STRIKE_WEBHOOK_URL", "ftp://canary")],
            "STRIKE_WEBHOOK_URL",
            "an `http://` or `https://` URL with a host, in at most 512 visible ASCII characters",
        ),
        (
            &[("STRIKE_WEBHOOK_SECRET", "canary=")],
            "STRIKE_WEBHOOK_SECRET",
            "1 to 512 visible ASCII characters without `=`",
        ),
        (
            &[("STRIKE_BACKEND", "lnbits"), ("STRIKE_API_KEY", "canary:")],
            "STRIKE_API_KEY",
            "1 to 512 visible ASCII characters without a colon",
        ),
    ] {
        let error = endpoint_from(&with(changes)).expect_err(name);
        assert_eq!((error.field(), error.rule()), (name, rule), "{changes:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn url_key_and_network_are_required() {
    let all = [
        ("STRIKE_BACKEND", "lnbits"),
        ("STRIKE_BASE_URL", "https://host"),
        ("STRIKE_API_KEY", "secret"),
        ("STRIKE_NETWORK", "bitcoin"),
    ];
    for missing in ["STRIKE_BASE_URL", "STRIKE_API_KEY", "STRIKE_NETWORK"] {
        let others: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(endpoint_from(&others).unwrap_err().to_string(), format!("{missing} must be set"));
    }
}

#[test]
fn certificate_error_says_what_the_file_contains() {
    for (pem, found) in [
        (&b""[..], "but is empty"),
        (b"\x30\x82\x01\x0a", "but is DER; convert it with `openssl x509 -inform der`"),
        (b"\xff\xfe-\0-\0", "but is UTF-16; save it as UTF-8"),
        (b"-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n", "but is a private key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n", "but is a text without certificates"),
        (b"BEGIN CERTIFICATE\n", "but is a text without certificates"),
        (b"\x80\x81", "but is a text without certificates"),
    ] {
        let error = check_certificates(pem, 0).expect_err(found).to_string();
        assert_eq!(error, format!("ca certificate must be one or more certificates in PEM, {found}"));
    }
}

#[test]
fn every_certificate_that_begins_must_be_readable() {
    let one = "-----BEGIN CERTIFICATE-----\r\n";
    for (pem, begun) in [
        (one.to_owned(), 1),
        (format!("\u{feff}{one}"), 1),
        (format!("{one}{one}"), 2),
        (format!("{one} -----BEGIN TRUSTED CERTIFICATE-----\n{one}"), 3),
        (format!("{one}-----END CERTIFICATE----------BEGIN X509 CERTIFICATE-----"), 2),
        (format!("{one}----begin certificate----"), 2),
    ] {
        assert!(check_certificates(pem.as_bytes(), begun).is_ok(), "{pem}");
        for read in [begun - 1, begun + 1] {
            let error = check_certificates(pem.as_bytes(), read).expect_err(&pem).to_string();
            assert!(error.contains(&format!("{begun} certificates begin and {read} can be read")), "{error}");
        }
    }
}
