//! Who is let in, by which paths and methods.

use data_encoding::BASE64;
use strike_core::http::{Method, StatusCode, Version};
use strike_sandbox::Sandbox;

use crate::ask::{any_charge, bare, error, get, request, sandbox, text};

fn status_with(sandbox: &Sandbox, authorization: &str) -> StatusCode {
    let mut request = bare(Method::GET, "/api/v1/charges");
    request.headers_mut().insert("authorization", authorization.parse().expect("a header"));
    sandbox.respond(&request).status()
}

#[test]
fn the_key_is_the_user_and_the_password_does_not_matter() {
    let sandbox = sandbox();
    let basic = |credentials: &str| format!("Basic {}", BASE64.encode(credentials.as_bytes()));
    for credentials in ["sk_demo:", "sk_demo:sk_demo", "sk_demo:a:b", "sk_demo"] {
        assert_eq!(status_with(&sandbox, &basic(credentials)), 200, "{credentials}");
    }
    for credentials in ["", ":", ":sk_demo", "sk_dem:", "sk_demo2:", "SK_DEMO:", "sk_dema:"] {
        assert_eq!(status_with(&sandbox, &basic(credentials)), 401, "{credentials}");
    }
    assert_eq!(status_with(&sandbox, "basic c2tfZGVtbzo="), 200);
    // Without padding, as some small clients encode.
    assert_eq!(status_with(&sandbox, "Basic c2tfZGVtbzo"), 200);
    for spaced in ["Basic  c2tfZGVtbzo=", " Basic c2tfZGVtbzo= ", "Basic\tc2tfZGVtbzo="] {
        assert_eq!(status_with(&sandbox, spaced), 200, "{spaced:?}");
    }
    for other in ["Bearer c2tfZGVtbzo=", "c2tfZGVtbzo=", "Basic", "Basic sk_demo:", "Basic %%%"] {
        assert_eq!(status_with(&sandbox, other), 401, "{other}");
    }
}

#[test]
fn a_refusal_does_not_challenge_and_counts_as_a_request() {
    let sandbox = sandbox();
    let response = sandbox.respond(&bare(Method::POST, "/api/v1/charges"));
    assert_eq!(error(&response), (401, "authentication failed".to_owned()));
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!((sandbox.requests(), sandbox.charges()), (1, 0));
}

#[test]
fn a_key_that_is_not_chosen_is_drawn_in_the_service_s_form() {
    let sandbox = Sandbox::new();
    let key = sandbox.api_key();
    assert!(key.starts_with("sk_") && key.len() == 32, "{key}");
    let credentials = BASE64.encode(format!("{key}:").as_bytes());
    assert_eq!(status_with(&sandbox, &format!("Basic {credentials}")), 200);
    assert_ne!(key, Sandbox::new().api_key());
}

#[test]
fn doubled_and_trailing_slashes_do_not_matter_nor_how_a_path_is_written() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    let list = text(&get(&sandbox, "charges")).to_owned();
    assert_eq!(text(&get(&sandbox, "/charges")), list);
    assert_eq!(text(&get(&sandbox, "charges//")), list);
    assert_eq!(format!("[ {} ]", text(&get(&sandbox, &format!("/charges//{id}/")))), list);
    // Nor does it matter how a character is written.
    let encoded: String = id.as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(format!("[ {} ]", text(&get(&sandbox, &format!("%63harges/{encoded}")))), list);
    let mut doubled = request(Method::GET, "charges", "text/plain", b"");
    *doubled.uri_mut() = "http://127.0.0.1//api/v1/charges".parse().expect("a URL");
    assert_eq!(text(&sandbox.respond(&doubled)), list);
}

#[test]
fn unknown_paths_are_not_found_and_strangers_do_not_learn_which() {
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
        assert_eq!(sandbox.respond(&bare(Method::GET, &format!("/api/v1/{tail}"))).status(), 401, "{tail}");
    }
    for path in ["/sandbox/page", "/api", "/api/v2/charges", "/sandbox", "/sandbox/charge"] {
        assert_eq!(error(&sandbox.respond(&bare(Method::GET, path))).0, 404, "{path}");
    }
}

#[test]
fn other_methods_are_told_which_there_are() {
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
fn a_browser_s_preflight_needs_no_credentials() {
    let sandbox = sandbox();
    for path in ["/api/v1/charges", "/api/v1/charges/ch_x", "//api/v1/charges/"] {
        let response = sandbox.respond(&bare(Method::OPTIONS, path));
        assert_eq!((response.status().as_u16(), text(&response)), (200, ""), "{path}");
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, OPTIONS");
        assert_eq!(headers.get_all("access-control-allow-headers").iter().count(), 2);
    }
}

#[test]
fn a_head_is_a_get_without_its_body() {
    let sandbox = sandbox();
    any_charge(&sandbox);
    let body = get(&sandbox, "charges").into_body();
    let response = sandbox.respond(&request(Method::HEAD, "charges", "text/plain", b""));
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 0));
    assert_eq!(response.headers()["content-length"], body.len().to_string());
}

#[test]
fn the_connection_is_kept_unless_the_caller_will_not() {
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
