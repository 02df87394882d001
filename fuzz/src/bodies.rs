//! Fuzz targets for response bodies, headers and webhook bodies.

use std::time::Duration;

use strike_core::http::{HeaderValue, Method, Response};
use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    Advice, Charge, CoreClient, Create, ErrorKind, Get, HttpResponse, List, NewCharge, Now, RetryAfter,
    RetryPolicy, Row, UnixMillis, webhook,
};

use crate::secret::{assert_loggable, assert_no_key, endpoint, insert_key};

/// The time at which every response arrives.
const NOW: Now = Now::new(Duration::from_secs(1), UnixMillis::from_secs(1_700_000_000));

fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    Response::builder().status(status).body(body).unwrap()
}

/// Asserts that a charge survives a JSON round trip.
fn assert_round_trip(charge: &Charge) {
    let json = serde_json::to_string(charge).unwrap();
    assert_eq!(&serde_json::from_str::<Charge>(&json).unwrap(), charge, "{json}");
}

/// Parses the input as the body of a 200 response to a get and to a create.
pub(crate) fn charge(data: &[u8]) {
    let response = response(200, insert_key(data));
    match Get::new("ch_1".parse().unwrap()).parse(&endpoint(false), &response, NOW) {
        Ok(charge) => {
            assert_eq!(charge.id().as_str(), "ch_1");
            assert_round_trip(&charge);
        }
        Err(error) => {
            assert_loggable(&error);
            error.charge().into_iter().for_each(assert_round_trip);
        }
    }
    let order = NewCharge::satoshis(4200, "tea");
    for checked in [false, true] {
        match Create::new(order.clone()).parse(&endpoint(checked), &response, NOW) {
            Ok(charge) => {
                assert_eq!(charge.amount().get(), 4200);
                assert_eq!(charge.description(), "tea");
                assert!(
                    !checked
                        || charge
                            .invoice()
                            .is_ok_and(|invoice| invoice.amount_millisatoshi() == Some(4_200_000))
                );
            }
            Err(error) => assert_loggable(&error),
        }
    }
    if let Ok(charge) = serde_json::from_slice::<Charge>(data) {
        assert_round_trip(&charge);
    }
}

/// Parses the input as the body of a 200 response to a list.
pub(crate) fn list(data: &[u8]) {
    let body = insert_key(data);
    let bytes = body.len();
    match List::page(0).parse(&endpoint(false), &response(200, body), NOW) {
        Ok(page) => {
            // Each row takes at least one byte and a comma.
            assert!(page.rows() <= bytes.div_ceil(2));
            let (charges, unreadable) = (page.charges().count(), page.unreadable().count());
            assert_eq!(charges + unreadable, page.rows());
            for row in page.into_rows() {
                match row {
                    Row::Charge(charge) => assert_round_trip(&charge),
                    Row::Unreadable(row) => {
                        assert_no_key(&format!("{row:?}"));
                        assert!(row.reason().chars().count() <= 201);
                    }
                }
            }
        }
        Err(error) => assert_loggable(&error),
    }
}

/// Parses a response with any status. The first two bytes are the status, the rest is the body.
pub(crate) fn error(data: &[u8]) {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_be_bytes(*status) % 900;
    let response = response(status, insert_key(body));
    let endpoint = endpoint(false);
    let errors = [
        Get::new("ch_1".parse().unwrap()).parse(&endpoint, &response, NOW).err(),
        Create::new(NewCharge::satoshis(4200, "tea")).parse(&endpoint, &response, NOW).err(),
        List::page(0).parse(&endpoint, &response, NOW).err(),
    ];
    for error in errors {
        let Some(error) = error else {
            assert!((200..300).contains(&status), "status {status} must be an error");
            continue;
        };
        assert_loggable(&error);
        assert!(error.excerpt().is_none_or(|excerpt| excerpt.chars().count() <= 201));
        assert!(error.api().is_none_or(|api| api.message().chars().count() <= 201));
        let kind = error.kind();
        match status {
            200..300 => {}
            400 => assert_eq!(kind, &ErrorKind::BadRequest),
            401 => assert_eq!(kind, &ErrorKind::Unauthorized),
            404 => assert!(matches!(kind, ErrorKind::NotFound | ErrorKind::PathNotFound)),
            429 => assert_eq!(kind, &ErrorKind::RateLimited { retry_after: None }),
            500..600 => assert_eq!(kind, &ErrorKind::Server),
            _ => assert_ne!(kind, &ErrorKind::NotFound),
        }
        assert_ne!((error.advice(), status), (Advice::RetryLater, 401));
    }
}

/// Parses the input as a webhook body.
pub(crate) fn webhook(data: &[u8]) {
    match webhook::parse(data) {
        Ok(hint) => {
            assert!(data.len() <= webhook::MAX_BODY);
            // A webhook can only make the shop fetch the charge whose id is in the body.
            let id = hint.id().as_str();
            let request = hint.confirm().request(&endpoint(false)).unwrap();
            assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
            assert_eq!(request.uri().path(), format!("/api/v1/charges/{id}"));
            assert_eq!(request.uri().query(), None);
        }
        Err(error) => assert!(error.to_string().len() < 200),
    }
}

/// Parses a Retry-After header. The first eight bytes are the local time, the rest is the header.
pub(crate) fn retry_after(data: &[u8]) {
    let Some((clock, value)) = data.split_first_chunk::<8>() else { return };
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let now = Now::new(Duration::from_secs(1), UnixMillis::from_millis(u64::from_be_bytes(*clock)));
    let max_wait = Duration::from_secs(60);
    let mut call =
        CoreClient::new(endpoint(false).clone(), RetryPolicy::default().max_retry_after(max_wait), 7)
            .call(List::page(0));
    assert!(matches!(call.poll(now), Step::Send(_)));
    let mut response = response(429, Vec::new());
    response.headers_mut().insert("retry-after", header);
    call.handle(Ok(response), now);
    let seconds = std::str::from_utf8(value).ok().map(str::trim);
    let seconds = seconds.filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let seconds = seconds.map(|text| text.parse().unwrap_or(u64::MAX));
    match call.poll(now) {
        Step::Wait(wait) => {
            assert!(!wait.is_zero() && wait <= max_wait, "{wait:?}");
            assert!(seconds.is_none_or(|seconds| seconds <= 60));
        }
        Step::Send(_) => assert!(seconds.is_none_or(|seconds| seconds == 0)),
        Step::Done(Ok(_)) => panic!("a 429 must not return a page"),
        Step::Done(Err(error)) => {
            assert_loggable(&error);
            let ErrorKind::RateLimited { retry_after: Some(when) } = error.kind() else {
                panic!("the call may fail only because the delay is too long: {error:?}")
            };
            if let Some(seconds) = seconds {
                assert!(seconds > 60);
                assert_eq!(when, &RetryAfter::In(Duration::from_secs(seconds)));
            }
        }
    }
}
