//! Errors of every kind, through both adapters, contain no key, even if the server repeats the
//! whole request.

use std::time::Duration;

use data_encoding::BASE64;
use strike_core::{
    ApiKey, Charge, Endpoint, Error, ErrorKind, List, Network, NewCharge, RetryPolicy, TransportErrorKind,
    Wait,
};
use strike_tests::{ClosedPort, Loopback};

use crate::secrets::{
    self, KEY, assert_debug_has_no_secret, assert_error_has_no_secret, assert_no_secret, endpoint,
};

/// A charge that does not exist on any server. Tests use it to get its id and to wait for it.
const CHARGE: &str = r#"{"id":"ch_1","object":"charge","amount":4200,"currency":"btc","amount_satoshi":4200,
    "payment_hash":"abababababababababababababababababababababababababababababababab","payment_request":"invented",
    "description":"tea","paid":false,"created":1700000000000,"updated":1700000000000}"#;

fn charge() -> Charge {
    serde_json::from_str(CHARGE).unwrap()
}

fn policy() -> RetryPolicy {
    RetryPolicy::never().timeout(Duration::from_secs(2))
}

/// Runs create, get, list and wait with both adapters, and collects the errors.
fn all_errors(endpoint: &Endpoint, policy: RetryPolicy) -> Vec<Error> {
    let mut errors = Vec::new();
    let order = || NewCharge::satoshis(4200, "tea");
    let wait = || Wait::at_most(Duration::ZERO).max_failures(0);

    let client = strike_blocking::Client::builder(endpoint.clone()).retry(policy).build().unwrap();
    errors.extend(client.create(order()).err());
    errors.extend(client.get(charge().id()).err());
    errors.extend(client.send(List::page(0)).err());
    errors.extend(client.wait_until_paid(&charge(), wait()).err());

    let client = strike_async::Client::builder(endpoint.clone()).retry(policy).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        errors.extend(client.create(order()).await.err());
        errors.extend(client.get(charge().id()).await.err());
        errors.extend(client.send(List::page(0)).await.err());
        errors.extend(client.wait_until_paid(&charge(), wait()).await.err());
    });
    errors
}

/// Starts a server with these responses, and checks the errors. `expected` is the error kind of the
/// reads.
fn provoke<B: Into<Vec<u8>>>(what: &str, respond: impl Fn(&str) -> B + Send + 'static, expected: &str) {
    let server = Loopback::serve(move |_, request| {
        let request = String::from_utf8(request.to_vec()).unwrap();
        assert!(request.contains(&credentials()), "the key should be in the request");
        Some(respond(&request).into())
    })
    .unwrap();
    check_errors(what, &all_errors(&endpoint(&server.base_url()), policy()), expected);
}

fn check_errors(what: &str, errors: &[Error], expected: &str) {
    assert_eq!(errors.len(), 8, "{what}: each of create, get, list and wait should fail twice: {errors:#?}");
    for error in errors {
        assert_error_has_no_secret(what, error);
        let kind = format!("{:?}", error.kind());
        assert!(kind.starts_with(expected) || kind == "OutcomeUnknown", "{what}: {error:?}");
    }
}

fn credentials() -> String {
    BASE64.encode(format!("{KEY}:").as_bytes())
}

fn respond(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nx-your-key: {KEY}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn errors_have_no_key_if_the_response_repeats_it() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "429 Slow", "500 Oh"]
    {
        let number = &status[..3];
        let expected = match number {
            "400" => "BadRequest",
            "401" => "Unauthorized",
            "403" => "Rejected",
            "404" => "NotFound",
            "429" => "RateLimited",
            _ => "Server",
        };
        let json = format!(r#"{{"code":{number},"message":"no such key: {KEY} ({})"}}"#, credentials());
        provoke(status, move |_| respond(status, &json), expected);
        // Without the API's JSON error body, a 404 says nothing about a charge.
        let expected = if number == "404" { "PathNotFound" } else { expected };
        // An HTML page with the whole request, including its Authorization header.
        provoke(status, move |request| respond(status, &format!("<pre>{request}</pre>")), expected);
        // The key twice, and once across the end of the excerpt.
        provoke(status, move |_| respond(status, &format!("{}{KEY}{KEY}", "x".repeat(185))), expected);
    }
}

#[test]
fn errors_for_unusable_success_responses_have_no_key() {
    provoke("an echo with status 200", |request| respond("200 OK", request), "Undecodable");
    provoke("a string instead of an object", |_| respond("200 OK", &format!("\"{KEY}\"")), "Undecodable");
    let wrong_types = CHARGE.replace("4200", &format!("\"{KEY}\""));
    provoke("a key instead of an amount", move |_| respond("200 OK", &wrong_types), "Undecodable");
    let latin_1 = || {
        respond("200 OK", &format!("{KEY}?"))
            .into_bytes()
            .into_iter()
            .map(|b| if b == b'?' { 0xFF } else { b })
    };
    provoke("not UTF-8", move |_| latin_1().collect::<Vec<u8>>(), "Undecodable");
    provoke(
        "an error with status 200",
        |_| respond("200 OK", &format!(r#"{{"code":404,"message":"{KEY}"}}"#)),
        "NotFound",
    );
    provoke("a redirect", |_| respond(&format!("302 Found\r\nlocation: /{KEY}"), KEY), "Redirected");
    provoke("too large", |_| respond("200 OK", &KEY.repeat(100_000)), "TooLarge");
}

#[test]
fn errors_for_malformed_http_have_no_key() {
    provoke("garbage", |request| format!("{KEY} {request}\r\n\r\n"), "Connection");
    provoke("a malformed header", |_| format!("HTTP/1.1 200 OK\r\n{KEY} {KEY}\r\n\r\n"), "Connection");
    provoke(
        "a malformed content-length",
        |_| format!("HTTP/1.1 200 OK\r\ncontent-length: {KEY}\r\n\r\n"),
        "Connection",
    );
    provoke("no response", |_| String::new(), "Connection");
    provoke(
        "a truncated response",
        |_| format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{KEY}"),
        "Connection",
    );
}

#[test]
fn mismatch_errors_have_no_key() {
    let other = CHARGE.replace("\"tea\"", &format!("\"{KEY} {}\"", credentials())).replace("abab", "cdcd");
    let list = format!("[{}]", other.replace("4200", &format!("\"{KEY}\"")));
    let server = Loopback::serve(move |_, request| {
        let rows = request.starts_with(b"GET /api/v1/charges?");
        Some(respond("200 OK", if rows { &list } else { &other }).into_bytes())
    })
    .unwrap();
    let endpoint = endpoint(&server.base_url());
    let errors = all_errors(&endpoint, policy());
    // Create and wait fail. The get succeeds, since the id matches. The list returns its unreadable
    // rows.
    assert_eq!(errors.len(), 4);
    for error in &errors {
        assert!(matches!(error.kind(), ErrorKind::Mismatch(_)), "{error:?}");
        assert_error_has_no_secret("a mismatch", error);
    }
    let page = strike_blocking::Client::new(endpoint).unwrap().list(0).unwrap();
    assert_eq!(page.unreadable().count(), 1);
    assert_debug_has_no_secret("a bad row", &page);
}

#[test]
fn errors_without_a_response_have_no_key() {
    let closed = ClosedPort::take().unwrap();
    let refused = endpoint(&format!("http://127.0.0.1:{}/", closed.port()));
    check_errors(
        "a refused connection",
        &all_errors(&refused, policy()),
        "Connection { kind: ConnectionRefused",
    );
    let nowhere = endpoint("https://no-such-host.invalid/");
    check_errors("a host name that does not resolve", &all_errors(&nowhere, policy()), "Connection");

    let silent = Loopback::serve(|_, _| None).unwrap();
    let short_timeout = policy().timeout(Duration::from_millis(50));
    let errors = all_errors(&endpoint(&silent.base_url()), short_timeout);
    check_errors("a timeout", &errors, "Connection { kind: Timeout");

    let plain_http = Loopback::serve(|_, _| Some(Vec::new())).unwrap();
    let endpoint = endpoint(&plain_http.base_url().replace("http:", "https:"));
    check_errors(
        "a host without TLS",
        &all_errors(&endpoint, policy().timeout(Duration::from_millis(50))),
        "Connection",
    );
}

#[test]
fn errors_have_no_proxy_password() {
    let closed = ClosedPort::take().unwrap();
    let proxy = secrets::proxy_url(closed.port());
    let endpoint = endpoint("https://no-such-host.invalid/");
    let blocking = strike_blocking::UreqTransport::builder().proxy(&proxy).build().unwrap();
    let client = strike_blocking::Client::builder(endpoint.clone())
        .transport(blocking)
        .retry(policy())
        .build()
        .unwrap();
    let error = client.list(0).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }),
        "{error:?}"
    );
    assert_error_has_no_secret("an unreachable proxy", &error);

    let reqwest = strike_async::ReqwestTransport::builder().proxy(&proxy).build().unwrap();
    let client = strike_async::Client::builder(endpoint).transport(reqwest).retry(policy()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(client.list(0)).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }),
        "{error:?}"
    );
    assert_error_has_no_secret("an unreachable proxy", &error);
}

#[test]
fn errors_for_invalid_input_have_no_key() {
    for malformed in
        [format!("{KEY}\n"), format!(" {KEY}"), format!("{KEY}:"), format!("{KEY}é"), KEY.repeat(20)]
    {
        assert_error_has_no_secret("a malformed key", &ApiKey::new(malformed).unwrap_err().into());
    }
    let key = || ApiKey::new(KEY).unwrap();
    for url in [
        format!("https://{KEY}:@host.example/"),
        format!("https://host.example/?key={KEY}"),
        format!("ftp://{KEY}@host.example/"),
        format!("https://host.example/ {KEY}"),
        format!("http://host.example/{KEY}"),
    ] {
        assert_error_has_no_secret(
            "a URL with a key",
            &Endpoint::new(&url, key(), Network::Testnet).unwrap_err().into(),
        );
    }
    for proxy in [secrets::proxy_url(1).replace("http", "socks5"), format!("{}/path", secrets::proxy_url(1))]
    {
        let blocking = strike_blocking::UreqTransport::builder().proxy(&proxy).build();
        assert_error_has_no_secret("an unsupported proxy", &blocking.unwrap_err());
        let reqwest = strike_async::ReqwestTransport::builder().proxy(&proxy).build();
        assert_error_has_no_secret("an unsupported proxy", &reqwest.unwrap_err());
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", credentials());
    let error = strike_blocking::UreqTransport::builder().ca_certificate(&pem).build().unwrap_err();
    assert_error_has_no_secret("an invalid certificate", &error);
    let error = strike_async::ReqwestTransport::builder().ca_certificate(&pem).build().unwrap_err();
    assert_error_has_no_secret("an invalid certificate", &error);
    assert_no_secret("an id", &strike_core::ChargeId::new(format!("{KEY}/")).unwrap_err().to_string());
}
