//! What a caller asks for when making a charge: read from a form or from JSON, then held against the limits.

use strike_core::Satoshi;

use super::json_body;
use crate::answer::Refusal;
use crate::quirks::Quirks;

/// The largest amount, in satoshi: 2^32 millisatoshi, cut to whole satoshi.
const MAX_AMOUNT: u64 = 4_294_967;
/// A week, in seconds.
const MAX_EXPIRY: u64 = 604_800;
/// In UTF-16 units, since the service counted as Java does.
const MAX_DESCRIPTION: usize = 256;
/// In bytes of UTF-8: an invoice carries no more.
const MAX_DESCRIPTION_BYTES: usize = 639;
/// In UTF-16 units.
const MAX_CUSTOMER_ID: usize = 64;

/// The fields as sent, with the right types and nothing else checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) customer_id: Option<String>,
    pub(crate) expiry_sec: Option<i64>,
}

/// A charge that can be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) amount: Satoshi,
    pub(crate) description: String,
    pub(crate) customer_id: Option<String>,
    /// In seconds.
    pub(crate) expiry: Option<u64>,
}

/// Reads a body by its content type. Akka takes a body without one for whatever it can be.
pub(crate) fn read(content_type: &str, body: &[u8], quirks: &Quirks) -> Result<Wanted, Refusal> {
    let described = quirks.description_required;
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fields = match media_type.as_str() {
        "application/json" => json_body::read(body, described)?,
        "application/x-www-form-urlencoded" => read_form(body, described)?,
        "" if body.trim_ascii_start().starts_with(b"{") => json_body::read(body, described)?,
        "" => read_form(body, described)?,
        _ => {
            return Err(Refusal::bad_request(
                "the Content-Type must be application/json or application/x-www-form-urlencoded",
            ));
        }
    };
    check(fields)
}

/// A form: unknown keys do not matter, nor does a `?` in front, which a client of the time sends.
fn read_form(body: &[u8], described: bool) -> Result<Fields, Refusal> {
    let body = body.strip_prefix(b"?").unwrap_or(body);
    let field = |name: &str| {
        form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let required = |name: &str| {
        field(name)
            .ok_or_else(|| Refusal::bad_request(format!("Request is missing required form field '{name}'")))
    };
    Ok(Fields {
        amount: integer("amount", &required("amount")?)?,
        currency: required("currency")?,
        description: if described { Some(required("description")?) } else { field("description") },
        customer_id: field("customer_id"),
        expiry_sec: field("expiry_sec").map(|value| integer("expiry_sec", &value)).transpose()?,
    })
}

fn integer(name: &str, value: &str) -> Result<i64, Refusal> {
    value.parse().map_err(|_| {
        Refusal::bad_request(format!(
            "The form field '{name}' was malformed:\n'{value}' is not a valid 64-bit signed integer value"
        ))
    })
}

/// The limits, in the order of the fields: only the first breach is told.
fn check(fields: Fields) -> Result<Wanted, Refusal> {
    let amount = u64::try_from(fields.amount)
        .ok()
        .filter(|amount| (1..=MAX_AMOUNT).contains(amount))
        .ok_or_else(|| Refusal::bad_request(format!("amount must be between 1 and {MAX_AMOUNT} satoshi")))?;
    if fields.currency != "btc" {
        return Err(Refusal::bad_request("currency must be btc"));
    }
    let description = fields.description.unwrap_or_default();
    if description.encode_utf16().count() > MAX_DESCRIPTION || description.len() > MAX_DESCRIPTION_BYTES {
        return Err(Refusal::bad_request(format!(
            "description must not be longer than {MAX_DESCRIPTION} characters or {MAX_DESCRIPTION_BYTES} bytes"
        )));
    }
    let customer_id = fields.customer_id.filter(|customer_id| !customer_id.is_empty());
    if customer_id.as_deref().is_some_and(|it| it.encode_utf16().count() > MAX_CUSTOMER_ID) {
        return Err(Refusal::bad_request(format!(
            "customer_id must not be longer than {MAX_CUSTOMER_ID} characters"
        )));
    }
    let expiry = match fields.expiry_sec.map(u64::try_from) {
        None => None,
        Some(Ok(seconds)) if (1..=MAX_EXPIRY).contains(&seconds) => Some(seconds),
        Some(_) => {
            return Err(Refusal::bad_request(format!("expiry_sec must be between 1 and {MAX_EXPIRY}")));
        }
    };
    Ok(Wanted { amount: Satoshi::new(amount), description, customer_id, expiry })
}
