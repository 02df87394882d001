//! Parses responses: a charge, a page of charges, or an error body.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::errors::{ApiError, Error, ErrorKind, RetryAfter};
use crate::protocol::charge_json::ChargeJson;
use crate::protocol::http_date::parse as http_date;
use crate::protocol::number::Exact;
use crate::protocol::{Endpoint, Row, UnreadableRow};
use crate::redaction::text;
use crate::transport::HttpResponse;
use crate::values::{Charge, ChargeId, InvalidInput};

/// Accepts only a JSON object. serde would also read a struct from an array with the fields in
/// order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    code: Exact<i64>,
    #[serde(default)]
    message: String,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Object<Self>>(text::without_bom(body)).ok().map(|body| body.0)
    }
}

/// Parses a response that describes one charge. `operation` describes the operation in errors.
pub(crate) fn charge(endpoint: &Endpoint, operation: &str, response: &HttpResponse) -> Result<Charge, Error> {
    let text = success(endpoint, operation, response)?;
    match serde_json::from_str::<Object<ChargeJson<Exact<u64>>>>(text) {
        Ok(Object(charge)) if !charge.is_error() => {
            charge.try_into().map(Charge::mark_as_response).map_err(|error: InvalidInput| {
                undecodable(endpoint, operation, response, text).with_source(error)
            })
        }
        // It has the fields of a charge and of an error, so neither can be trusted.
        Ok(_) => Err(undecodable(endpoint, operation, response, text)),
        Err(error) => Err(not_a_charge(endpoint, operation, response, text, error)),
    }
}

/// Parses a response with a page of the list: rows that are charges, and rows that are not.
pub(crate) fn rows(endpoint: &Endpoint, operation: &str, response: &HttpResponse) -> Result<Vec<Row>, Error> {
    let text = success(endpoint, operation, response)?;
    if let Ok(rows) = serde_json::from_str::<Vec<Object<ChargeJson<Exact<u64>>>>>(text)
        && rows.iter().all(|row| !row.0.is_error())
        && let Ok(rows) = rows
            .into_iter()
            .map(|row| row.0.try_into().map(Charge::mark_as_response).map(Row::Charge))
            .collect()
    {
        return Ok(rows);
    }
    let rows: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| not_a_charge(endpoint, operation, response, text, error))?;
    Ok(rows.into_iter().map(|row| self::row(endpoint, row.get())).collect())
}

/// Parses one row of a list in which at least one row is not a charge.
fn row(endpoint: &Endpoint, text: &str) -> Row {
    #[derive(Deserialize)]
    struct Id {
        id: ChargeId,
    }
    #[derive(Deserialize)]
    struct Customer {
        #[serde(default)]
        customer_id: Option<String>,
    }
    let reason = match serde_json::from_str::<Object<ChargeJson<Exact<u64>>>>(text) {
        Ok(Object(charge)) if !charge.is_error() => match Charge::try_from(charge) {
            Ok(charge) => return Row::Charge(charge.mark_as_response()),
            Err(error) => endpoint.fit_for_log(&format!("{error}")),
        },
        Ok(_) => "it has an error code".to_owned(),
        Err(error) => endpoint.fit_for_log(&text::complaint(&error)),
    };
    let id = serde_json::from_str::<Object<Id>>(text).ok().map(|row| row.0.id);
    // Errors show the id, so an id that repeats the key is dropped.
    let id = id.filter(|id| endpoint.fit_for_log(id.as_str()) == id.as_str());
    let customer_id = serde_json::from_str::<Object<Customer>>(text).ok();
    let customer_id = customer_id.map(|row| row.0.customer_id.unwrap_or_default());
    Row::Unreadable(UnreadableRow { id, customer_id, reason })
}

/// Returns the body of a 2xx response as text. Any other status is an error.
fn success<'r>(endpoint: &Endpoint, operation: &str, response: &'r HttpResponse) -> Result<&'r str, Error> {
    let status = response.status();
    if !status.is_success() {
        let api = ErrorBody::read(response.body());
        return Err(failure(endpoint, operation, status, response, api));
    }
    std::str::from_utf8(text::without_bom(response.body())).map_err(|error| {
        Error::new(operation, ErrorKind::Undecodable)
            .with_status(status.as_u16())
            .with_excerpt(excerpt(endpoint, response.body()))
            .with_source(error)
    })
}

/// Returns the error for a 2xx response that is not a charge.
///
/// Some servers send an error body with status 200. Its code then decides the kind of the error.
fn not_a_charge(
    endpoint: &Endpoint,
    operation: &str,
    response: &HttpResponse,
    text: &str,
    error: serde_json::Error,
) -> Error {
    let api = ErrorBody::read(text.as_bytes());
    let claimed = api.as_ref().and_then(|api| u16::try_from(api.code.0).ok());
    if let Some(claimed) = claimed.and_then(|code| StatusCode::from_u16(code).ok())
        && claimed.as_u16() >= 300
        && claimed.as_u16() < 600
    {
        return failure(endpoint, operation, claimed, response, api);
    }
    undecodable(endpoint, operation, response, text)
        .with_source(endpoint.fit_for_log(&text::complaint(&error)))
}

fn undecodable(endpoint: &Endpoint, operation: &str, response: &HttpResponse, text: &str) -> Error {
    Error::new(operation, ErrorKind::Undecodable)
        .with_status(response.status().as_u16())
        .with_excerpt(excerpt(endpoint, text.as_bytes()))
}

/// Returns the error for a status, with the error body or an excerpt of another body.
fn failure(
    endpoint: &Endpoint,
    operation: &str,
    status: StatusCode,
    response: &HttpResponse,
    api: Option<ErrorBody>,
) -> Error {
    let retry_after = retry_after(response.headers());
    let kind = match status.as_u16() {
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        404 if api.as_ref().is_some_and(|api| api.code.0 == 404) => ErrorKind::NotFound,
        404 => ErrorKind::PathNotFound,
        429 => ErrorKind::RateLimited { retry_after },
        300..=399 => ErrorKind::Redirected,
        402..=499 => ErrorKind::Rejected,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Undecodable,
    };
    let retry_after = retry_after.filter(|_| status.as_u16() == 429 || status.is_server_error());
    let error = Error::new(operation, kind).with_status(status.as_u16()).with_retry_after(retry_after);
    match api {
        Some(body) => {
            let message = endpoint.fit_for_log(&body.message);
            error.with_api(Some(ApiError { code: body.code.0, message }))
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
    endpoint.fit_for_log(&String::from_utf8_lossy(body))
}
