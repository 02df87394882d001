//! The sans-IO state machines, and the contract between a machine and the code that drives it.
//!
//! A [`Machine`] decides what happens next: send a request, wait, or end. It does not open sockets,
//! sleep, read a clock or draw random numbers. The driver does the I/O and passes in replies and
//! clock readings. `strike-blocking` and `strike-async` are two such drivers. You need this module
//! only to write your own, or to test without a network.
//!
//! # One operation, step by step
//!
//! ```text
//!   driver                                 machine
//!     │                                       │
//!     │ ── poll(now) ───────────────────────> │
//!     │ <─────────────── Step::Send(exchange) │
//!     │                                       │
//!     │    (sends the request over HTTP)      │
//!     │                                       │
//!     │ ── handle(reply, now) ──────────────> │
//!     │ ── poll(now) ───────────────────────> │
//!     │ <─────────────── Step::Wait(duration) │   only if a retry or a later request is due
//!     │                                       │
//!     │    (sleeps, polls again, sends, ...)  │
//!     │                                       │
//!     │ ── poll(now) ───────────────────────> │
//!     │ <───────────────── Step::Done(result) │
//! ```
//!
//! # The contract
//!
//! * [`poll`](Machine::poll) returns the next step: [`Step::Send`], [`Step::Wait`] or
//!   [`Step::Done`].
//! * After `Send`, make the exchange. Call [`handle`](Machine::handle) exactly once with the reply,
//!   then poll again.
//! * If you poll instead of calling `handle`, the reply counts as lost. A read is retried, and the
//!   lost attempt is counted. A create ends as
//!   [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). So the state stays correct if a future
//!   is dropped or a thread is killed.
//! * After `Wait`, poll again after that time. If you poll earlier, you get the rest of the wait.
//! * A call of `handle` that does not follow a `Send` is ignored.
//! * After `Done`, every poll returns [`AlreadyFinished`](crate::ErrorKind::AlreadyFinished).
//! * A machine never panics. You may call it in any order, with any reply, and with clocks that run
//!   backwards.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use strike_core::machine::{Machine, Step};
//! use strike_core::{ApiKey, CoreClient, Delivery, Endpoint, ErrorKind, List, Network, Now};
//! use strike_core::{RetryPolicy, TransportError, TransportErrorKind, UnixMillis};
//!
//! # fn main() -> Result<(), strike_core::Error> {
//! let url = "http://127.0.0.1:8420/api/v1/";
//! let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
//! let mut call = CoreClient::new(endpoint, RetryPolicy::default(), 7).call(List::page(0));
//! let second = |s| Now::new(Duration::from_secs(s), UnixMillis::from_secs(1_700_000_000 + s));
//!
//! // The machine wants to send a request. The driver cannot reach the server.
//! assert!(matches!(call.poll(second(0)), Step::Send(_)));
//! let refused = TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
//! call.handle(Err(refused), second(0));
//!
//! // The machine backs off. An early poll returns the rest of the wait.
//! let Step::Wait(wait) = call.poll(second(0)) else { panic!("expected a wait") };
//! assert!(matches!(call.poll(second(0)), Step::Wait(rest) if rest == wait));
//!
//! // No request is in flight, so this reply is ignored.
//! let closed = TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent);
//! call.handle(Err(closed), second(0));
//! assert!(matches!(call.poll(second(0)), Step::Wait(rest) if rest == wait));
//!
//! // The machine retries. This time the driver loses the reply and polls instead.
//! assert!(matches!(call.poll(second(60)), Step::Send(_)));
//! assert!(matches!(call.poll(second(120)), Step::Wait(_)));
//!
//! // The third attempt succeeds.
//! assert!(matches!(call.poll(second(180)), Step::Send(_)));
//! call.handle(Ok(http::Response::new(b"[ ]".to_vec())), second(180));
//! let Step::Done(Ok(page)) = call.poll(second(180)) else { panic!("expected a page") };
//! assert_eq!(page.rows(), 0);
//!
//! // The machine has ended.
//! let Step::Done(Err(error)) = call.poll(second(180)) else { panic!("expected an error") };
//! assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
//! # Ok(()) }
//! ```

pub(crate) mod call;
pub(crate) mod context;
pub(crate) mod create_once;
pub(crate) mod order_memory;
pub(crate) mod paging;
pub(crate) mod pause;
pub(crate) mod retry_decision;
pub(crate) mod retry_policy;
pub(crate) mod schedule;
pub(crate) mod setup_check;
pub(crate) mod wait;
pub(crate) mod watch;
pub(crate) mod watch_handle;

pub use self::call::Call;
pub use self::create_once::CreateOnce;
pub(crate) use self::create_once::{CreateOnceOptions, ListMemory};
pub use self::order_memory::{OrderMemory, OrderRecord};
pub use self::paging::{NextCharge, NextPage, PageCharges, Pager};
pub(crate) use self::retry_policy::RetryPolicy;
pub(crate) use self::schedule::Schedule;
pub use self::setup_check::SetupCheck;
pub(crate) use self::wait::Wait;
pub use self::wait::WaitPaid;
pub use self::watch::NextEvent;
pub(crate) use self::watch::{Event, Watcher, WatcherSnapshot};
pub use self::watch_handle::{SharedWatcher, WatchLane};
pub use crate::protocol::{Operation, RetrySafety};

use std::ops::ControlFlow;
use std::time::Duration;

use crate::errors::Error;
use crate::transport::{Exchange, Reply};
use crate::values::Now;

/// The next thing to do for a machine, as returned by [`Machine::poll`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle all three")]
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times and then dropped; a box would cost more"
)]
pub enum Step<T> {
    /// Make this exchange, then call [`Machine::handle`] once with the reply.
    Send(Exchange),
    /// Poll again after this time. Polling earlier is harmless.
    Wait(Duration),
    /// The machine has ended with this result.
    Done(Result<T, Error>),
}

impl<T> Step<T> {
    /// Returns the result of an inner machine that has ended. Otherwise breaks with the step, for
    /// the outer machine to return. So an outer machine can write `let result =
    /// inner.poll(now).done()?;`.
    pub(crate) fn done<U>(self) -> ControlFlow<Step<U>, Result<T, Error>> {
        match self {
            Self::Done(result) => ControlFlow::Continue(result),
            Self::Send(exchange) => ControlFlow::Break(Step::Send(exchange)),
            Self::Wait(wait) => ControlFlow::Break(Step::Wait(wait)),
        }
    }
}

/// A state machine that is driven from outside; see the [module](self) for the contract.
///
/// This driver runs any machine over a transport. It has no async runtime and no connection pool:
///
/// ```
/// use std::time::Instant;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{Error, Exchange, Now, Reply, UnixMillis};
///
/// fn drive<M: Machine>(
///     machine: &mut M,
///     send: impl Fn(Exchange) -> Reply,
/// ) -> Result<M::Output, Error> {
///     let start = Instant::now();
///     // A real driver uses the system clock here.
///     let now = || Now::new(start.elapsed(), UnixMillis::from_secs(1_700_000_000));
///     loop {
///         match machine.poll(now()) {
///             Step::Send(exchange) => machine.handle(send(exchange), now()),
///             Step::Wait(wait) => std::thread::sleep(wait),
///             Step::Done(result) => return result,
///         }
///     }
/// }
/// # use strike_core::{ApiKey, CoreClient, Endpoint, List, Network, RetryPolicy};
/// let url = "http://127.0.0.1:8420/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// # let mut call = CoreClient::new(endpoint, RetryPolicy::default(), 7).call(List::page(0));
/// # assert_eq!(drive(&mut call, |_| Ok(http::Response::new(b"[ ]".to_vec())))?.rows(), 0);
/// # Ok::<(), Error>(())
/// ```
pub trait Machine {
    /// The value of a machine that ends without an error.
    type Output;

    /// Returns the next step.
    fn poll(&mut self, now: Now) -> Step<Self::Output>;

    /// Passes in the reply to the exchange of the last [`Step::Send`].
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
