//! The types that a transport receives and returns: exchanges, replies and transport errors.

mod attempt;
mod certificates;
mod error;
mod exchange;

pub use self::attempt::{Attempt, AttemptOutcome, AttemptReport, Observer, StartedAttempt};
pub use self::certificates::check_certificates;
pub use self::error::{Delivery, TransportError, TransportErrorKind};
pub use self::exchange::{ConnectionUse, Exchange, HttpRequest, HttpResponse, Reply};
