//! What went wrong: what was asked, what came back, and what to do next.
//!
//! Whoever comes from pystrike finds its five exceptions in [`ErrorKind::pystrike_name`]:
//!
//! | pystrike | [`ErrorKind`] |
//! | --- | --- |
//! | `ConnectionException` | `Connection`, `OutcomeUnknown` |
//! | `ClientRequestException` | `InvalidInput`, `BadRequest`, `Unauthorized`, `RateLimited`, `Rejected` |
//! | `ChargeNotFoundException`, a `ClientRequestException` | `NotFound` |
//! | `UnexpectedResponseException` | `Undecodable`, `TooLarge`, `Mismatch`, `Redirected`, `PathNotFound` |
//! | `ServerErrorException` | `Server` |
//! | none: pystrike had no list | `Incomplete` |
//! | none: a slip in driving a machine | `AlreadyFinished` |

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::error::Error as StdError;
use core::fmt;
use core::time::Duration;

use crate::input::InvalidInput;
use crate::transport::{Delivery, TransportError, TransportErrorKind};
use crate::types::{Charge, UnixMillis};

/// The one error of the SDK. It is one pointer wide, and never shows a key or a base URL.
///
/// ```
/// use strike_core::{Advice, ApiKey, ErrorKind};
///
/// let error = ApiKey::new("sk demo").unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "api key"));
/// assert_eq!(error.advice(), Advice::FixInput);
/// assert!(!error.to_string().contains("sk demo"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    asked: String,
    kind: ErrorKind,
    status: Option<u16>,
    api: Option<ApiError>,
    excerpt: Option<String>,
    charge: Option<Charge>,
    attempts: Vec<Attempt>,
    retry_after: Option<RetryAfter>,
    /// Instead of the kind's own.
    advice: Option<Advice>,
    service_closed: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's own input breaks a rule. Nothing was sent.
    InvalidInput(InvalidInput),
    /// No answer came. For a create this means that the request never left.
    Connection {
        /// What went wrong on the way.
        kind: TransportErrorKind,
        /// Whether the request can have arrived.
        delivery: Delivery,
    },
    /// A create may have made a charge, or not. The [source](StdError::source) says what happened.
    OutcomeUnknown,
    /// 400: the server did not accept the input.
    BadRequest,
    /// 401: the key is wrong.
    Unauthorized,
    /// 404 in the API's own words: there is no such charge in this account.
    NotFound,
    /// Any other 404: a proxy or another server answered, and does not know this path. It says nothing about a charge.
    PathNotFound,
    /// 429: too many requests.
    RateLimited {
        /// When the server wants to be asked again, if it said so.
        retry_after: Option<RetryAfter>,
    },
    /// Another refusal between 400 and 499.
    Rejected,
    /// 500 to 599: the server failed.
    Server,
    /// 300 to 399: a redirect, which is never followed, since the key would go along. For a create it is below an
    /// [`OutcomeUnknown`](Self::OutcomeUnknown), since it may mean "done, look there".
    Redirected,
    /// An answer that is not what the API describes.
    Undecodable,
    /// An answer with a larger body than was allowed.
    TooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// A well-formed answer that says something else than was asked.
    Mismatch(Mismatch),
    /// The end of the list was not reached, so charges can be missing: it grows faster than it is read, or a
    /// [`CreateOnce`](crate::CreateOnce) has read 1000 pages.
    Incomplete,
    /// The machine had already ended when it was polled.
    AlreadyFinished,
}

impl ErrorKind {
    /// Which exception pystrike raised in this case; `None` where there was no such case.
    #[must_use]
    pub const fn pystrike_name(&self) -> Option<&'static str> {
        match self {
            Self::Connection { .. } | Self::OutcomeUnknown => Some("ConnectionException"),
            Self::InvalidInput(_)
            | Self::BadRequest
            | Self::Unauthorized
            | Self::RateLimited { .. }
            | Self::Rejected => Some("ClientRequestException"),
            Self::NotFound => Some("ChargeNotFoundException"),
            Self::Undecodable
            | Self::TooLarge { .. }
            | Self::Mismatch(_)
            | Self::Redirected
            | Self::PathNotFound => Some("UnexpectedResponseException"),
            Self::Server => Some("ServerErrorException"),
            Self::Incomplete | Self::AlreadyFinished => None,
        }
    }
}

/// When the server wants to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// That long after its answer.
    In(Duration),
    /// At that moment.
    At(UnixMillis),
}

/// An answer that differs from what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} should be {expected}, but is {found}")]
pub struct Mismatch {
    field: &'static str,
    expected: String,
    found: String,
}

impl Mismatch {
    pub(crate) fn new(field: &'static str, expected: impl ToString, found: impl ToString) -> Self {
        Self { field, expected: expected.to_string(), found: found.to_string() }
    }

    /// The field of an invoice that has expired.
    pub(crate) const EXPIRES_AT: &'static str = "invoice.expires_at";

    /// The same in other words.
    pub(crate) fn reworded(
        self,
        expected: impl FnOnce(&str) -> String,
        found: impl FnOnce(&str) -> String,
    ) -> Self {
        Self { field: self.field, expected: expected(&self.expected), found: found(&self.found) }
    }

    /// Compares two values of a field.
    pub(crate) fn unless_equal<T: PartialEq + fmt::Debug>(
        field: &'static str,
        expected: T,
        found: T,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::new(field, alloc::format!("{expected:?}"), alloc::format!("{found:?}")))
    }

    /// Compares two readings of a charge in all that it keeps for life.
    pub(crate) fn unless_same_order(known: &Charge, found: &Charge) -> Result<(), Self> {
        Self::unless_equal("id", known.id.as_str(), found.id.as_str())?;
        Self::unless_equal("payment_hash", known.payment_hash, found.payment_hash)?;
        Self::unless_equal("payment_request", &known.payment_request, &found.payment_request)?;
        Self::unless_equal("amount", known.amount, found.amount)?;
        Self::unless_equal("amount_satoshi", known.amount_satoshi.get(), found.amount_satoshi.get())?;
        Self::unless_equal("description", &known.description, &found.description)
    }

    /// The field that differs, such as `amount` or `invoice.amount`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What was asked for.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What the answer says.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}

/// The server's own words about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub(crate) code: i64,
    pub(crate) message: String,
}

impl ApiError {
    /// The code in the body, equal to the HTTP status wherever the service was recorded.
    #[must_use]
    pub const fn code(&self) -> i64 {
        self.code
    }

    /// The message, without the key should the server have repeated it. Not a contract: never parse it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// One attempt of an operation, for the history in an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempt {
    /// When it was sent, by the driver's monotonic clock.
    #[must_use]
    pub const fn sent(&self) -> Duration {
        self.sent
    }

    /// When it had ended, by the same clock.
    #[must_use]
    pub const fn ended(&self) -> Duration {
        self.ended
    }

    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> AttemptOutcome {
        self.outcome
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// An answer with this status.
    Status(u16),
    /// No answer.
    NoResponse(TransportErrorKind, Delivery),
}

/// What to do about an error. Its `Display` is a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Correct the input. Nothing was sent, or the host refused it in the API's own words.
    FixInput,
    /// Ask again later: nothing was changed by asking.
    RetryLater,
    /// Look before asking again: a charge may have been made.
    LookFirst,
    /// Check the key, and that it belongs to this host and network.
    CheckKey,
    /// Check the id, the account and the base URL.
    CheckId,
    /// Check that the base URL names a Strike-compatible host, and how it is reached.
    CheckHost,
    /// ACINQ closed its hosted service in 2021: name another host.
    ServiceClosed,
    /// Check the clocks of this machine and of the host: they disagree.
    CheckClock,
    /// Do not show this invoice or complete the order; ask whoever runs the host.
    DoNotUse,
    /// Do not show this invoice: it is for another network than the endpoint's. Correct the endpoint's
    /// [`Network`](crate::Network), or name a host on that network.
    CheckNetwork,
    /// The name of this order was used before, for another amount, description or `customer_id`. Use another name, or call again
    /// with the order as it was.
    CheckOrder,
    /// Do not show this invoice: it has expired. Make a new charge.
    InvoiceExpired,
    /// Say with [`CreateOnceOptions::since`](crate::CreateOnceOptions::since) when the order was placed, so that less of the list has to be read. Nothing was
    /// created.
    SetSince,
    /// Make a new machine: this one has ended.
    CreateNewMachine,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FixInput => "correct the input",
            Self::RetryLater => "it is safe to ask again later",
            Self::LookFirst => {
                "a charge may exist: before you create another, call `create_once` with the same key, or look through the list"
            },
            Self::CheckKey => "check the API key, and that it belongs to this host and network",
            Self::CheckId => "check the id, and that base URL and key belong to the account that made it",
            Self::CheckHost => {
                "check that the base URL names a Strike-compatible host, and how it is reached"
            }
            Self::ServiceClosed => {
                "ACINQ closed its hosted service in 2021: name a compatible host, or start the sandbox"
            }
            Self::DoNotUse => {
                "do not show its invoice and do not complete the order: ask whoever runs the host"
            }
            Self::InvoiceExpired => {
                "do not show its invoice, which has expired: make a new charge; if that has expired too, the server's clock is wrong"
            }
            Self::CheckNetwork => {
                "do not show its invoice: check the `Network` of the endpoint, and that its base URL is on that network"
            }
            Self::CheckOrder => {
                "this order name was used before, for another order: use another name, or the order as it was"
            }
            Self::CheckClock => {
                "check the clocks of this machine and of the host, and do not show its invoice until they agree"
            }
            Self::SetSince => "say with `CreateOnceOptions::since` when the order was placed; nothing was created",
            Self::CreateNewMachine => "make a new one: this machine had already ended",
        })
    }
}

impl Error {
    pub(crate) fn new(asked: impl Into<String>, kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            asked: asked.into(),
            kind,
            status: None,
            api: None,
            excerpt: None,
            charge: None,
            attempts: Vec::new(),
            retry_after: None,
            advice: None,
            service_closed: false,
            source: None,
        }))
    }

    pub(crate) fn finished() -> Self {
        Self::new("poll", ErrorKind::AlreadyFinished)
    }

    pub(crate) fn no_answer(asked: impl Into<String>, error: TransportError) -> Self {
        let kind = ErrorKind::Connection { kind: error.kind(), delivery: error.delivery() };
        Self::new(asked, kind).with_source(error)
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_api(mut self, api: Option<ApiError>) -> Self {
        self.0.api = api;
        self
    }

    pub(crate) fn with_excerpt(mut self, excerpt: String) -> Self {
        self.0.excerpt = Some(excerpt).filter(|text| !text.is_empty());
        self
    }

    pub(crate) fn with_charge(mut self, charge: Charge) -> Self {
        self.0.charge = Some(charge);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Gives other advice than the kind's own, where the caller of this knows better.
    pub(crate) fn with_advice(mut self, advice: Advice) -> Self {
        self.0.advice = Some(advice);
        self
    }

    /// The same failure of a request that names no charge: then a 404 is about the base URL.
    pub(crate) fn of_no_charge(self) -> Self {
        if self.0.kind == ErrorKind::NotFound { self.with_advice(Advice::CheckHost) } else { self }
    }

    pub(crate) fn with_retry_after(mut self, when: Option<RetryAfter>) -> Self {
        self.0.retry_after = when;
        self
    }

    pub(crate) fn with_asked(mut self, asked: impl Into<String>) -> Self {
        self.0.asked = asked.into();
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn of_closed_service(mut self, closed: bool) -> Self {
        self.0.service_closed = closed;
        self
    }

    /// The same failure, of a create that may have been acted upon.
    pub(crate) fn into_unknown(self) -> Self {
        let mut unknown = Self::new(self.0.asked.clone(), ErrorKind::OutcomeUnknown);
        unknown.0.status = self.0.status;
        unknown.0.api = self.0.api.clone();
        unknown.0.excerpt = self.0.excerpt.clone();
        unknown.0.retry_after = self.0.retry_after;
        unknown.with_source(self)
    }

    /// The same unknown outcome, with what failed later while it was being found out: its attempts, and itself as the source
    /// if nothing is below it; then what was the source before is below that.
    pub(crate) fn followed_by(mut self, mut later: Self) -> Self {
        self.0.attempts.append(&mut later.0.attempts.clone());
        if later.0.source.is_none() {
            later.0.source = self.0.source.take();
            self.0.charge = later.0.charge.clone();
            self.0.source = Some(Box::new(later));
        }
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Advice {
        if let Some(advice) = self.0.advice {
            return advice;
        }
        match &self.0.kind {
            ErrorKind::InvalidInput(_) => Advice::FixInput,
            ErrorKind::Connection { kind, .. } => match kind {
                TransportErrorKind::Dns if self.0.service_closed => Advice::ServiceClosed,
                TransportErrorKind::Tls | TransportErrorKind::Setup => Advice::CheckHost,
                _ => Advice::RetryLater,
            },
            ErrorKind::OutcomeUnknown => Advice::LookFirst,
            ErrorKind::BadRequest if self.0.api.as_ref().is_some_and(|api| api.code == 400) => {
                Advice::FixInput
            }
            ErrorKind::Rejected if matches!(self.0.status, Some(408 | 425)) => Advice::RetryLater,
            ErrorKind::BadRequest | ErrorKind::Rejected | ErrorKind::PathNotFound => Advice::CheckHost,
            ErrorKind::Unauthorized => Advice::CheckKey,
            ErrorKind::NotFound => Advice::CheckId,
            ErrorKind::RateLimited { .. } | ErrorKind::Server | ErrorKind::Incomplete => Advice::RetryLater,
            ErrorKind::Redirected | ErrorKind::Undecodable | ErrorKind::TooLarge { .. } => Advice::CheckHost,
            ErrorKind::Mismatch(mismatch) if mismatch.field() == Mismatch::EXPIRES_AT => {
                Advice::InvoiceExpired
            }
            ErrorKind::Mismatch(mismatch) if mismatch.field == "invoice.network" => Advice::CheckNetwork,
            ErrorKind::Mismatch(_) => Advice::DoNotUse,
            ErrorKind::AlreadyFinished => Advice::CreateNewMachine,
        }
    }

    /// The status of the last answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// When the server wants to be asked again: the `Retry-After` of a 429 or of a status from 500 to 599.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.0.retry_after
    }

    /// The server's own words, if its answer had the shape of the API's errors.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The beginning of an answer that did not have that shape, such as a proxy's page. It does not hold the key.
    #[must_use]
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// The charge that the server made or gave, although it differs from what was asked.
    #[must_use]
    pub fn charge(&self) -> Option<&Charge> {
        self.0.charge.as_ref()
    }

    /// The order's charge, if the clocks disagree on whether it has expired.
    pub(crate) fn disputed_charge(&self) -> Option<&Charge> {
        self.charge().filter(|_| self.advice() == Advice::CheckClock)
    }

    /// Every attempt that was made, first to last.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }
}

impl From<InvalidInput> for Error {
    fn from(input: InvalidInput) -> Self {
        Self::new("", ErrorKind::InvalidInput(input))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !inner.asked.is_empty() {
            write!(f, "{}: ", inner.asked)?;
        }
        match &inner.kind {
            ErrorKind::InvalidInput(input) if inner.asked.is_empty() => write!(f, "{input}")?,
            ErrorKind::InvalidInput(input) => write!(f, "{input}; nothing was sent")?,
            ErrorKind::Connection { kind, .. } => f.write_str(kind.as_str())?,
            ErrorKind::OutcomeUnknown => {
                f.write_str("the outcome is unknown, since the request may have arrived")?;
                if let Some(status) = inner.status {
                    write!(f, "; the server answered {status}")?;
                }
            }
            ErrorKind::TooLarge { limit } => {
                write!(f, "the answer is larger than the {limit} bytes of `RetryPolicy::max_body`")?
            }
            ErrorKind::Mismatch(mismatch) => write!(f, "the answer is not what was asked: {mismatch}")?,
            ErrorKind::Incomplete => f.write_str("the end was not reached, so charges can be missing")?,
            ErrorKind::AlreadyFinished => f.write_str("there is nothing left to do")?,
            ErrorKind::Undecodable => {
                let status = inner.status.unwrap_or_default();
                write!(f, "the server answered {status} with something that is not the API's")?;
            }
            ErrorKind::BadRequest
            | ErrorKind::Unauthorized
            | ErrorKind::NotFound
            | ErrorKind::PathNotFound
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Rejected
            | ErrorKind::Server
            | ErrorKind::Redirected => {
                write!(f, "the server answered {}", inner.status.unwrap_or_default())?;
            }
        }
        if let Some(api) = &inner.api {
            write!(f, " {:?}", api.message)?;
        } else if let Some(excerpt) = &inner.excerpt {
            write!(f, " {excerpt:?}")?;
        }
        if inner.attempts.len() > 1 {
            write!(f, ", after {} attempts", inner.attempts.len())?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("asked", &inner.asked)
            .field("kind", &inner.kind)
            .field("advice", &self.advice())
            .field("status", &inner.status)
            .field("api", &inner.api)
            .field("excerpt", &inner.excerpt)
            // Not even its id: everything in it is the server's, and could repeat the key.
            .field("charge", &inner.charge.is_some())
            .field("attempts", &inner.attempts)
            .field("retry_after", &inner.retry_after)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
