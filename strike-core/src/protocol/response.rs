//! Parses responses: a charge, a page of charges, or an error body.

use std::ops::Range;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::errors::{ApiError, Error, ErrorKind, RetryAfter};
use crate::protocol::dialects::{ListedRow, ServerError, Unreadable};
use crate::protocol::http_date::parse as http_date;
use crate::protocol::plain_charge::PlainCharge;
use crate::protocol::scan::ScannedRow;
use crate::protocol::{Endpoint, Row, Scan};
use crate::redaction::text;
use crate::transport::HttpResponse;
use crate::values::{Charge, NewCharge, Now, Origin};

/// Parses the response to a create.
pub(super) fn created(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
    order: &NewCharge,
    now: Now,
) -> Result<Charge, Error> {
    let read = |body: &str| endpoint.dialect().created(order, body, now);
    parse(endpoint, operation, response, read).map(Charge::mark_as_response)
}

/// Parses the response to a get.
pub(super) fn charge(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
) -> Result<Charge, Error> {
    let read = |body: &str| endpoint.dialect().charge(body);
    parse(endpoint, operation, response, read).map(Charge::mark_as_response)
}

/// Parses a response with a page of the list: rows that are charges, and rows that are not.
pub(super) fn rows(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
) -> Result<Vec<Row>, Error> {
    parse(endpoint, operation, response, |body| {
        let row = |row: ListedRow<'_>| {
            let charge = row.plain.and_then(|charge| charge.to_charge(Origin::Response));
            charge.map_or_else(|| Row::read(endpoint, row.text), Row::Charge)
        };
        Ok(endpoint.dialect().rows(body)?.into_iter().map(row).collect())
    })
}

/// Parses the same response, but reads only the first and the last charge.
pub(super) fn scan(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: HttpResponse,
) -> Result<Scan, Error> {
    let bytes = response.body().as_slice();
    let (rows, created) = parse(endpoint, operation, &response, |body| {
        let listed = endpoint.dialect().rows(body)?;
        let created = |row: &ListedRow<'_>| match row.plain.as_ref().and_then(PlainCharge::created) {
            None => endpoint.dialect().row(row.text).ok().map(|charge| charge.created),
            created => created,
        };
        let first = listed.iter().find_map(created);
        let created = first.zip(listed.iter().rev().find_map(created));
        let row = |row: &ListedRow<'_>| ScannedRow {
            text: range(bytes, row.text),
            id: row.plain.as_ref().map(|charge| range(bytes, charge.id)),
        };
        Ok((listed.iter().map(row).collect(), created))
    })?;
    Ok(Scan { endpoint: endpoint.clone(), body: response.into_body(), rows, created })
}

/// Returns where a part of a body is in it.
fn range(body: &[u8], part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(body.as_ptr().addr());
    start..start + part.len()
}

/// Reads the body of a 2xx response with a function of the dialect. Any other status is an error.
fn parse<T>(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
    read: impl FnOnce(&str) -> Result<T, Unreadable>,
) -> Result<T, Error> {
    let text = success(endpoint, operation, response)?;
    read(text).map_err(|unreadable| self::unreadable(endpoint, operation, response, text, unreadable))
}

/// Returns the body of a 2xx response as text. Any other status is an error.
fn success<'r>(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &'r HttpResponse,
) -> Result<&'r str, Error> {
    let status = response.status();
    if !status.is_success() {
        let body = std::str::from_utf8(text::without_bom(response.body())).ok();
        let error = body.and_then(|body| endpoint.dialect().error(status, body));
        return Err(failure(endpoint, operation, status, response, error));
    }
    std::str::from_utf8(text::without_bom(response.body())).map_err(|error| {
        Error::new(operation(), ErrorKind::Undecodable)
            .with_status(status.as_u16())
            .with_excerpt(excerpt(endpoint, response.body()))
            .with_source(error)
    })
}

/// Returns the error for a 2xx response that is not what was requested.
fn unreadable(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
    text: &str,
    unreadable: Unreadable,
) -> Error {
    match unreadable {
        // The error decides, not the status of the response.
        Unreadable::Error(error) => failure(endpoint, operation, error.meaning, response, Some(error)),
        Unreadable::Because(reason) => {
            undecodable(endpoint, operation, response, text).with_source(endpoint.fit_for_log(&reason))
        }
    }
}

fn undecodable(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    response: &HttpResponse,
    text: &str,
) -> Error {
    Error::new(operation(), ErrorKind::Undecodable)
        .with_status(response.status().as_u16())
        .with_excerpt(excerpt(endpoint, text.as_bytes()))
}

/// Returns the error for a status, with the server's error or an excerpt of another body.
fn failure(
    endpoint: &Endpoint,
    operation: &dyn Fn() -> String,
    status: StatusCode,
    response: &HttpResponse,
    server_error: Option<ServerError>,
) -> Error {
    let retry_after = retry_after(response.headers());
    let meaning = server_error.as_ref().map_or(status, |error| error.meaning);
    let kind = match meaning.as_u16() {
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        404 if server_error.as_ref().is_some_and(|error| error.code == 404) => ErrorKind::NotFound,
        404 => ErrorKind::PathNotFound,
        429 => ErrorKind::RateLimited { retry_after },
        300..=399 => ErrorKind::Redirected,
        402..=499 => ErrorKind::Rejected,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Undecodable,
    };
    let retry_after = retry_after.filter(|_| meaning.as_u16() == 429 || meaning.is_server_error());
    let error = Error::new(operation(), kind).with_status(status.as_u16()).with_retry_after(retry_after);
    match server_error {
        Some(server) => {
            let message = endpoint.fit_for_log(&server.message);
            error.with_api(Some(ApiError { code: server.code, message }))
        }
        None => error.with_excerpt(excerpt(endpoint, response.body())),
    }
}

/// Returns the first valid `Retry-After`: a number of seconds, which may have a fraction, or a
/// date.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    headers.get_all(header::RETRY_AFTER).iter().find_map(|value| {
        let value = value.to_str().ok()?.trim();
        seconds(value).map(RetryAfter::In).or_else(|| http_date(value).map(RetryAfter::At))
    })
}

/// Parses seconds such as `7` or `1.5`. Digits after the ninth decimal place are dropped.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    // A number that does not fit becomes the longest duration.
    Some(Duration::new(whole.parse().unwrap_or(u64::MAX), nanos))
}

/// Returns the start of a body for errors, without control characters. A body with a secret is
/// withheld.
fn excerpt(endpoint: &Endpoint, body: &[u8]) -> String {
    let excerpt = endpoint.fit_for_log(&String::from_utf8_lossy(body));
    // In a broken record, a preimage can lose the name by which it is recognised.
    if endpoint.properties().shows_preimages && text::has_long_hex_number(&excerpt) {
        return text::HOLDS_A_PREIMAGE.to_owned();
    }
    excerpt
}
