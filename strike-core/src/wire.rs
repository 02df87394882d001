//! The shapes of the wire: a charge as the server sends it, and the ladder down which an error body is read.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::error::{ApiError, Error, ErrorKind, RetryAfter};
use crate::machine::HttpResponse;
use crate::page::{Row, Unreadable};
use crate::text;
use crate::types::{self, ChargeId, Currency, PaymentHash, Satoshi, UnixMillis};

/// A charge as it travels. Unknown fields are ignored; an absent `customer_id` is absent.
#[derive(Serialize, Deserialize)]
pub(crate) struct Charge {
    id: ChargeId,
    #[serde(skip_deserializing)]
    object: Object,
    amount: u64,
    currency: Currency,
    amount_satoshi: Satoshi,
    payment_hash: PaymentHash,
    payment_request: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    paid: bool,
    created: u64,
    updated: u64,
    /// No charge has a `code`: an object with one is an error, whatever the status. A null or a zero is none, as clients of
    /// the service read it.
    #[serde(default, skip_serializing)]
    code: Code,
}

/// The constant `object: "charge"`, which is written and never read.
#[derive(Default, Serialize)]
enum Object {
    #[default]
    #[serde(rename = "charge")]
    Charge,
}

/// Whether there is a code, whatever its value.
#[derive(Default)]
struct Code(bool);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Number(u64),
            Other(IgnoredAny),
        }
        let code = Option::<Value>::deserialize(deserializer)?;
        Ok(Self(!matches!(code, None | Some(Value::Number(0)))))
    }
}

impl From<Charge> for types::Charge {
    fn from(wire: Charge) -> Self {
        Self {
            id: wire.id,
            amount: wire.amount,
            currency: wire.currency,
            amount_satoshi: wire.amount_satoshi,
            payment_hash: wire.payment_hash,
            payment_request: wire.payment_request,
            description: wire.description.unwrap_or_default(),
            customer_id: wire.customer_id,
            paid: wire.paid,
            created: UnixMillis::from_wire(wire.created),
            updated: UnixMillis::from_wire(wire.updated),
        }
    }
}

impl From<types::Charge> for Charge {
    fn from(charge: types::Charge) -> Self {
        Self {
            id: charge.id,
            object: Object::Charge,
            amount: charge.amount,
            currency: charge.currency,
            amount_satoshi: charge.amount_satoshi,
            payment_hash: charge.payment_hash,
            payment_request: charge.payment_request,
            description: Some(charge.description),
            customer_id: charge.customer_id,
            paid: charge.paid,
            created: charge.created.to_wire(),
            updated: charge.updated.to_wire(),
            code: Code(false),
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    code: i64,
    #[serde(default)]
    message: String,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Keyed<Self>>(body).ok().map(|body| body.0)
    }
}

/// What was an object: for the parser alone, an array with the fields in order would do as well.
struct Keyed<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Keyed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Keyed<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Keyed)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads the answer to something that is asked about one charge.
pub(crate) fn charge(at: &Endpoint, asked: &str, response: &HttpResponse) -> Result<types::Charge, Error> {
    let text = success(at, asked, response)?;
    match serde_json::from_str::<Keyed<Charge>>(text) {
        Ok(Keyed(charge)) if !charge.code.0 => Ok(charge.into()),
        // A charge and an error at once: who knows which.
        Ok(_) => Err(undecodable(at, asked, response, text)),
        Err(error) => Err(disguised(at, asked, response, text, error)),
    }
}

/// Reads the answer to a list: rows that are charges, and rows that are not.
pub(crate) fn rows(at: &Endpoint, asked: &str, response: &HttpResponse) -> Result<Vec<Row>, Error> {
    let text = success(at, asked, response)?;
    if let Ok(rows) = serde_json::from_str::<Vec<Keyed<Charge>>>(text)
        && rows.iter().all(|row| !row.0.code.0)
    {
        return Ok(rows.into_iter().map(|row| Row::Charge(row.0.into())).collect());
    }
    let rows: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| disguised(at, asked, response, text, error))?;
    Ok(rows.into_iter().map(|row| self::row(at, row.get())).collect())
}

/// Reads one row of a list in which at least one is bad.
fn row(at: &Endpoint, text: &str) -> Row {
    #[derive(Deserialize)]
    struct Id {
        id: ChargeId,
    }
    #[derive(Deserialize)]
    struct Customer {
        #[serde(default)]
        customer_id: Option<String>,
    }
    let reason = match serde_json::from_str::<Keyed<Charge>>(text) {
        Ok(Keyed(charge)) if !charge.code.0 => return Row::Charge(charge.into()),
        Ok(_) => "it has a code, as errors have".to_owned(),
        Err(error) => at.fit_for_log(&text::complaint(&error)),
    };
    let id = serde_json::from_str::<Keyed<Id>>(text).ok().map(|row| row.0.id);
    // The row is shown in errors: an id that repeats the key is no id.
    let id = id.filter(|id| at.fit_for_log(id.as_str()) == id.as_str());
    let customer_id = serde_json::from_str::<Keyed<Customer>>(text).ok();
    let customer_id = customer_id.map(|row| row.0.customer_id.unwrap_or_default());
    Row::Unreadable(Unreadable { id, customer_id, reason })
}

/// The body of a 2xx answer as text; any other status is an error.
fn success<'r>(at: &Endpoint, asked: &str, response: &'r HttpResponse) -> Result<&'r str, Error> {
    let status = response.status();
    if !status.is_success() {
        let api = ErrorBody::read(response.body());
        return Err(failure(at, asked, status, response, api));
    }
    core::str::from_utf8(response.body()).map_err(|error| {
        Error::new(asked, ErrorKind::Undecodable)
            .with_status(status.as_u16())
            .with_excerpt(excerpt(at, response.body()))
            .with_source(error)
    })
}

/// A 2xx answer that is no charge: an error in disguise, or something else altogether.
fn disguised(
    at: &Endpoint,
    asked: &str,
    response: &HttpResponse,
    text: &str,
    error: serde_json::Error,
) -> Error {
    let api = ErrorBody::read(text.as_bytes());
    let claimed = api.as_ref().and_then(|api| u16::try_from(api.code).ok());
    if let Some(claimed) = claimed.and_then(|code| StatusCode::from_u16(code).ok())
        && claimed.as_u16() >= 300
        && claimed.as_u16() < 600
    {
        return failure(at, asked, claimed, response, api);
    }
    undecodable(at, asked, response, text).with_source(at.fit_for_log(&text::complaint(&error)))
}

fn undecodable(at: &Endpoint, asked: &str, response: &HttpResponse, text: &str) -> Error {
    Error::new(asked, ErrorKind::Undecodable)
        .with_status(response.status().as_u16())
        .with_excerpt(excerpt(at, text.as_bytes()))
}

/// The error for a status, with as much of the body as can be understood.
fn failure(
    at: &Endpoint,
    asked: &str,
    status: StatusCode,
    response: &HttpResponse,
    api: Option<ErrorBody>,
) -> Error {
    let kind = match status.as_u16() {
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited { retry_after: retry_after(response.headers()) },
        300..=399 => ErrorKind::Redirected,
        402..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Undecodable,
    };
    let error = Error::new(asked, kind).with_status(status.as_u16());
    match api {
        Some(body) => {
            let message = at.fit_for_log(&body.message);
            error.with_api(Some(ApiError { code: body.code, message }))
        }
        None => error.with_excerpt(excerpt(at, response.body())),
    }
}

/// `Retry-After` as seconds or as a date; anything else is as good as none.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()) {
        // More than fits is for ever.
        return Some(RetryAfter::In(Duration::from_secs(value.parse().unwrap_or(u64::MAX))));
    }
    http_date(value).map(RetryAfter::At)
}

/// A date as HTTP writes it today, such as `Wed, 14 Nov 2018 18:56:43 GMT`.
pub(crate) fn http_date(value: &str) -> Option<UnixMillis> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    u64::try_from(date.as_millisecond()).ok().map(UnixMillis::from_millis)
}

/// The beginning of a body, fit for a log: text, no key, no preimage, no control characters.
fn excerpt(at: &Endpoint, body: &[u8]) -> String {
    at.fit_for_log(&String::from_utf8_lossy(body))
}
