//! Tests of the error bodies of both backends.

use strike_core::{Advice, Error, ErrorKind};

use crate::{created, get, lnbits, phoenixd};

fn kinds(error: &Error) -> (ErrorKind, Advice, Option<u16>) {
    (error.kind().clone(), error.advice(), error.status())
}

#[test]
fn text_errors_of_phoenixd_are_read() {
    for (status, body, kind, advice) in [
        (404, "Not found", ErrorKind::NotFound, Advice::CheckId),
        (404, "Not found\n", ErrorKind::NotFound, Advice::CheckId),
        (404, "Unknown endpoint (check api doc)", ErrorKind::PathNotFound, Advice::CheckHost),
        (404, "<html><body>404 Not Found</body></html>", ErrorKind::PathNotFound, Advice::CheckHost),
        (404, "", ErrorKind::PathNotFound, Advice::CheckHost),
        (
            401,
            "Invalid authentication (use basic auth with the http password set in phoenix.conf)",
            ErrorKind::Unauthorized,
            Advice::CheckKey,
        ),
        (400, "Request parameter externalId is missing", ErrorKind::BadRequest, Advice::FixInput),
        (400, "<html><body>400 Bad Request</body></html>", ErrorKind::BadRequest, Advice::CheckHost),
        (405, "Invalid http method (use the correct GET/POST)", ErrorKind::Rejected, Advice::CheckHost),
        (415, "", ErrorKind::Rejected, Advice::CheckHost),
        (500, "Failed requirement.", ErrorKind::Server, Advice::RetryLater),
        (302, "", ErrorKind::Redirected, Advice::CheckHost),
    ] {
        let error = get(&phoenixd(), status, body).unwrap_err();
        assert_eq!(kinds(&error), (kind, advice, Some(status)), "{status} {body}");
        if !body.is_empty() {
            assert!(error.server_message().unwrap().contains(&body.trim()[..8]), "{error}");
        }
    }
}

#[test]
fn json_errors_of_lnbits_are_read() {
    for (status, body, kind, advice) in [
        (404, r#"{"detail":"Payment does not exist."}"#, ErrorKind::NotFound, Advice::CheckId),
        (404, r#"{"detail":"Wallet not found."}"#, ErrorKind::Unauthorized, Advice::CheckKey),
        (404, r#"{"detail":"Not Found"}"#, ErrorKind::PathNotFound, Advice::CheckHost),
        (404, "<html>404</html>", ErrorKind::PathNotFound, Advice::CheckHost),
        (401, r#"{"detail":"No Api Key provided."}"#, ErrorKind::Unauthorized, Advice::CheckKey),
        (403, r#"{"detail":"Invoice (or Admin) key required."}"#, ErrorKind::Unauthorized, Advice::CheckKey),
        (
            400,
            r#"{"detail":[{"loc":["body","external_id"],"msg":"Invalid external id."}]}"#,
            ErrorKind::BadRequest,
            Advice::FixInput,
        ),
        (400, r#"{"detail":"32 is too large"}"#, ErrorKind::BadRequest, Advice::FixInput),
        (
            520,
            r#"{"detail":"Amountless invoices not supported.","status":"failed"}"#,
            ErrorKind::BadRequest,
            Advice::FixInput,
        ),
        (520, r#"{"detail":"Node is down.","status":"pending"}"#, ErrorKind::Server, Advice::RetryLater),
        (520, r#"{"detail":"Node is down."}"#, ErrorKind::Server, Advice::RetryLater),
        (520, "web server is returning an unknown error", ErrorKind::Server, Advice::RetryLater),
        (500, r#"{"detail":"Unexpected error! ID: HwRXri"}"#, ErrorKind::Server, Advice::RetryLater),
        (
            429,
            r#"{"error":"Rate limit exceeded: 200 per 1 minute"}"#,
            ErrorKind::RateLimited { retry_after: None },
            Advice::RetryLater,
        ),
        (307, "", ErrorKind::Redirected, Advice::CheckHost),
    ] {
        let error = get(&lnbits(), status, body).unwrap_err();
        assert_eq!(kinds(&error), (kind, advice, Some(status)), "{status} {body}");
    }
    let error = get(&lnbits(), 404, r#"{"detail":"Wallet not found."}"#).unwrap_err();
    assert_eq!(error.server_message(), Some("Wallet not found."));
    let error = get(&lnbits(), 307, "").unwrap_err();
    assert!(error.to_string().contains("until it is installed"), "{error}");
    // A create names no charge.
    let error = created(&lnbits(), 404, r#"{"detail":"Payment does not exist."}"#).unwrap_err();
    assert_eq!(error.advice(), Advice::CheckHost);
}

#[test]
fn a_get_of_lnbits_without_details_means_a_wrong_key() {
    for body in [
        r#"{"paid":true,"preimage":"9c9c"}"#,
        r#"{"paid":false,"preimage":null}"#,
        r#"{"paid":false,"status":"failed"}"#,
        r#"{"paid":true,"details":null}"#,
    ] {
        let error = get(&lnbits(), 200, body).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::Unauthorized, Advice::CheckKey), "{body}");
        assert!(error.server_message().unwrap().contains("no details"), "{error}");
    }
    for body in ["{}", "[]", "null", "", r#"{"details":7}"#, r#"{"details":[]}"#, "<html>"] {
        assert_eq!(*get(&lnbits(), 200, body).unwrap_err().kind(), ErrorKind::Undecodable, "{body}");
        assert_eq!(*get(&phoenixd(), 200, body).unwrap_err().kind(), ErrorKind::Undecodable, "{body}");
    }
}
