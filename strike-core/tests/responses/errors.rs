//! Tests of error responses: status, `code`, advice and `Retry-After`.

use std::time::Duration;

use serde_json::json;
use strike_core::machine::Operation;
use strike_core::{Advice, Create, ErrorKind, List, NewCharge, RetryAfter, UnixMillis};

use super::{get, list, response};
use crate::support::{charge_json, endpoint, start};

#[test]
fn each_status_has_its_error_kind_and_advice() {
    for (status, kind, pystrike, advice) in [
        (301, ErrorKind::Redirected, "UnexpectedResponseException", Advice::CheckHost),
        (304, ErrorKind::Redirected, "UnexpectedResponseException", Advice::CheckHost),
        (400, ErrorKind::BadRequest, "ClientRequestException", Advice::CheckHost),
        (401, ErrorKind::Unauthorized, "ClientRequestException", Advice::CheckKey),
        (403, ErrorKind::Rejected, "ClientRequestException", Advice::CheckHost),
        (404, ErrorKind::PathNotFound, "UnexpectedResponseException", Advice::CheckHost),
        (418, ErrorKind::Rejected, "ClientRequestException", Advice::CheckHost),
        (429, ErrorKind::RateLimited { retry_after: None }, "ClientRequestException", Advice::RetryLater),
        (500, ErrorKind::Server, "ServerErrorException", Advice::RetryLater),
        (599, ErrorKind::Server, "ServerErrorException", Advice::RetryLater),
        (101, ErrorKind::Undecodable, "UnexpectedResponseException", Advice::CheckHost),
        (700, ErrorKind::Undecodable, "UnexpectedResponseException", Advice::CheckHost),
    ] {
        // A charge in the body of an error response is ignored.
        let error = get(&response(status, charge_json(&[]).to_string())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&kind, Some(status)));
        assert_eq!((error.kind().pystrike_name(), error.advice()), (Some(pystrike), advice));
        assert!(error.api().is_none() && error.excerpt().unwrap().starts_with('{'));
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
}

#[test]
fn object_with_an_error_code_is_an_error_with_any_status() {
    for (http, code, kind) in
        [(200, 404, ErrorKind::NotFound), (200, 401, ErrorKind::Unauthorized), (201, 500, ErrorKind::Server)]
    {
        let body = json!({"code": code, "message": "no\nno"}).to_string();
        let error = get(&response(http, body.clone())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&kind, Some(code)));
        assert_eq!((error.api().unwrap().code(), error.api().unwrap().message()), (i64::from(code), "no no"));
        assert_eq!(list(&body).unwrap_err().kind(), &kind);
    }
    // An HTTP error status takes precedence over the `code`.
    let error = get(&response(404, json!({"code": 500, "message": "x"}).to_string())).unwrap_err();
    assert_eq!((error.kind(), error.status()), (&ErrorKind::PathNotFound, Some(404)));
}

#[test]
fn only_a_404_with_an_api_error_body_is_not_found() {
    let unknown = response(404, r#"{"code":404,"message":"not found"}"#);
    let error = get(&unknown).unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::NotFound, Advice::CheckId));
    assert_eq!(error.kind().pystrike_name(), Some("ChargeNotFoundException"));
    // A create or a list has no charge id, so the advice is to check the host.
    let create = Create::new(NewCharge::satoshis(4200, "tea"));
    for error in [
        create.parse(&endpoint(), &unknown, start()).unwrap_err(),
        List::page(0).parse(&endpoint(), &unknown, start()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::NotFound, Advice::CheckHost), "{error}");
    }
    for body in
        ["", "<html>nginx</html>", r#"{"message":"not found"}"#, r#"{"code":"404"}"#, r#"{"code":40}"#]
    {
        let error = get(&response(404, body)).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (&ErrorKind::PathNotFound, Advice::CheckHost), "{body}");
    }
}

#[test]
fn code_outside_the_error_range_is_undecodable() {
    for code in [0, 200, 299, 600, 66_036] {
        let error = get(&response(200, json!({"code": code, "message": "x"}).to_string())).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&ErrorKind::Undecodable, Some(200)), "{code}");
    }
}

#[test]
fn error_text_begins_with_the_operation() {
    let response = response(500, "");
    let create =
        Create::new(NewCharge::satoshis(4200, "tea")).parse(&endpoint(), &response, start()).unwrap_err();
    let list = List::page(3).parse(&endpoint(), &response, start()).unwrap_err();
    for (error, operation) in [
        (create, "create charge of 4200"),
        (list, "list charges, page 3: "),
        (get(&response).unwrap_err(), "get charge ch_1: "),
    ] {
        assert!(error.to_string().starts_with(operation), "{error}");
    }
}

#[test]
fn retry_after_is_parsed_in_all_its_formats() {
    let date = UnixMillis::from_millis(1_542_221_803_000);
    for (header, expected) in [
        ("7", Some(RetryAfter::In(Duration::from_secs(7)))),
        (" 0 ", Some(RetryAfter::In(Duration::ZERO))),
        ("18446744073709551615", Some(RetryAfter::In(Duration::from_secs(u64::MAX)))),
        ("18446744073709551616", Some(RetryAfter::In(Duration::from_secs(u64::MAX)))),
        ("-1", None),
        ("0.5", Some(RetryAfter::In(Duration::from_millis(500)))),
        ("1.5", Some(RetryAfter::In(Duration::from_millis(1500)))),
        ("1.0000000019", Some(RetryAfter::In(Duration::new(1, 1)))),
        ("", None),
        ("1.", None),
        (".5", None),
        ("1.5.5", None),
        ("+7", None),
        ("-0.5", None),
        ("1e3", None),
        ("7 s", None),
        ("soon", None),
        ("Wednesday, 14-Nov-18 18:56:43 GMT", Some(RetryAfter::At(date))),
        ("Wed Nov 14 18:56:43 2018", Some(RetryAfter::At(date))),
        ("Wed, 14 Nov 2018 18:56:43 GMT", Some(RetryAfter::At(date))),
        ("Thu, 14 Nov 2018 18:56:43 GMT", None),
        ("Wed, 31 Dec 1969 23:59:59 GMT", None),
    ] {
        let mut response = response(429, "slow down");
        response.headers_mut().insert("retry-after", header.parse().unwrap());
        let error = get(&response).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::RateLimited { retry_after: expected }, "{header:?}");
        assert_eq!(error.retry_after(), expected, "{header:?}");
    }
    // The first readable of several headers is used.
    let mut several = response(429, "slow down");
    for header in ["soon", "7", "9"] {
        several.headers_mut().append("retry-after", header.parse().unwrap());
    }
    assert_eq!(get(&several).unwrap_err().retry_after(), Some(RetryAfter::In(Duration::from_secs(7))));
    // The header is used only with 429 and 5xx.
    for (status, understood) in
        [(500, true), (503, true), (200, false), (302, false), (401, false), (404, false)]
    {
        let mut response = response(status, "slow down");
        response.headers_mut().insert("retry-after", "7".parse().unwrap());
        assert_eq!(get(&response).unwrap_err().retry_after().is_some(), understood, "{status}");
    }
}
