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

mod advice;
mod api_error;
mod attempt;
mod kind;
mod mismatch;

pub use self::advice::Advice;
pub use self::api_error::ApiError;
pub use self::attempt::{Attempt, AttemptOutcome};
pub use self::kind::{ErrorKind, RetryAfter};
pub use self::mismatch::Mismatch;

use std::error::Error as StdError;
use std::fmt;

use crate::transport::{TransportError, TransportErrorKind};
use crate::values::{Charge, InvalidInput};

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
            ErrorKind::Mismatch(mismatch) if mismatch.field() == "invoice.network" => Advice::CheckNetwork,
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
