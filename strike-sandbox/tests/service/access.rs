//! Authentication, paths and methods.

use data_encoding::BASE64;
use strike_core::http::{Method, StatusCode, Version};
use strike_sandbox::Sandbox;

use crate::support::{any_charge, error, get, request, request_without_key, sandbox, text};

fn status_with(sandbox: &Sandbox, authorization: &str) -> StatusCode {
    let mut request = request_without_key(Method::GET, "/api/v1/charges");
    request.headers_mut().insert("authorization", authorization.parse().expect("a header"));
    sandbox.respond(&request).status()
}

#[test]
fn api_key_is_the_user_name_and_the_password_is_ignored() {
    let sandbox = sandbox();
    let basic = |credentials: &str| format!("Basic {}", BASE64.encode(credentials.as_bytes()));
    for credentials in ["sk_demo:", "sk_demo:sk_demo", "sk_demo:a:b", "sk_demo"] {
        assert_eq!(status_with(&sandbox, &basic(credentials)), 200, "{credentials}");
    }
    for credentials in ["", ":", ":sk_demo", "sk_dem:", "sk_demo2:", "SK_DEMO:", "sk_dema:"] {
        assert_eq!(status_with(&sandbox, &basic(credentials)), 401, "{credentials}");
    }
    assert_eq!(status_with(&sandbox, "basic c2tfZGVtbzo="), 200);
    // Some small clients omit the base64 padding.
    assert_eq!(status_with(&sandbox, "Basic c2tfZGVtbzo"), 200);
    for spaced in ["Basic  c2tfZGVtbzo=", " Basic c2tfZGVtbzo= ", "Basic\tc2tfZGVtbzo="] {
        assert_eq!(status_with(&sandbox, spaced), 200, "{spaced:?}");
    }
    for other in ["Bearer c2tfZGVtbzo=", "c2tfZGVtbzo=", "Basic", "Basic sk_demo:", "Basic %%%"] {
        assert_eq!(status_with(&sandbox, other), 401, "{other}");
    }
}

#[test]
fn unauthorized_request_is_counted_and_gets_no_challenge() {
    let sandbox = sandbox();
    let response = sandbox.respond(&request_without_key(Method::POST, "/api/v1/charges"));
    assert_eq!(error(&response), (401, "authentication failed".to_owned()));
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 0));
}

#[test]
fn default_api_key_is_random_and_has_the_service_format() {
    let sandbox = Sandbox::new();
    let key = sandbox.api_key();
    assert!(key.starts_with("sk_") && key.len() == 32, "{key}");
    let credentials = BASE64.encode(format!("{key}:").as_bytes());
    assert_eq!(status_with(&sandbox, &format!("Basic {credentials}")), 200);
    assert_ne!(key, Sandbox::new().api_key());
}

#[test]
fn extra_slashes_and_percent_encoding_in_paths_are_ignored() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    let list = text(&get(&sandbox, "charges")).to_owned();
    assert_eq!(text(&get(&sandbox, "/charges")), list);
    assert_eq!(text(&get(&sandbox, "charges//")), list);
    assert_eq!(format!("[ {} ]", text(&get(&sandbox, &format!("/charges//{id}/")))), list);
    // Percent-encoded characters are decoded.
    let encoded: String = id.as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(format!("[ {} ]", text(&get(&sandbox, &format!("%63harges/{encoded}")))), list);
    let mut doubled = request(Method::GET, "charges", "text/plain", b"");
    *doubled.uri_mut() = "http://127.0.0.1//api/v1/charges".parse().expect("a valid URL");
    assert_eq!(text(&sandbox.respond(&doubled)), list);
}

#[test]
fn unknown_api_paths_give_404_with_a_key_and_401_without() {
    let sandbox = sandbox();
    for tail in [
        "",
        "charge",
        "charges/ch_x/pay",
        "Charges",
        "charges/%63h_x",
        "charges/%ff",
        "charges%2Fch_x",
        "charges/%",
    ] {
        assert_eq!(error(&get(&sandbox, tail)), (404, "not found".to_owned()), "{tail}");
        assert_eq!(
            sandbox.respond(&request_without_key(Method::GET, &format!("/api/v1/{tail}"))).status(),
            401,
            "{tail}"
        );
    }
    for path in ["/sandbox/page", "/api", "/api/v2/charges", "/sandbox", "/sandbox/charge"] {
        assert_eq!(error(&sandbox.respond(&request_without_key(Method::GET, path))).0, 404, "{path}");
    }
}

#[test]
fn unsupported_methods_get_405_with_allow() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    for (method, path, allow) in [
        (Method::PUT, "charges".to_owned(), "GET, HEAD, POST, OPTIONS"),
        (Method::DELETE, format!("charges/{id}"), "GET, HEAD, OPTIONS"),
        (Method::POST, format!("charges/{id}"), "GET, HEAD, OPTIONS"),
    ] {
        let response = sandbox.respond(&request(method, &path, "text/plain", b""));
        assert_eq!(error(&response).0, 405, "{path}");
        assert_eq!(response.headers()["allow"], allow);
    }
}

#[test]
fn preflight_requests_need_no_credentials() {
    let sandbox = sandbox();
    for path in ["/api/v1/charges", "/api/v1/charges/ch_x", "//api/v1/charges/"] {
        let response = sandbox.respond(&request_without_key(Method::OPTIONS, path));
        assert_eq!((response.status().as_u16(), text(&response)), (200, ""), "{path}");
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, OPTIONS");
        assert_eq!(headers.get_all("access-control-allow-headers").iter().count(), 2);
    }
}

#[test]
fn head_returns_the_get_headers_without_a_body() {
    let sandbox = sandbox();
    any_charge(&sandbox);
    let body = get(&sandbox, "charges").into_body();
    let response = sandbox.respond(&request(Method::HEAD, "charges", "text/plain", b""));
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 0));
    assert_eq!(response.headers()["content-length"], body.len().to_string());
}

#[test]
fn connection_header_follows_the_request() {
    let sandbox = sandbox();
    let connection = |version, header: &'static str| {
        let mut request = request(Method::GET, "charges", "text/plain", b"");
        *request.version_mut() = version;
        request.headers_mut().insert("connection", header.parse().expect("a header"));
        sandbox.respond(&request).headers()["connection"].clone()
    };
    assert_eq!(connection(Version::HTTP_11, "te"), "keep-alive");
    assert_eq!(connection(Version::HTTP_11, "te, Close"), "close");
    assert_eq!(connection(Version::HTTP_10, "te"), "close");
    assert_eq!(connection(Version::HTTP_10, "Keep-Alive"), "keep-alive");
}
