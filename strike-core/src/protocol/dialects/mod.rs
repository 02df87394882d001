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
use serde_json::value::RawValue;

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

    /// Returns the path below the base path at which charges are created, and the `Content-Type` of
    /// requests with a body.
    fn create_target(&self) -> (&'static str, &'static str);

    /// Returns the body of a create.
    fn create(&self, order: &NewCharge, options: &Options) -> String;

    /// Returns the path and query that read a charge, with the base path in front. `None` if the
    /// backend has no ids of this form.
    fn get(&self, base: &str, id: &ChargeId) -> Option<String>;

    /// Returns the path and query that read a page of the list, newest first.
    fn list(&self, base: &str, page: u32, size: u32) -> String;

    /// Returns the path and query that find charges by `customer_id`; see [`FindBy`].
    fn find(&self, _base: &str, _customer_id: &str, _limit: u32) -> Option<String> {
        None
    }

    /// Returns true if the response to a get describes another record with the same id.
    fn needs_second_get(&self, _body: &str) -> bool {
        false
    }

    /// Returns the path and query that then read the charge.
    fn get_second(&self, _base: &str, _id: &ChargeId) -> Option<String> {
        None
    }

    /// Reads the charge in a response to a create. `now` is when it arrived.
    fn created(&self, order: &NewCharge, body: &str, now: Now) -> Result<Charge, Unreadable>;

    /// Reads the charge in a response to a get.
    fn charge(&self, body: &str) -> Result<Charge, Unreadable>;

    /// Splits a page into its rows.
    fn rows<'a>(&self, body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable>;

    /// Reads a row of a page.
    fn row(&self, row: &str) -> Result<Charge, BadRow>;

    /// Reads the error body of a response with this status. `None` if it is not the backend's.
    fn error(&self, status: StatusCode, body: &str) -> Option<ServerError>;

    /// Returns the id of the charge that a webhook names, after verifying what can be verified.
    fn webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        options: &Options,
    ) -> Result<ChargeId, InvalidWebhook>;

    /// Returns method and path of a request that checks one part of the setup, or `None` after the
    /// last.
    fn probe(&self, base: &str, step: usize) -> Option<(Method, String)>;

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

/// The `Content-Type` of a form.
const FORM: &str = "application/x-www-form-urlencoded";

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

/// A row of a list that was not copied.
pub(crate) struct ListedRow<'a> {
    pub(crate) text: &'a str,
    /// Its fields, if the row is written plainly.
    pub(crate) plain: Option<PlainCharge<'a>>,
}

impl<'a> ListedRow<'a> {
    fn unread(row: &'a RawValue) -> Self {
        Self { text: row.get(), plain: None }
    }
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
