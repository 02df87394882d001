//! The whole contract between what thinks (machines, here) and what moves bytes (adapters, elsewhere).
//!
//! A [`Machine`] is a state machine that is asked what to do next and told what came of it. It never
//! opens a socket, sleeps, reads a clock or draws a random number: those are handed in.
//!
//! # The contract
//!
//! * [`poll`](Machine::poll) says what to do: [`Step::Send`] an exchange, [`Step::Wait`] and poll again, or
//!   [`Step::Done`].
//! * After `Send`, call [`handle`](Machine::handle) exactly once with what came back, then poll again.
//! * Polling again *instead of* handling means that the reply is lost. An operation that is safe to repeat
//!   is asked again, and the lost attempt is counted; a create ends as
//!   [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). So a dropped future and a killed thread leave a
//!   defined state.
//! * Polling before a `Wait` is over returns the remainder.
//! * A `handle` that nobody asked for is ignored.
//! * After `Done`, every poll says [`AlreadyFinished`](crate::ErrorKind::AlreadyFinished).
//! * No order of calls, no reply and no clock, not even one that runs backwards, makes a machine panic.
//!
//! ```
//! use core::time::Duration;
//! use strike_core::{ApiKey, Call, Endpoint, ErrorKind, List, Network, RetryPolicy, UnixMillis};
//! use strike_core::{Machine, Now, Step, TransportError, TransportErrorKind, Delivery};
//!
//! # fn main() -> Result<(), strike_core::Error> {
//! let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
//! let mut call = Call::new(List::page(0), &at, RetryPolicy::default(), 7);
//! let at_second = |s| Now::new(Duration::from_secs(s), UnixMillis::from_secs(1_700_000_000 + s));
//!
//! // It asks for an exchange, and is told that the host cannot be reached.
//! assert!(matches!(call.poll(at_second(0)), Step::Send(_)));
//! call.handle(Err(TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent)), at_second(0));
//! // It backs off; an early poll returns the remainder.
//! let Step::Wait(first) = call.poll(at_second(0)) else { panic!("expected a wait") };
//! assert!(matches!(call.poll(at_second(0)), Step::Wait(rest) if rest == first));
//! // A reply that nobody asked for is ignored.
//! call.handle(Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent)), at_second(0));
//! assert!(matches!(call.poll(at_second(0)), Step::Wait(rest) if rest == first));
//!
//! // Later it asks again. This time the reply is lost: the machine is polled instead of told.
//! assert!(matches!(call.poll(at_second(60)), Step::Send(_)));
//! assert!(matches!(call.poll(at_second(120)), Step::Wait(_)));
//! assert!(matches!(call.poll(at_second(180)), Step::Send(_)));
//! call.handle(Ok(http::Response::new(b"[ ]".to_vec())), at_second(180));
//! let Step::Done(Ok(page)) = call.poll(at_second(180)) else { panic!("expected a page") };
//! assert_eq!(page.rows(), 0);
//!
//! // After `Done` comes `AlreadyFinished`.
//! let Step::Done(Err(error)) = call.poll(at_second(180)) else { panic!("expected an error") };
//! assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
//! # Ok(()) }
//! ```

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::error::Error;
use crate::transport::TransportError;
use crate::types::UnixMillis;

/// A request as core builds it: complete, with every header it needs but those of HTTP's own framing.
pub type HttpRequest = http::Request<Vec<u8>>;

/// A response as a transport hands it over, whatever its status.
pub type HttpResponse = http::Response<Vec<u8>>;

/// What came of an [`Exchange`]: an answer with any status, or none and why.
pub type Reply = Result<HttpResponse, TransportError>;

/// One reading of both clocks, made by whoever drives the machine.
///
/// Durations and timeouts use `monotonic` alone; `unix` serves invoice expiry and dated `Retry-After` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a reading of two clocks has two parts")]
pub struct Now {
    /// Time since a start that the driver chooses once and keeps; it should not run backwards.
    pub monotonic: Duration,
    /// The wall clock, in milliseconds since the epoch; it may jump either way.
    pub unix: UnixMillis,
}

impl Now {
    /// Puts one reading together.
    #[must_use]
    pub const fn new(monotonic: Duration, unix: UnixMillis) -> Self {
        Self { monotonic, unix }
    }
}

/// One HTTP exchange to be made: what to send, and within which limits.
///
/// A transport sends exactly `request`, adds only HTTP's own framing (`Host`, `Content-Length`, `Connection`),
/// follows no redirect, retries nothing, and treats every status as an answer.
#[non_exhaustive]
pub struct Exchange {
    /// What to send.
    pub request: HttpRequest,
    /// For the whole exchange, from looking up the name to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes of body that are wanted. A transport stops reading one byte later and hands over what
    /// it has: core sees from the length that the body was too large, and still learns the status.
    pub max_body: usize,
    /// Which connections the request may use.
    pub connection: ConnectionUse,
}

impl Exchange {
    /// An exchange within these limits, on any connection; for a machine of one's own, or to test a transport.
    #[must_use]
    pub const fn new(request: HttpRequest, timeout: Duration, max_body: usize) -> Self {
        Self { request, timeout, max_body, connection: ConnectionUse::Any }
    }
}

/// Which connections the request of an [`Exchange`] may use.
///
/// A server may close an idle connection at the moment a request is sent on it. A read is retried then. A create is not,
/// because nobody knows whether the server has processed it. So a create uses a new connection by default; see
/// [`RetryPolicy::reuse_connections_for_creates`](crate::RetryPolicy::reuse_connections_for_creates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a transport must handle both")]
pub enum ConnectionUse {
    /// A kept connection or a new one.
    #[default]
    Any,
    /// Only a new connection: no other request was sent on it before. It may be kept for later exchanges.
    New,
}

impl fmt::Debug for Exchange {
    /// Shows method, path and limits; neither headers nor body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", self.request.method())
            .field("path", &self.request.uri().path())
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// What a machine wants done next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must answer all three")]
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times and then gone; a box would cost more"
)]
pub enum Step<T> {
    /// Make this exchange, then call [`Machine::handle`] once.
    Send(Exchange),
    /// Poll again after this long; earlier is harmless.
    Wait(Duration),
    /// The end.
    Done(Result<T, Error>),
}

impl<T> Step<T> {
    /// For a machine made of machines: the end of the inner one, or the step to hand on.
    ///
    /// # Errors
    /// The step itself, as a step of the outer machine, if it is not the end.
    #[expect(clippy::result_large_err, reason = "neither side is an error, and both are on their way out")]
    pub fn ended<U>(self) -> Result<Result<T, Error>, Step<U>> {
        match self {
            Self::Done(result) => Ok(result),
            Self::Send(exchange) => Err(Step::Send(exchange)),
            Self::Wait(wait) => Err(Step::Wait(wait)),
        }
    }
}

/// A state machine that is driven by somebody with sockets and clocks; see the [module](self) for the contract.
pub trait Machine {
    /// What it ends with.
    type Output;

    /// Says what to do next.
    fn poll(&mut self, now: Now) -> Step<Self::Output>;

    /// Takes what came of the exchange that the last poll asked for.
    fn handle(&mut self, reply: Reply, now: Now);
}

impl<M: Machine + ?Sized> Machine for &mut M {
    type Output = M::Output;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        (**self).poll(now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        (**self).handle(reply, now);
    }
}
