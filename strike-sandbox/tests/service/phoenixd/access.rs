//! Passwords, unknown paths and wrong methods.

use strike_core::http::Method;
use strike_sandbox::{Phoenixd, Sandbox};

use super::{get, post, request_as, sandbox, text_error};
use crate::support::{builder, request_without_key};

const UNAUTHORIZED: &str =
    "Invalid authentication (use basic auth with the http password set in phoenix.conf)";
const UNKNOWN: &str = "Unknown endpoint (check api doc)";
const FULL_ONLY: [&str; 8] = [
    "/payinvoice",
    "/payoffer",
    "/paylnaddress",
    "/lnurlpay",
    "/lnurlauth",
    "/sendtoaddress",
    "/bumpfee",
    "/closechannel",
];

#[test]
fn phoenixd_accepts_both_passwords_with_any_user_name() {
    let sandbox = sandbox();
    for credentials in [":limited", ":full", "phoenix-cli:limited", "x:full"] {
        let response = sandbox.respond(&request_as(credentials, Method::GET, "/getinfo", ""));
        assert_eq!(response.status(), 200, "{credentials}");
    }
    for credentials in ["limited:", "limited", ":", "", ":Limited", ":limited:", ":sk_demo", "sk_demo:"] {
        let response = sandbox.respond(&request_as(credentials, Method::GET, "/getinfo", ""));
        assert_eq!(text_error(&response), (401, UNAUTHORIZED), "{credentials}");
    }
    let response = sandbox.respond(&request_without_key(Method::GET, "/getinfo"));
    assert_eq!(text_error(&response), (401, UNAUTHORIZED));
}

#[test]
fn limited_password_is_rejected_where_money_could_leave() {
    let sandbox = sandbox();
    for path in FULL_ONLY {
        assert_eq!(text_error(&post(&sandbox, path, "")), (401, UNAUTHORIZED), "{path}");
    }
}

#[test]
fn full_password_without_parameters_gets_400_where_money_could_leave() {
    let sandbox = sandbox();
    // phoenixd responds 200 with the text of the error to this one.
    for path in FULL_ONLY.into_iter().filter(|path| *path != "/sendtoaddress") {
        let response = sandbox.respond(&request_as(":full", Method::POST, path, ""));
        assert_eq!(text_error(&response).0, 400, "{path}");
    }
}

#[test]
fn unknown_phoenixd_path_is_404_and_wrong_method_is_405() {
    let sandbox = sandbox();
    for path in ["/createinvoices", "/getinfo/", "/payments", "/payments/incoming/a/b", "/v1/charges"] {
        assert_eq!(text_error(&get(&sandbox, path)), (404, UNKNOWN), "{path}");
    }
    let wrong = "Invalid http method (use the correct GET/POST)";
    assert_eq!(text_error(&get(&sandbox, "/createinvoice")), (405, wrong));
    assert_eq!(text_error(&post(&sandbox, "/payments/incoming", "")), (405, wrong));
    // Neither needs a password.
    let response = sandbox.respond(&request_without_key(Method::DELETE, "/nowhere"));
    assert_eq!(text_error(&response), (404, UNKNOWN));
    assert_eq!(get(&sandbox, "//getinfo").status(), 200);
}

#[test]
fn phoenixd_responses_have_no_date() {
    let sandbox = sandbox();
    for response in [get(&sandbox, "/getinfo"), get(&sandbox, "/nowhere")] {
        let mut names: Vec<_> = response.headers().keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "content-type"]);
    }
}

#[test]
fn default_passwords_follow_the_seed_and_differ_from_each_other() {
    let secrets = |sandbox: &Sandbox| {
        let (limited, full) = (sandbox.phoenixd_password(), sandbox.phoenixd_full_password());
        [limited, full, sandbox.phoenixd_webhook_secret()]
    };
    let first = secrets(&builder().build());
    assert_eq!(first, secrets(&builder().build()));
    let random = secrets(&Sandbox::new());
    for (at, secret) in first.iter().enumerate() {
        assert_eq!(secret.len(), 64);
        assert!(secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{secret}");
        assert!(!first[..at].contains(secret) && !random.contains(secret));
    }
}

#[test]
fn phoenixd_settings_do_not_show_secrets_in_debug() {
    let settings = Phoenixd::new().full_password("p1").limited_password("p2").webhook_secret("p3");
    let debug = format!("{settings:?}");
    assert!(!debug.contains("p1") && !debug.contains("p2") && !debug.contains("p3"), "{debug}");
}
