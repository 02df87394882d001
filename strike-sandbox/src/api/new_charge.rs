//! Reads a new charge from a form or from JSON and checks its limits.

use std::time::Duration;

use strike_core::Satoshi;

use super::json_body;
use crate::ledger::Extras;
use crate::node::InvoiceFormat;
use crate::order::Order;
use crate::quirks::Quirks;
use crate::response::ErrorResponse;

/// The largest amount in satoshi: 2^32 millisatoshi, rounded down.
const MAX_AMOUNT: u64 = 4_294_967;
/// One week, in seconds.
const MAX_EXPIRY: u64 = 604_800;
/// In UTF-16 code units, because the service used Java's string length.
const MAX_DESCRIPTION: usize = 256;
/// In bytes of UTF-8. A BOLT11 invoice cannot contain a longer description.
const MAX_DESCRIPTION_BYTES: usize = 639;
/// In UTF-16 code units.
const MAX_CUSTOMER_ID: usize = 64;

/// The fields of the body. Their types are checked, their values are not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) customer_id: Option<String>,
    pub(crate) expiry_sec: Option<i64>,
}

/// Reads a body according to its content type. Without a content type, both formats are accepted,
/// as the service's HTTP library Akka did.
pub(crate) fn read(content_type: &str, body: &[u8], quirks: &Quirks) -> Result<Order, ErrorResponse> {
    let description_required = quirks.description_required;
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fields = match media_type.as_str() {
        "application/json" => json_body::read(body, description_required)?,
        "application/x-www-form-urlencoded" => read_form(body, description_required)?,
        "" if body.trim_ascii_start().starts_with(b"{") => json_body::read(body, description_required)?,
        "" => read_form(body, description_required)?,
        _ => {
            return Err(ErrorResponse::bad_request(
                "the Content-Type must be application/json or application/x-www-form-urlencoded",
            ));
        }
    };
    let format = if quirks.invoices_of_2018 { InvoiceFormat::Recorded2018 } else { InvoiceFormat::Current };
    check(fields, format)
}

/// Reads a form. Unknown keys are ignored. So is a leading `?`, which an existing client sends.
fn read_form(body: &[u8], description_required: bool) -> Result<Fields, ErrorResponse> {
    let body = body.strip_prefix(b"?").unwrap_or(body);
    let optional = |name: &str| {
        form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let required = |name: &str| {
        optional(name).ok_or_else(|| {
            ErrorResponse::bad_request(format!("Request is missing required form field '{name}'"))
        })
    };
    Ok(Fields {
        amount: integer("amount", &required("amount")?)?,
        currency: required("currency")?,
        description: if description_required {
            Some(required("description")?)
        } else {
            optional("description")
        },
        customer_id: optional("customer_id"),
        expiry_sec: optional("expiry_sec").map(|value| integer("expiry_sec", &value)).transpose()?,
    })
}

fn integer(name: &str, value: &str) -> Result<i64, ErrorResponse> {
    value.parse().map_err(|_| {
        ErrorResponse::bad_request(format!(
            "The form field '{name}' was malformed:\n'{value}' is not a valid 64-bit signed integer value"
        ))
    })
}

/// Checks the limits in the order of the fields. The error reports only the first violation.
fn check(fields: Fields, format: InvoiceFormat) -> Result<Order, ErrorResponse> {
    let amount =
        u64::try_from(fields.amount).ok().filter(|amount| (1..=MAX_AMOUNT).contains(amount)).ok_or_else(
            || ErrorResponse::bad_request(format!("amount must be between 1 and {MAX_AMOUNT} satoshi")),
        )?;
    if fields.currency != "btc" {
        return Err(ErrorResponse::bad_request("currency must be btc"));
    }
    let description = fields.description.unwrap_or_default();
    if description.encode_utf16().count() > MAX_DESCRIPTION || description.len() > MAX_DESCRIPTION_BYTES {
        return Err(ErrorResponse::bad_request(format!(
            "description must not be longer than {MAX_DESCRIPTION} characters or {MAX_DESCRIPTION_BYTES} bytes"
        )));
    }
    let customer_id = fields.customer_id.filter(|customer_id| !customer_id.is_empty());
    if customer_id.as_deref().is_some_and(|it| it.encode_utf16().count() > MAX_CUSTOMER_ID) {
        return Err(ErrorResponse::bad_request(format!(
            "customer_id must not be longer than {MAX_CUSTOMER_ID} characters"
        )));
    }
    let expiry = match fields.expiry_sec.map(u64::try_from) {
        None => None,
        Some(Ok(seconds)) if (1..=MAX_EXPIRY).contains(&seconds) => Some(seconds),
        Some(_) => {
            return Err(ErrorResponse::bad_request(format!("expiry_sec must be between 1 and {MAX_EXPIRY}")));
        }
    };
    Ok(Order {
        format,
        amount: Satoshi::new(amount),
        description,
        customer_id,
        expiry: expiry.map(Duration::from_secs),
        extras: Extras::default(),
    })
}
