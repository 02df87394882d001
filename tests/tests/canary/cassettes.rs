//! Cassettes of whole clients: no key in the file, in any Debug, in differences or in transcripts.

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use strike_blocking::fixture::{FixtureError, RecordTransport, ReplayTransport, SimulatedHost};
use strike_core::fixture::Responder;
use strike_core::http::Response;
use strike_core::{Error, Exchange, NewCharge, Now, Reply, RetryPolicy, UnixMillis};
use strike_sandbox::Sandbox;

use crate::secrets::{KEY, assert_debug_silent, assert_error_silent, assert_silent, endpoint};

/// The key as a server may repeat it.
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

/// Looks at everything that a cassette and its player can show.
fn assert_cassette_silent(what: &str, json: &str) {
    assert_silent(what, json);
    let cassette: strike_core::fixture::Cassette = json.parse().unwrap();
    assert_debug_silent(what, &cassette);
    for entry in cassette.entries() {
        assert_silent(what, entry.path_and_query());
        for body in [Some(entry.body().to_vec()), entry.reply().ok().map(Response::into_body)] {
            let text = String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned();
            assert_silent(what, &text);
            // Unless JSON hides it from the eye.
            let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            assert_debug_silent(what, &value);
            // Or other escapes do.
            for echo in echoes() {
                assert!(!text.contains(&echo), "{what} shows {echo}: {text}");
            }
        }
    }
}

fn order() -> NewCharge {
    // A shop that has mixed up its fields.
    NewCharge::satoshis(4200, format!("tea for {KEY}")).customer_id(KEY)
}

/// What a client does with such a host, as it is recorded.
fn record(respond: impl Responder + Send + 'static) -> (Result<String, FixtureError>, Vec<Error>) {
    let host = SimulatedHost::new(respond);
    let recording = RecordTransport::new(host.clone());
    let builder = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&host)
        .transport(recording.clone());
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    let errors =
        [client.create(order()).err(), client.get(&"ch_1".parse().unwrap()).err(), client.list(0).err()];
    assert_debug_silent("a recording", &recording);
    assert_debug_silent("a simulated host", &host);
    assert_debug_silent("a transcript", &host.transcript());
    assert_silent("a transcript", &host.transcript().to_string());
    (recording.cassette().map(|cassette| cassette.to_json().unwrap()), errors.into_iter().flatten().collect())
}

#[test]
fn servers_that_repeat_the_key() {
    for echo in echoes() {
        for (status, content_type) in
            [(200, "application/json"), (500, "text/html"), (401, "application/json")]
        {
            let said = echo.clone();
            let answer = move |exchange: Exchange, _: Now| -> Reply {
                let sent = String::from_utf8_lossy(exchange.request.body()).into_owned();
                let body = match content_type {
                    "text/html" => format!("<pre>{said} {sent}"),
                    _ => format!(
                        r#"{{ "code": {status}, "message": "no such key: {said}", "{said}": ["{sent}"] }}"#
                    ),
                };
                let response = Response::builder().status(status).header("content-type", content_type);
                let response = response.header("date", said.as_str()).header("retry-after", said.as_str());
                Ok(response.header("x-your-key", said.as_str()).body(body.into_bytes()).unwrap())
            };
            let (json, errors) = record(answer);
            assert_eq!(errors.len(), 3);
            match json {
                Ok(json) => assert_cassette_silent(&echo, &json),
                Err(error) => {
                    assert!(matches!(error, FixtureError::NotRedacted { .. }), "{error}");
                    assert_silent(&echo, &error.to_string());
                }
            }
            errors.iter().for_each(|error| assert_error_silent(&echo, error));
        }
    }
}

#[test]
fn differences_and_what_is_left() {
    let sandbox = Sandbox::builder().api_key(KEY).clock_at(UnixMillis::from_secs(1_700_000_000)).build();
    let json = record(sandbox).0.unwrap();
    assert_cassette_silent("a recording of the sandbox", &json);
    let replay = ReplayTransport::strict(json.parse().unwrap());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&replay)
        .build()
        .unwrap();
    let error = client.create(order().customer_id(format!("other {KEY}"))).unwrap_err();
    // Redacted or not, what was sent is told.
    assert_error_silent("a difference", &error);
    assert_debug_silent("a replay", &replay);
    let error = replay.finish().unwrap_err();
    assert!(matches!(error, FixtureError::LeftOver { .. } | FixtureError::Different { .. }), "{error}");
    assert_silent("a difference", &error.to_string());
    assert_debug_silent("a difference", &error);

    let replay = ReplayTransport::strict(json.parse().unwrap());
    let client = strike_blocking::Client::builder(endpoint("http://127.0.0.1/api/v1/"))
        .simulated(&replay)
        .build()
        .unwrap();
    let changed = NewCharge::satoshis(1, format!("coffee for {KEY}"));
    assert_error_silent("a difference", &client.create(changed).unwrap_err());
    let error = replay.finish().unwrap_err();
    assert!(error.to_string().contains("coffee for [redacted]"), "{error}");
    assert_silent("a difference", &error.to_string());
}
