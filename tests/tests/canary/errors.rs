//! Every kind of error, through both adapters, from servers that repeat whatever they were sent.

use std::time::Duration;

use data_encoding::BASE64;
use strike_core::{
    ApiKey, Charge, Endpoint, Error, ErrorKind, List, Network, NewCharge, RetryPolicy, TransportErrorKind,
    Wait,
};
use strike_tests::{ClosedPort, Loopback};

use crate::secrets::{self, KEY, assert_debug_silent, assert_error_silent, assert_silent, endpoint};

/// A charge that was never made, so that it can be asked for.
const CHARGE: &str = r#"{"id":"ch_1","object":"charge","amount":4200,"currency":"btc","amount_satoshi":4200,
    "payment_hash":"abababababababababababababababababababababababababababababababab","payment_request":"invented",
    "description":"tea","paid":false,"created":1700000000000,"updated":1700000000000}"#;

fn charge() -> Charge {
    serde_json::from_str(CHARGE).unwrap()
}

fn policy() -> RetryPolicy {
    RetryPolicy::never().timeout(Duration::from_secs(2))
}

/// Create, get, list and wait, through both adapters.
fn all_errors(at: &Endpoint, policy: RetryPolicy) -> Vec<Error> {
    let mut errors = Vec::new();
    let order = || NewCharge::satoshis(4200, "tea");
    let wait = || Wait::at_most(Duration::ZERO).max_failures(0);

    let client = strike_blocking::Client::builder(at.clone()).retry(policy).build().unwrap();
    errors.extend(client.create(order()).err());
    errors.extend(client.get(charge().id()).err());
    errors.extend(client.send(List::page(0)).err());
    errors.extend(client.wait_until_paid(&charge(), wait()).err());

    let client = strike_async::Client::builder(at.clone()).retry(policy).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        errors.extend(client.create(order()).await.err());
        errors.extend(client.get(charge().id()).await.err());
        errors.extend(client.send(List::page(0)).await.err());
        errors.extend(client.wait_until_paid(&charge(), wait()).await.err());
    });
    errors
}

/// Has a server answer like that, and looks at the errors. `expected` is the kind's name, for operations that read.
fn provoke<B: Into<Vec<u8>>>(what: &str, answer: impl Fn(&str) -> B + Send + 'static, expected: &str) {
    let server = Loopback::serve(move |_, request| {
        let request = String::from_utf8(request.to_vec()).unwrap();
        assert!(request.contains(&credentials()), "the key should be in the request");
        Some(answer(&request).into())
    })
    .unwrap();
    check(what, &all_errors(&endpoint(&server.base_url()), policy()), expected);
}

fn check(what: &str, errors: &[Error], expected: &str) {
    assert_eq!(errors.len(), 8, "{what}: each of create, get, list and wait should fail twice: {errors:#?}");
    for error in errors {
        assert_error_silent(what, error);
        let kind = format!("{:?}", error.kind());
        assert!(kind.starts_with(expected) || kind == "OutcomeUnknown", "{what}: {error:?}");
    }
}

fn credentials() -> String {
    BASE64.encode(format!("{KEY}:").as_bytes())
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nx-your-key: {KEY}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn answers_that_repeat_the_key() {
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
        provoke(status, move |_| answer(status, &json), expected);
        // Without the API's own words a 404 says nothing about a charge.
        let expected = if number == "404" { "PathNotFound" } else { expected };
        // The whole request, its Authorization header included, on an HTML page.
        provoke(status, move |request| answer(status, &format!("<pre>{request}</pre>")), expected);
        // Twice, and where the excerpt is cut off.
        provoke(status, move |_| answer(status, &format!("{}{KEY}{KEY}", "x".repeat(185))), expected);
    }
}

#[test]
fn good_answers_that_make_no_sense() {
    provoke("an echo as a success", |request| answer("200 OK", request), "Undecodable");
    provoke("a string for an object", |_| answer("200 OK", &format!("\"{KEY}\"")), "Undecodable");
    let wrong_types = CHARGE.replace("4200", &format!("\"{KEY}\""));
    provoke("a key for an amount", move |_| answer("200 OK", &wrong_types), "Undecodable");
    let latin_1 = || {
        answer("200 OK", &format!("{KEY}?"))
            .into_bytes()
            .into_iter()
            .map(|b| if b == b'?' { 0xFF } else { b })
    };
    provoke("not UTF-8", move |_| latin_1().collect::<Vec<u8>>(), "Undecodable");
    provoke(
        "an error in disguise",
        |_| answer("200 OK", &format!(r#"{{"code":404,"message":"{KEY}"}}"#)),
        "NotFound",
    );
    provoke("a redirect", |_| answer(&format!("302 Found\r\nlocation: /{KEY}"), KEY), "Redirected");
    provoke("too large", |_| answer("200 OK", &KEY.repeat(100_000)), "TooLarge");
}

#[test]
fn answers_that_are_not_http() {
    provoke("garbage", |request| format!("{KEY} {request}\r\n\r\n"), "Connection");
    provoke("a header that is none", |_| format!("HTTP/1.1 200 OK\r\n{KEY} {KEY}\r\n\r\n"), "Connection");
    provoke(
        "a length that is none",
        |_| format!("HTTP/1.1 200 OK\r\ncontent-length: {KEY}\r\n\r\n"),
        "Connection",
    );
    provoke("no answer", |_| String::new(), "Connection");
    provoke(
        "half an answer",
        |_| format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{KEY}"),
        "Connection",
    );
}

#[test]
fn a_mismatch() {
    let other = CHARGE.replace("\"tea\"", &format!("\"{KEY} {}\"", credentials())).replace("abab", "cdcd");
    let list = format!("[{}]", other.replace("4200", &format!("\"{KEY}\"")));
    let server = Loopback::serve(move |_, request| {
        let rows = request.starts_with(b"GET /api/v1/charges?");
        Some(answer("200 OK", if rows { &list } else { &other }).into_bytes())
    })
    .unwrap();
    let at = endpoint(&server.base_url());
    let errors = all_errors(&at, policy());
    // Create and wait; a get asks for an id, and gets it; a list hands its bad rows over.
    assert_eq!(errors.len(), 4);
    for error in &errors {
        assert!(matches!(error.kind(), ErrorKind::Mismatch(_)), "{error:?}");
        assert_error_silent("a mismatch", error);
    }
    let page = strike_blocking::Client::new(at).unwrap().list(0).unwrap();
    assert_eq!(page.unreadable().count(), 1);
    assert_debug_silent("a bad row", &page);
}

#[test]
fn no_answer_at_all() {
    let closed = ClosedPort::take().unwrap();
    let refused = endpoint(&format!("http://127.0.0.1:{}/", closed.port()));
    check("a refused connection", &all_errors(&refused, policy()), "Connection { kind: ConnectionRefused");
    let nowhere = endpoint("https://no-such-host.invalid/");
    check("a name that nobody has", &all_errors(&nowhere, policy()), "Connection");

    let silent = Loopback::serve(|_, _| None).unwrap();
    let hasty = policy().timeout(Duration::from_millis(50));
    let errors = all_errors(&endpoint(&silent.base_url()), hasty);
    check("time that runs out", &errors, "Connection { kind: Timeout");

    let no_tls = Loopback::serve(|_, _| Some(Vec::new())).unwrap();
    let at = endpoint(&no_tls.base_url().replace("http:", "https:"));
    check("a host without TLS", &all_errors(&at, policy().timeout(Duration::from_millis(50))), "Connection");
}

#[test]
fn a_proxy_with_credentials() {
    let closed = ClosedPort::take().unwrap();
    let proxy = secrets::proxy_url(closed.port());
    let at = endpoint("https://no-such-host.invalid/");
    let blocking = strike_blocking::UreqTransport::builder().proxy(&proxy).build().unwrap();
    let client =
        strike_blocking::Client::builder(at.clone()).transport(blocking).retry(policy()).build().unwrap();
    let error = client.list(0).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }),
        "{error:?}"
    );
    assert_error_silent("a proxy that is away", &error);

    let reqwest = strike_async::ReqwestTransport::builder().proxy(&proxy).build().unwrap();
    let client = strike_async::Client::builder(at).transport(reqwest).retry(policy()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(client.list(0)).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }),
        "{error:?}"
    );
    assert_error_silent("a proxy that is away", &error);
}

#[test]
fn input_that_is_wrong() {
    for slip in [format!("{KEY}\n"), format!(" {KEY}"), format!("{KEY}:"), format!("{KEY}é"), KEY.repeat(20)]
    {
        assert_error_silent("a key with a slip", &ApiKey::new(slip).unwrap_err().into());
    }
    let key = || ApiKey::new(KEY).unwrap();
    for url in [
        format!("https://{KEY}:@host.example/"),
        format!("https://host.example/?key={KEY}"),
        format!("ftp://{KEY}@host.example/"),
        format!("https://host.example/ {KEY}"),
        format!("http://host.example/{KEY}"),
    ] {
        assert_error_silent(
            "a URL with a key",
            &Endpoint::new(&url, key(), Network::Testnet).unwrap_err().into(),
        );
    }
    for proxy in [secrets::proxy_url(1).replace("http", "socks5"), format!("{}/path", secrets::proxy_url(1))]
    {
        let blocking = strike_blocking::UreqTransport::builder().proxy(&proxy).build();
        assert_error_silent("a proxy of another kind", &blocking.unwrap_err());
        let reqwest = strike_async::ReqwestTransport::builder().proxy(&proxy).build();
        assert_error_silent("a proxy of another kind", &reqwest.unwrap_err());
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", credentials());
    let error = strike_blocking::UreqTransport::builder().ca_certificate(&pem).build().unwrap_err();
    assert_error_silent("a certificate that is none", &error);
    let error = strike_async::ReqwestTransport::builder().ca_certificate(&pem).build().unwrap_err();
    assert_error_silent("a certificate that is none", &error);
    assert_silent("an id", &strike_core::ChargeId::new(format!("{KEY}/")).unwrap_err().to_string());
}
