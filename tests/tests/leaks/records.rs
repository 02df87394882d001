//! Preimages and the text of unreadable rows appear in no Debug output, error or cassette.

use serde_json::{Value, json};
use strike_blocking::fixture::{RecordTransport, SimulatedHost};
use strike_core::fixture::FixtureError;
use strike_core::http::Response;
use strike_core::{Error, Exchange, NewCharge, Now, Reply, RetryPolicy, webhook};

use crate::secrets::endpoint;

const PREIMAGE: &str = "5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a";
const NAMES: [&str; 4] = ["preimage", "payment_preimage", "r_preimage", "paymentPreimage"];
/// Text in a row that cannot be parsed.
const CUSTOMER_TEXT: &str = "wordsOfAlice";

#[track_caller]
fn assert_no_record(what: &str, text: &str) {
    for secret in [PREIMAGE, CUSTOMER_TEXT] {
        assert!(!text.contains(secret), "{what} contains {secret}: {text}");
    }
}

fn error_text(error: &Error) -> String {
    let mut error_text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        error_text += &format!(" {error} {error:?}");
        source = error.source();
    }
    error_text
}

fn charge(name: &str) -> Value {
    json!({ "id": "ch_1", "object": "charge", "amount": 4200, "currency": "btc", "amount_satoshi": 4200,
        "payment_hash": "ab".repeat(32), "payment_request": "invented", "description": "tea", "paid": true,
        "created": 1_700_000_000_000_u64, "updated": 1_700_000_000_000_u64, name: PREIMAGE })
}

/// Creates, gets and lists against a server with this response. Returns all printable output, and
/// the cassette.
fn run_all(status: u16, body: String) -> (String, Result<String, FixtureError>) {
    let host = SimulatedHost::new(move |_: Exchange, _: Now| -> Reply {
        Ok(Response::builder().status(status).body(body.clone().into_bytes()).unwrap())
    });
    let recording = RecordTransport::new(host.clone());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&host)
        .transport(recording.clone());
    let client = client.retry(RetryPolicy::never()).build().unwrap();
    let mut output = String::new();
    match client.create(NewCharge::satoshis(4200, "tea")) {
        Ok(charge) => output += &format!("{charge:?} {charge:#?} {charge}"),
        Err(error) => output += &error_text(&error),
    }
    match client.get(&"ch_1".parse().unwrap()) {
        Ok(charge) => output += &format!("{charge:?} {charge:#?} {charge}"),
        Err(error) => output += &error_text(&error),
    }
    match client.list(0) {
        Ok(page) => output += &format!("{page:?} {page:#?} {:?}", page.clone().into_rows()),
        Err(error) => output += &error_text(&error),
    }
    for row in client.list_all() {
        match row {
            Ok(charge) => output += &format!("{charge:?}"),
            Err(error) => {
                output += &error_text(&error);
                break;
            }
        }
    }
    output += &format!("{client:?} {recording:?} {host:?} {:?} {}", host.transcript(), host.transcript());
    (output, recording.cassette().map(|cassette| format!("{cassette:?} {}", cassette.to_json().unwrap())))
}

#[test]
fn preimages_appear_in_no_output() {
    for name in NAMES {
        let whole = charge(name);
        let mut unreadable = whole.clone();
        unreadable["amount"] = json!("many");
        let mut foreign = whole.clone();
        foreign["currency"] = json!(PREIMAGE);
        let bodies = [
            whole.to_string(),
            json!([whole]).to_string(),
            json!([whole, unreadable, foreign, { name: PREIMAGE }, PREIMAGE]).to_string(),
            unreadable.to_string(),
            json!({ "code": 500, "message": format!("settled: {name}={PREIMAGE}") }).to_string(),
            json!({ "code": 500, "message": "failed", name: PREIMAGE }).to_string(),
            json!({ name: PREIMAGE }).to_string(),
            format!("<pre>{}</pre>", json!({ name: PREIMAGE })),
            format!("{{\"{name}\":\"{PREIMAGE}"),
            json!({ "error": json!({ name: PREIMAGE }).to_string() }).to_string(),
        ];
        for body in bodies {
            for status in [200, 500] {
                let (output, cassette) = run_all(status, body.clone());
                let what = format!("{status} {body}");
                assert!(!output.contains(PREIMAGE), "{what}: {output}");
                match cassette {
                    // In another field, this value is not recognizable as a preimage.
                    Ok(cassette) => assert!(
                        body.contains(&format!("\"currency\":\"{PREIMAGE}\""))
                            || !cassette.contains(PREIMAGE),
                        "{what}: {cassette}"
                    ),
                    Err(error) => {
                        assert!(matches!(error, FixtureError::NotRedacted { .. }), "{error}");
                        assert_no_record(&what, &format!("{error} {error:?}"));
                    }
                }
            }
        }
        let event = json!({ "object": "event", "data": whole }).to_string();
        assert_no_record("a webhook", &format!("{:?}", webhook::parse(event.as_bytes())));
        for broken in [
            event.replace("event", "evnt"),
            event.replace("ch_1", "../1"),
            event[..event.len() - 1].to_owned(),
        ] {
            let error = webhook::parse(broken.as_bytes()).unwrap_err();
            assert_no_record("a webhook's error", &format!("{error} {error:?}"));
        }
    }
}

#[test]
fn errors_for_unreadable_rows_do_not_contain_their_text() {
    for (field, value) in [
        ("amount", json!(CUSTOMER_TEXT)),
        ("paid", json!(format!("\"{CUSTOMER_TEXT}\", expected"))),
        ("created", json!({ CUSTOMER_TEXT: CUSTOMER_TEXT })),
        ("customer_id", json!([CUSTOMER_TEXT])),
        ("currency", json!(format!("`{CUSTOMER_TEXT}`, expected {CUSTOMER_TEXT}"))),
        ("id", json!(format!("{CUSTOMER_TEXT}/"))),
        ("payment_hash", json!(CUSTOMER_TEXT)),
        ("code", json!(CUSTOMER_TEXT)),
    ] {
        let mut row = charge("other");
        row["description"] = json!(CUSTOMER_TEXT);
        row["customer_id"] = json!(CUSTOMER_TEXT);
        row[field] = value;
        let body = json!([row]).to_string();
        let host = SimulatedHost::new(move |_: Exchange, _: Now| -> Reply {
            Ok(Response::new(body.clone().into_bytes()))
        });
        let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
            .simulated(&host)
            .build()
            .unwrap();
        let page = client.list(0).unwrap();
        assert_eq!(page.unreadable().count(), 1, "{field}");
        assert_no_record(
            field,
            &format!("{page:?} {page:#?} {:?}", page.unreadable().next().unwrap().reason()),
        );
        let error = client.list_all().next().unwrap().unwrap_err();
        assert_no_record(field, &error_text(&error));
    }
}
