//! Cassettes, their Debug output, reported differences and transcripts contain no key.

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use strike_blocking::fixture::{FixtureError, RecordTransport, ReplayTransport, SimulatedHost};
use strike_core::fixture::Responder;
use strike_core::http::Response;
use strike_core::{Error, Exchange, NewCharge, Now, Reply, RetryPolicy, UnixMillis};
use strike_sandbox::Sandbox;

use crate::secrets::{
    KEY, assert_debug_has_no_secret, assert_error_has_no_secret, assert_no_secret, endpoint,
};

/// Encodings in which a server may repeat the key.
fn echoes() -> Vec<String> {
    let with_colon = format!("{KEY}:");
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let html: String = KEY.bytes().map(|byte| format!("&#x{byte:X};")).collect();
    let wide = KEY.replace('_', "\u{FF3F}");
    vec![
        KEY.into(),
        BASE64.encode(with_colon.as_bytes()),
        BASE64URL.encode(KEY.as_bytes()),
        HEXLOWER.encode(KEY.as_bytes()),
        format!("Authorization: Basic {}", BASE64.encode(with_colon.as_bytes())),
        escaped,
        percent,
        html,
        wide,
        BASE64.encode(BASE64.encode(KEY.as_bytes()).as_bytes()),
    ]
}

/// Checks everything that a cassette and its player can print.
fn assert_cassette_has_no_secret(what: &str, json: &str) {
    assert_no_secret(what, json);
    let cassette: strike_core::fixture::Cassette = json.parse().unwrap();
    assert_debug_has_no_secret(what, &cassette);
    for entry in cassette.entries() {
        assert_no_secret(what, entry.path_and_query());
        for body in [Some(entry.body().to_vec()), entry.reply().ok().map(Response::into_body)] {
            let text = String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned();
            assert_no_secret(what, &text);
            // JSON escapes may hide the key in the text, but not in the value.
            let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            assert_debug_has_no_secret(what, &value);
            // Other encodings may hide it from both.
            for echo in echoes() {
                assert!(!text.contains(&echo), "{what} contains {echo}: {text}");
            }
        }
    }
}

fn order() -> NewCharge {
    // A program that puts the key in the wrong fields.
    NewCharge::satoshis(4200, format!("tea for {KEY}")).customer_id(KEY)
}

/// Records a create, a get and a list against a server. Returns the cassette and the errors.
fn record(respond: impl Responder + Send + 'static) -> (Result<String, FixtureError>, Vec<Error>) {
    let host = SimulatedHost::new(respond);
    let recording = RecordTransport::new(host.clone());
    let builder = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&host)
        .transport(recording.clone());
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    let errors =
        [client.create(order()).err(), client.get(&"ch_1".parse().unwrap()).err(), client.list(0).err()];
    assert_debug_has_no_secret("a recording", &recording);
    assert_debug_has_no_secret("a simulated host", &host);
    assert_debug_has_no_secret("a transcript", &host.transcript());
    assert_no_secret("a transcript", &host.transcript().to_string());
    (recording.cassette().map(|cassette| cassette.to_json().unwrap()), errors.into_iter().flatten().collect())
}

#[test]
fn cassettes_contain_no_key_if_the_server_repeats_it() {
    for echo in echoes() {
        for (status, content_type) in
            [(200, "application/json"), (500, "text/html"), (401, "application/json")]
        {
            let echoed = echo.clone();
            let respond = move |exchange: Exchange, _: Now| -> Reply {
                let sent = String::from_utf8_lossy(exchange.request.body()).into_owned();
                let body = match content_type {
                    "text/html" => format!("<pre>{echoed} {sent}"),
                    _ => format!(
                        r#"{{ "code": {status}, "message": "no such key: {echoed}", "{echoed}": ["{sent}"] }}"#
                    ),
                };
                let response = Response::builder().status(status).header("content-type", content_type);
                let response =
                    response.header("date", echoed.as_str()).header("retry-after", echoed.as_str());
                Ok(response.header("x-your-key", echoed.as_str()).body(body.into_bytes()).unwrap())
            };
            let (json, errors) = record(respond);
            assert_eq!(errors.len(), 3);
            match json {
                Ok(json) => assert_cassette_has_no_secret(&echo, &json),
                Err(error) => {
                    assert!(matches!(error, FixtureError::NotRedacted { .. }), "{error}");
                    assert_no_secret(&echo, &error.to_string());
                }
            }
            errors.iter().for_each(|error| assert_error_has_no_secret(&echo, error));
        }
    }
}

#[test]
fn differences_and_left_over_entries_contain_no_key() {
    let sandbox = Sandbox::builder().api_key(KEY).clock_at(UnixMillis::from_secs(1_700_000_000)).build();
    let json = record(sandbox).0.unwrap();
    assert_cassette_has_no_secret("a recording of the sandbox", &json);
    let replay = ReplayTransport::strict(json.parse().unwrap());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&replay)
        .build()
        .unwrap();
    let error = client.create(order().customer_id(format!("other {KEY}"))).unwrap_err();
    // The difference shows what was sent, with the key redacted.
    assert_error_has_no_secret("a difference", &error);
    assert_debug_has_no_secret("a replay", &replay);
    let error = replay.finish().unwrap_err();
    assert!(matches!(error, FixtureError::LeftOver { .. } | FixtureError::Different { .. }), "{error}");
    assert_no_secret("a difference", &error.to_string());
    assert_debug_has_no_secret("a difference", &error);

    let replay = ReplayTransport::strict(json.parse().unwrap());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&replay)
        .build()
        .unwrap();
    let changed = NewCharge::satoshis(1, format!("coffee for {KEY}"));
    assert_error_has_no_secret("a difference", &client.create(changed).unwrap_err());
    let error = replay.finish().unwrap_err();
    assert!(error.to_string().contains("coffee for [redacted]"), "{error}");
    assert_no_secret("a difference", &error.to_string());
}
