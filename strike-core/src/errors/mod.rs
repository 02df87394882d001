//! Errors: what was requested, what came back, and what to do next.

mod advice;
mod api_error;
mod build;
mod format;
mod kind;
mod mismatch;

pub use self::advice::Advice;
pub use self::api_error::ApiError;
pub use self::kind::{ErrorKind, RetryAfter};
pub use self::mismatch::Mismatch;

use std::error::Error as StdError;

use crate::transport::{Attempt, TransportErrorKind};
use crate::values::Charge;

/// The error of every operation.
///
/// [`kind`](Self::kind) says what failed and [`advice`](Self::advice) what to do next. `Display` writes both in one
/// line. An error never contains the API key or the base URL. It is one pointer wide, `Send` and `Sync`, and its
/// [source](StdError::source) chain is intact, so `?` converts it into `anyhow::Error` or `eyre::Report`.
///
/// | question | method |
/// | --- | --- |
/// | Did it time out? | [`is_timeout`](Self::is_timeout) |
/// | May the same call succeed later? | [`is_retryable`](Self::is_retryable) |
/// | May the server have created a charge? | [`may_have_created_charge`](Self::may_have_created_charge) |
/// | Which status did the server send? | [`status`](Self::status) |
/// | What did the server say? | [`server_message`](Self::server_message) |
///
/// ```
/// use strike_core::{Advice, ApiKey, Error, ErrorKind};
///
/// let error = Error::from(ApiKey::new("sk demo").unwrap_err());
/// assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "api key"));
/// assert_eq!(error.advice(), Advice::FixInput);
/// assert!(!error.is_retryable());
/// assert!(!error.to_string().contains("sk demo"));
/// ```
///
/// These are pystrike's exceptions; [`ErrorKind::pystrike_name`] returns them:
///
/// | pystrike | [`ErrorKind`] |
/// | --- | --- |
/// | `ConnectionException` | `Connection`, `OutcomeUnknown` |
/// | `ClientRequestException` | `InvalidInput`, `BadRequest`, `Unauthorized`, `RateLimited`, `Rejected` |
/// | `ChargeNotFoundException`, a `ClientRequestException` | `NotFound` |
/// | `UnexpectedResponseException` | `Undecodable`, `TooLarge`, `Mismatch`, `Redirected`, `PathNotFound` |
/// | `ServerErrorException` | `Server` |
/// | none | `Incomplete`, `AlreadyFinished` |
pub struct Error(Box<Inner>);

struct Inner {
    operation: String,
    kind: ErrorKind,
    status: Option<u16>,
    api: Option<ApiError>,
    excerpt: Option<String>,
    charge: Option<Charge>,
    attempts: Vec<Attempt>,
    retry_after: Option<RetryAfter>,
    /// Replaces the advice of the kind.
    advice: Option<Advice>,
    service_closed: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Returns what failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns what to do next.
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
            ErrorKind::BadRequest if self.0.api.as_ref().is_some_and(|api| api.code() == 400) => {
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
            ErrorKind::Mismatch(mismatch) if mismatch.field() == Mismatch::NETWORK => Advice::CheckNetwork,
            ErrorKind::Mismatch(mismatch) if mismatch.field() == Mismatch::CREDENTIAL => {
                Advice::UseReceiveOnlyCredential
            }
            ErrorKind::Mismatch(_) => Advice::DoNotUse,
            ErrorKind::AlreadyFinished => Advice::CreateNewMachine,
        }
    }

    /// Returns true if the last attempt timed out, also if the outcome of a create is unknown because of that.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Connection { kind, .. } => *kind == TransportErrorKind::Timeout,
            ErrorKind::OutcomeUnknown => {
                let source = self.0.source.as_deref().and_then(|source| source.downcast_ref::<Self>());
                source.is_some_and(Self::is_timeout)
            }
            _ => false,
        }
    }

    /// Returns true if the same call may succeed later, and repeating it cannot create a second charge.
    ///
    /// It is true exactly if [`advice`](Self::advice) is [`Advice::RetryLater`]. It is false if the outcome of a create
    /// is unknown: call `create_once` with the same key then.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.advice() == Advice::RetryLater
    }

    /// Returns true if the server may have created a charge, although the operation failed.
    ///
    /// It is true if the outcome of a create is unknown, and if the server returned a charge that differs from the
    /// order. Before you create another charge, call `create_once` with the same key.
    #[must_use]
    pub fn may_have_created_charge(&self) -> bool {
        self.0.kind == ErrorKind::OutcomeUnknown || self.0.charge.is_some()
    }

    /// Returns the HTTP status of the last response, or `None` if there was no response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns when the server wants the next request: the `Retry-After` header of a 429 or a 5xx response.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.0.retry_after
    }

    /// Returns the error body of the response, if it has the form of the API's errors.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// Returns the start of a response body that does not have that form, such as a proxy's error page.
    ///
    /// It is at most 200 characters, without control characters. A body that may contain the key or a preimage is
    /// withheld.
    #[must_use]
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// Returns the server's message: of its error body, or else the [`excerpt`](Self::excerpt) of another body.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.api.as_ref().map(ApiError::message).or_else(|| self.excerpt())
    }

    /// Returns the charge that the server created or returned, although it differs from what was requested.
    #[must_use]
    pub fn charge(&self) -> Option<&Charge> {
        self.0.charge.as_ref()
    }

    /// Returns every attempt, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
