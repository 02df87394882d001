//! The dialects: how each backend names its requests, and what its responses mean.
//!
//! A dialect is a set of pure functions. The operations call them through the endpoint. The
//! machines read only the named [`Properties`].

mod lnbits;
mod phoenixd;
mod strike;

pub(super) use self::strike::Strike;

use std::fmt;

use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::errors::Mismatch;
use crate::protocol::WebhookSecret;
use crate::protocol::plain_charge::PlainCharge;
use crate::values::{Charge, ChargeId, InvalidInput, Network, NewCharge, Now};
use crate::webhook::InvalidWebhook;

/// Translates between the SDK and the HTTP API of one backend.
pub(crate) trait Dialect: fmt::Debug + Send + Sync {
    /// Returns what the machines need to know about the backend.
    fn properties(&self) -> Properties;

    /// Returns the header that holds the credential.
    fn credential(&self, secret: &str) -> (HeaderName, String);

    /// Rejects a network or an option that the backend does not have.
    fn check_setup(&self, network: Network, options: &Options) -> Result<(), InvalidInput>;

    /// Rejects an order that the backend cannot represent.
    fn check(&self, order: &NewCharge, options: &Options) -> Result<(), InvalidInput>;

    /// Returns the request that creates a charge.
    fn create(&self, order: &NewCharge, options: &Options) -> DialectRequest;

    /// Returns the request that reads a charge. `None` if the backend has no ids of this form.
    fn get(&self, id: &ChargeId) -> Option<DialectRequest>;

    /// Returns the request that reads a page of the list, newest first.
    fn list(&self, page: u32, size: u32) -> DialectRequest;

    /// Returns the request that finds charges by `customer_id`; see [`FindBy`].
    fn find(&self, _customer_id: &str, _limit: u32) -> Option<DialectRequest> {
        None
    }

    /// Returns true if the response to a get describes another record with the same id.
    fn needs_second_get(&self, _body: &str) -> bool {
        false
    }

    /// Returns the request that then reads the charge.
    fn get_second(&self, _id: &ChargeId) -> Option<DialectRequest> {
        None
    }

    /// Reads the charge in a response to a create. `now` is when it arrived.
    fn created(&self, order: &NewCharge, body: &str, now: Now) -> Result<Charge, Unreadable>;

    /// Reads the charge in a response to a get.
    fn charge(&self, body: &str) -> Result<Charge, Unreadable>;

    /// Reads the rows of a page.
    fn rows<'a>(&self, body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable>;

    /// Reads the error body of a response with this status. `None` if it is not the backend's.
    fn error(&self, status: StatusCode, body: &str) -> Option<ServerError>;

    /// Returns the id of the charge that a webhook names, after verifying what can be verified.
    fn webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        options: &Options,
    ) -> Result<ChargeId, InvalidWebhook>;

    /// Returns a request that checks one part of the setup, or `None` after the last.
    fn probe(&self, step: usize) -> Option<DialectRequest>;

    /// Judges the response to a probe. Returns true if it passes, and false if it has to be read as a
    /// page of the list, whose errors are a wrong credential or a failing server.
    fn judge(&self, step: usize, network: Network, status: StatusCode, body: &str) -> Result<bool, Mismatch>;
}

/// The settings that only a dialect reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) hash_long_descriptions: bool,
    pub(crate) webhook_url: Option<String>,
    pub(crate) webhook_secret: Option<WebhookSecret>,
}

/// What the machines need to know about a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Properties {
    /// How the backend finds charges by `customer_id`.
    pub(crate) finds_by: FindBy,
    /// True if a payment can become invisible when the invoice expires. Then the charge must be
    /// read shortly before that.
    pub(crate) expiry_hides_payments: bool,
    /// How many empty pages in a row are the end of the list.
    pub(crate) empty_pages_at_end: u32,
    /// True if records have a preimage, even unpaid ones. An excerpt of a broken one is withheld.
    pub(crate) shows_preimages: bool,
    /// True if the API can be below a path, so that the base URL may have one.
    pub(crate) has_base_path: bool,
}

/// How a backend finds charges by `customer_id` with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FindBy {
    /// Not at all: the list must be searched.
    Nothing,
    /// By the order key in it: one request finds all attempts of an order.
    OrderKey,
    /// By the exact text: one request finds one attempt.
    CustomerId,
}

/// A request without host, base path and credential.
#[derive(Debug)]
pub(crate) struct DialectRequest {
    pub(crate) method: Method,
    /// Path and query. It starts with a slash.
    pub(crate) tail: String,
    /// The body and its `Content-Type`.
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
}

impl DialectRequest {
    fn get(tail: impl Into<String>) -> Self {
        Self { method: Method::GET, tail: tail.into(), body: None }
    }

    fn post_form(tail: &str, form: String) -> Self {
        let body = Some(("application/x-www-form-urlencoded", form.into_bytes()));
        Self { method: Method::POST, tail: tail.to_owned(), body }
    }

    fn post_json(tail: &str, json: String) -> Self {
        Self {
            method: Method::POST,
            tail: tail.to_owned(),
            body: Some(("application/json", json.into_bytes())),
        }
    }
}

/// A server's own description of an error.
#[derive(Debug)]
pub(crate) struct ServerError {
    /// The status that the error means, if it differs from the response's.
    pub(crate) meaning: StatusCode,
    /// The code of the error. An unknown charge has 404.
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// Why a 2xx response is not what was requested.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It describes an error.
    Error(ServerError),
    /// It breaks a rule. The text may repeat parts of the response.
    Because(String),
}

impl Unreadable {
    fn into_reason(self) -> String {
        match self {
            Self::Error(error) => error.message,
            Self::Because(reason) => reason,
        }
    }
}

impl From<String> for Unreadable {
    fn from(reason: String) -> Self {
        Self::Because(reason)
    }
}

impl From<InvalidInput> for Unreadable {
    fn from(input: InvalidInput) -> Self {
        Self::Because(input.to_string())
    }
}

/// A row of a list.
pub(crate) enum ListedRow<'a> {
    /// A charge that is still in the response, with the text of the row.
    Plain(&'a str, PlainCharge<'a>),
    /// A charge that was copied, or no charge.
    Read(Result<Charge, BadRow>),
}

/// A row of a list that is not a charge.
#[derive(Debug)]
pub(crate) struct BadRow {
    pub(crate) id: Option<ChargeId>,
    /// `None` if it could not be read. An empty text if the row has none.
    pub(crate) customer_id: Option<String>,
    /// It may repeat parts of the response.
    pub(crate) reason: String,
}

/// Returns a query, with all values encoded.
fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Returns true if the id is a payment hash as this SDK writes it: 64 lower-case hex digits.
fn is_payment_hash(id: &ChargeId) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.as_str().len() == 64 && id.as_str().bytes().all(is_digit)
}
