//! How core builds its errors.

use std::error::Error as StdError;

use super::{Advice, ApiError, Error, ErrorKind, Inner, RetryAfter};
use crate::transport::{Attempt, TransportError};
use crate::values::{Charge, InvalidInput};

impl Error {
    pub(crate) fn new(operation: impl Into<String>, kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            operation: operation.into(),
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

    pub(crate) fn no_response(operation: impl Into<String>, error: TransportError) -> Self {
        let kind = ErrorKind::Connection { kind: error.kind(), delivery: error.delivery() };
        Self::new(operation, kind).with_source(error)
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

    /// Replaces the advice of the kind, where the operation knows better.
    pub(crate) fn with_advice(mut self, advice: Advice) -> Self {
        self.0.advice = Some(advice);
        self
    }

    /// Adapts the advice to a request that names no charge: a 404 is then about the base URL.
    pub(crate) fn of_no_charge(self) -> Self {
        if self.0.kind == ErrorKind::NotFound { self.with_advice(Advice::CheckHost) } else { self }
    }

    pub(crate) fn with_retry_after(mut self, when: Option<RetryAfter>) -> Self {
        self.0.retry_after = when;
        self
    }

    pub(crate) fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.0.operation = operation.into();
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

    /// Returns the error of a create that the server may have carried out. This error becomes its source.
    pub(crate) fn into_unknown(self) -> Self {
        let mut unknown = Self::new(self.0.operation.clone(), ErrorKind::OutcomeUnknown);
        unknown.0.status = self.0.status;
        unknown.0.api = self.0.api.clone();
        unknown.0.excerpt = self.0.excerpt.clone();
        unknown.0.retry_after = self.0.retry_after;
        unknown.with_source(self)
    }

    /// Adds an error that happened while this unknown outcome was being resolved.
    ///
    /// Its attempts are appended. If it has no source of its own, it becomes the source of this error, and the former
    /// source becomes its source.
    pub(crate) fn followed_by(mut self, mut later: Self) -> Self {
        self.0.attempts.append(&mut later.0.attempts.clone());
        if later.0.source.is_none() {
            later.0.source = self.0.source.take();
            self.0.charge = later.0.charge.clone();
            self.0.source = Some(Box::new(later));
        }
        self
    }

    /// Returns the order's charge, if the two clocks disagree on whether its invoice has expired.
    pub(crate) fn disputed_charge(&self) -> Option<&Charge> {
        self.charge().filter(|_| self.advice() == Advice::CheckClock)
    }
}

impl From<InvalidInput> for Error {
    fn from(input: InvalidInput) -> Self {
        Self::new("", ErrorKind::InvalidInput(input))
    }
}
