//! One operation with its retries, and the table of what each failure means for it.

use std::mem;
use std::time::Duration;

use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::verdict::{Verdict, asked_to_rest};
use crate::machine::{Machine, Step};
use crate::protocol::{Operation, RetrySafety, server_clock};
use crate::transport::{
    Attempt, AttemptOutcome, ConnectionUse, Delivery, Exchange, Reply, TransportError, TransportErrorKind,
};
use crate::values::{Now, UnixMillis};

/// One operation with its retries, as a [machine](crate::machine).
///
/// | what came of an attempt | get, list | create |
/// | --- | --- | --- |
/// | closed before any byte of the answer | at once, the first time; then backoff | outcome unknown |
/// | cut inside the answer; time ran out after sending | backoff | outcome unknown |
/// | refused, name not resolved, no connection: nothing was sent | backoff | backoff |
/// | certificate or TLS protocol error: nothing was sent | stop | stop |
/// | 2xx, too large or undecodable | stop | outcome unknown |
/// | a charge that differs from what was asked | stop | stop, with the charge in the error |
/// | 408, 425 | backoff | outcome unknown |
/// | every 5xx | `Retry-After`, stop if that is too long; without one backoff | outcome unknown |
/// | 429 | `Retry-After`, stop if that is too long; without one backoff | the same |
/// | 3xx, which is never followed | stop | outcome unknown |
/// | any other 4xx | stop | stop |
/// | polled instead of told: the reply is lost | backoff | outcome unknown |
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Call, Machine, Step};
/// use strike_core::{CoreClient, ApiKey, Create, Endpoint, ErrorKind, Network, NewCharge, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut call = CoreClient::new(at.clone(), RetryPolicy::default(), 7).call(Create::new(NewCharge::satoshis(4200, "tea")));
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// let Step::Send(exchange) = call.poll(now) else { panic!() };
/// assert_eq!(exchange.request.body(), b"amount=4200&currency=btc&description=tea");
///
/// // The server fails in a way that leaves open whether there is a charge now: it is not sent again.
/// call.handle(Ok(http::Response::builder().status(503).body(Vec::new()).unwrap()), now);
/// let Step::Done(Err(error)) = call.poll(now) else { panic!() };
/// assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Call<Op: Operation> {
    op: Op,
    context: Context,
    rng: fastrand::Rng,
    attempts: Vec<Attempt>,
    closed_before: bool,
    server_time: Option<UnixMillis>,
    state: State<Op::Output>,
}

#[derive(Debug)]
enum State<T> {
    Ready,
    InFlight { sent: Now },
    Resting(Pause),
    Ended(Result<T, Error>),
    Finished,
}

impl<Op: Operation> Call<Op> {
    /// Will carry out the operation there; `seed` drives the jitter alone.
    pub(crate) fn new(op: Op, context: Context) -> Self {
        Self {
            op,
            rng: context.rng(),
            context,
            attempts: Vec::new(),
            closed_before: false,
            server_time: None,
            state: State::Ready,
        }
    }

    /// The `Date` of the last answer, if it had one.
    pub(crate) const fn server_time(&self) -> Option<UnixMillis> {
        self.server_time
    }

    fn note(&mut self, sent: Now, now: Now, outcome: AttemptOutcome) {
        self.attempts.push(Attempt { sent: sent.monotonic, ended: now.monotonic, outcome });
    }

    fn no_answer(&mut self, error: TransportError, sent: Now, now: Now) -> State<Op::Output> {
        self.note(sent, now, AttemptOutcome::NoResponse(error.kind(), error.delivery()));
        let closed = self.context.endpoint.is_closed_service();
        self.after(self.context.endpoint.no_answer(self.op.describe(), error).of_closed_service(closed), now)
    }

    /// Where a failed attempt leads.
    fn after(&mut self, error: Error, now: Now) -> State<Op::Output> {
        let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let mut wait = self.context.policy.wait_after(failures, &mut self.rng);
        let again = match Verdict::of(&error, Op::REPLAY) {
            Verdict::Stop => false,
            Verdict::Backoff => true,
            Verdict::AtOnce => {
                if !mem::replace(&mut self.closed_before, true) {
                    wait = Duration::ZERO;
                }
                true
            }
            Verdict::Unknown => return self.end(error.into_unknown()),
        };
        let asked = asked_to_rest(&error, self.server_time, now);
        if again && failures < self.context.policy.attempts && asked <= self.context.policy.max_retry_after {
            State::Resting(Pause::new(wait.max(asked), now))
        } else {
            self.end(error)
        }
    }

    fn end(&mut self, error: Error) -> State<Op::Output> {
        State::Ended(Err(error.with_attempts(mem::take(&mut self.attempts))))
    }
}

impl<Op: Operation> Machine for Call<Op> {
    type Output = Op::Output;

    fn poll(&mut self, now: Now) -> Step<Op::Output> {
        loop {
            match mem::replace(&mut self.state, State::Finished) {
                State::Ready => match self.op.request(&self.context.endpoint) {
                    Ok(request) => {
                        self.state = State::InFlight { sent: now };
                        let policy = &self.context.policy;
                        let mut exchange = Exchange::new(request, policy.timeout, policy.max_body);
                        exchange.operation = Op::NAME;
                        exchange.attempt =
                            u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
                        if Op::REPLAY == RetrySafety::OnlyIfUnsent && !policy.reuse_connections_for_creates {
                            exchange.connection = ConnectionUse::New;
                        }
                        return Step::Send(exchange);
                    }
                    Err(error) => return Step::Done(Err(error)),
                },
                State::InFlight { sent } => {
                    let lost = TransportError::new(TransportErrorKind::Lost, Delivery::MaybeSent);
                    self.state = self.no_answer(lost, sent, now);
                }
                State::Resting(mut pause) => match pause.left(now) {
                    Some(left) => {
                        self.state = State::Resting(pause);
                        return Step::Wait(left);
                    }
                    None => self.state = State::Ready,
                },
                State::Ended(result) => return Step::Done(result),
                State::Finished => return Step::Done(Err(Error::finished())),
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        let State::InFlight { sent } = self.state else { return };
        self.state = match reply {
            Err(error) => self.no_answer(error, sent, now),
            Ok(response) => {
                let status = response.status();
                self.note(sent, now, AttemptOutcome::Status(status.as_u16()));
                self.server_time = server_clock::date(response.headers());
                let limit = self.context.policy.max_body;
                if status.is_success() && response.body().len() > limit {
                    let error = Error::new(self.op.describe(), ErrorKind::TooLarge { limit });
                    self.after(error.with_status(status.as_u16()), now)
                } else {
                    match self.op.parse(&self.context.endpoint, &response, now) {
                        Ok(output) => State::Ended(Ok(output)),
                        Err(error) => self.after(error, now),
                    }
                }
            }
        };
    }
}
