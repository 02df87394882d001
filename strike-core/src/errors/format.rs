//! How errors are written, for people and for debugging.

use std::fmt;

use super::{Error, ErrorKind};

impl fmt::Display for Error {
    /// Writes one line: the operation, what failed, and what to do next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let status = inner.status.unwrap_or_default();
        if !inner.operation.is_empty() {
            write!(f, "{}: ", inner.operation)?;
        }
        match &inner.kind {
            ErrorKind::InvalidInput(input) if inner.operation.is_empty() => write!(f, "{input}")?,
            ErrorKind::InvalidInput(input) => write!(f, "{input}; nothing was sent")?,
            ErrorKind::Connection { kind, .. } => f.write_str(kind.as_str())?,
            ErrorKind::OutcomeUnknown => {
                f.write_str("the outcome is unknown, because the request may have arrived")?;
                if inner.status.is_some() {
                    write!(f, "; the server responded {status}")?;
                }
            }
            ErrorKind::TooLarge { limit } => {
                write!(f, "the response is larger than the {limit} bytes of `RetryPolicy::max_body`")?
            }
            ErrorKind::Mismatch(mismatch) => {
                write!(f, "the response does not match the request: {mismatch}")?
            }
            ErrorKind::Incomplete => {
                f.write_str("the end of the list was not reached, so charges may be missing")?
            }
            ErrorKind::AlreadyFinished => f.write_str("the machine has already finished")?,
            ErrorKind::Undecodable => {
                write!(f, "the server responded {status} with a body that is not the API's")?;
            }
            ErrorKind::BadRequest
            | ErrorKind::Unauthorized
            | ErrorKind::NotFound
            | ErrorKind::PathNotFound
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Rejected
            | ErrorKind::Server
            | ErrorKind::Redirected => write!(f, "the server responded {status}")?,
        }
        if let Some(api) = &inner.api {
            write!(f, " {:?}", api.message())?;
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
            .field("operation", &inner.operation)
            .field("kind", &inner.kind)
            .field("advice", &self.advice())
            .field("status", &inner.status)
            .field("api", &inner.api)
            .field("excerpt", &inner.excerpt)
            // The charge, its id included, is the server's text and could contain the key.
            .field("charge", &inner.charge.is_some())
            .field("attempts", &inner.attempts)
            .field("retry_after", &inner.retry_after)
            .field("source", &inner.source)
            .finish()
    }
}
