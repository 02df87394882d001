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
//! use std::time::Duration;
//! use strike_core::machine::{Call, Machine, Step};
//! use strike_core::{CoreClient, ApiKey, Delivery, Endpoint, ErrorKind, List, Network, Now, RetryPolicy};
//! use strike_core::{TransportError, TransportErrorKind, UnixMillis};
//!
//! # fn main() -> Result<(), strike_core::Error> {
//! let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
//! let mut call = CoreClient::new(at.clone(), RetryPolicy::default(), 7).call(List::page(0));
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

pub(crate) mod call;
pub(crate) mod context;
pub(crate) mod create_once;
pub(crate) mod order_memory;
pub(crate) mod paging;
pub(crate) mod pause;
pub(crate) mod retry_policy;
pub(crate) mod schedule;
pub(crate) mod verdict;
pub(crate) mod wait;
pub(crate) mod watch;
pub(crate) mod watch_handle;

pub use self::call::Call;
pub use self::create_once::CreateOnce;
pub(crate) use self::create_once::CreateOnceOptions;
pub use self::order_memory::{OrderMemory, OrderRecord};
pub use self::paging::{NextCharge, Pager};
pub(crate) use self::retry_policy::RetryPolicy;
pub(crate) use self::schedule::Schedule;
pub(crate) use self::wait::Wait;
pub use self::wait::WaitPaid;
pub use self::watch::NextEvent;
pub(crate) use self::watch::{Event, Watcher, WatcherSnapshot};
pub use self::watch_handle::SharedWatcher;
pub use crate::protocol::{Operation, RetrySafety};

use std::time::Duration;

use crate::errors::Error;
use crate::transport::{Exchange, Reply};
use crate::values::Now;

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
    pub(crate) fn ended<U>(self) -> Result<Result<T, Error>, Step<U>> {
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
