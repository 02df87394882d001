//! Preimages, and the text of records: in no Debug, in no error, in no cassette, wherever a server puts them.

use serde_json::{Value, json};
use strike_blocking::fixture::{RecordTransport, SimulatedHost};
use strike_core::fixture::FixtureError;
use strike_core::http::Response;
use strike_core::{Error, Exchange, NewCharge, Now, Reply, RetryPolicy, webhook};

use crate::secrets::endpoint;

const PREIMAGE: &str = "5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a";
const NAMES: [&str; 4] = ["preimage", "payment_preimage", "r_preimage", "paymentPreimage"];
/// Somebody's words in a record that cannot be read.
const WORDS: &str = "wordsOfAlice";

#[track_caller]
fn assert_no_record(what: &str, text: &str) {
    for secret in [PREIMAGE, WORDS] {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
}

fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut below = std::error::Error::source(error);
    while let Some(error) = below {
        shown += &format!(" {error} {error:?}");
        below = error.source();
    }
    shown
}

fn charge(name: &str) -> Value {
    json!({ "id": "ch_1", "object": "charge", "amount": 4200, "currency": "btc", "amount_satoshi": 4200,
        "payment_hash": "ab".repeat(32), "payment_request": "invented", "description": "tea", "paid": true,
        "created": 1_700_000_000_000_u64, "updated": 1_700_000_000_000_u64, name: PREIMAGE })
}

/// Creates, gets and lists at a host that always says this; all that is shown of it, and the cassette.
fn all(status: u16, body: String) -> (String, Result<String, FixtureError>) {
    let host = SimulatedHost::new(move |_: Exchange, _: Now| -> Reply {
        Ok(Response::builder().status(status).body(body.clone().into_bytes()).unwrap())
    });
    let recording = RecordTransport::new(host.clone());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&host)
        .transport(recording.clone());
    let client = client.retry(RetryPolicy::never()).build().unwrap();
    let mut seen = String::new();
    match client.create(NewCharge::satoshis(4200, "tea")) {
        Ok(charge) => seen += &format!("{charge:?} {charge:#?} {charge}"),
        Err(error) => seen += &shown(&error),
    }
    match client.get(&"ch_1".parse().unwrap()) {
        Ok(charge) => seen += &format!("{charge:?} {charge:#?} {charge}"),
        Err(error) => seen += &shown(&error),
    }
    match client.list(0) {
        Ok(page) => seen += &format!("{page:?} {page:#?} {:?}", page.clone().into_rows()),
        Err(error) => seen += &shown(&error),
    }
    for row in client.list_all() {
        match row {
            Ok(charge) => seen += &format!("{charge:?}"),
            Err(error) => {
                seen += &shown(&error);
                break;
            }
        }
    }
    seen += &format!("{client:?} {recording:?} {host:?} {:?} {}", host.transcript(), host.transcript());
    (seen, recording.cassette().map(|cassette| format!("{cassette:?} {}", cassette.to_json().unwrap())))
}

#[test]
fn preimages_are_shown_nowhere() {
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
                let (seen, cassette) = all(status, body.clone());
                let what = format!("{status} {body}");
                assert!(!seen.contains(PREIMAGE), "{what}: {seen}");
                match cassette {
                    // A value of another field is what the server says it is.
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
fn a_row_that_cannot_be_read_shows_nothing_of_its_text() {
    for (field, value) in [
        ("amount", json!(WORDS)),
        ("paid", json!(format!("\"{WORDS}\", expected"))),
        ("created", json!({ WORDS: WORDS })),
        ("customer_id", json!([WORDS])),
        ("currency", json!(format!("`{WORDS}`, expected {WORDS}"))),
        ("id", json!(format!("{WORDS}/"))),
        ("payment_hash", json!(WORDS)),
        ("code", json!(WORDS)),
    ] {
        let mut row = charge("other");
        row["description"] = json!(WORDS);
        row["customer_id"] = json!(WORDS);
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
        assert_no_record(field, &shown(&error));
    }
}
