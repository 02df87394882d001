//! One operation with its retries, and the table of what each failure means for it.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::endpoint::Endpoint;
use crate::error::{Attempt, AttemptOutcome, Error, ErrorKind, RetryAfter};
use crate::machine::{ConnectionUse, Exchange, Machine, Now, Reply, Step};
use crate::op::{Operation, RetrySafety};
use crate::policy::RetryPolicy;
use crate::server_clock;
use crate::transport::{Delivery, TransportError, TransportErrorKind};
use crate::types::UnixMillis;

/// What a failure means for an operation. See the table in [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Asking again would not help, or is not wanted.
    Stop,
    /// Ask again at once, the first time; back off after that.
    AtOnce,
    /// Ask again after a while.
    Backoff,
    /// It may have been done: never ask again, say so.
    Unknown,
}

impl Verdict {
    pub(crate) fn of(error: &Error, replay: RetrySafety) -> Self {
        let doubt = match replay {
            RetrySafety::Safe => Self::Backoff,
            RetrySafety::OnlyIfUnsent => Self::Unknown,
        };
        match (error.kind(), error.status()) {
            (ErrorKind::Connection { kind, delivery }, _) => match (kind, delivery, replay) {
                (TransportErrorKind::Tls | TransportErrorKind::Setup, Delivery::Unsent, _) => Self::Stop,
                (_, Delivery::Unsent, _) => Self::Backoff,
                (TransportErrorKind::Closed, Delivery::MaybeSent, RetrySafety::Safe) => Self::AtOnce,
                _ => doubt,
            },
            (ErrorKind::Server, _) | (ErrorKind::Rejected, Some(408 | 425)) => doubt,
            (ErrorKind::RateLimited { .. }, _) => Self::Backoff,
            // A redirect may well mean "done, look there".
            (ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::Redirected, _) => {
                match replay {
                    RetrySafety::Safe => Self::Stop,
                    RetrySafety::OnlyIfUnsent => Self::Unknown,
                }
            }
            _ => Self::Stop,
        }
    }

    /// Whether a look that failed like this may succeed later, for whoever looks again and again.
    pub(crate) fn may_pass(error: &Error) -> bool {
        match error.kind() {
            // A proxy's page in between, say: asking again does no harm.
            ErrorKind::Undecodable | ErrorKind::TooLarge { .. } | ErrorKind::PathNotFound => true,
            _ => Self::of(error, RetrySafety::Safe) != Self::Stop,
        }
    }
}

/// A rest on the monotonic clock that counts only time that passes: a clock set back does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    left: Duration,
    seen: Duration,
}

impl Pause {
    pub(crate) const fn new(length: Duration, now: Now) -> Self {
        Self { left: length, seen: now.monotonic }
    }

    /// What is left of it, if anything.
    pub(crate) fn left(&mut self, now: Now) -> Option<Duration> {
        self.left = self.left.saturating_sub(now.monotonic.saturating_sub(self.seen));
        self.seen = now.monotonic;
        Some(self.left).filter(|left| !left.is_zero())
    }
}

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
/// use core::time::Duration;
/// use strike_core::{ApiKey, Call, Create, Endpoint, ErrorKind, Machine, Network, NewCharge, Now, RetryPolicy, Step, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut call = Call::new(Create::new(NewCharge::satoshis(4200, "tea")), &at, RetryPolicy::default(), 7);
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
    at: Endpoint,
    policy: RetryPolicy,
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
    #[must_use]
    pub fn new(op: Op, at: &Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self {
            op,
            at: at.clone(),
            policy,
            rng: fastrand::Rng::with_seed(seed),
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
        let closed = self.at.is_closed_service();
        self.after(self.at.no_answer(self.op.asked(), error).of_closed_service(closed), now)
    }

    /// Where a failed attempt leads.
    fn after(&mut self, error: Error, now: Now) -> State<Op::Output> {
        let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let mut wait = self.policy.wait_after(failures, &mut self.rng);
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
        if again && failures < self.policy.attempts && asked <= self.policy.max_retry_after {
            State::Resting(Pause::new(wait.max(asked), now))
        } else {
            self.end(error)
        }
    }

    fn end(&mut self, error: Error) -> State<Op::Output> {
        State::Ended(Err(error.with_attempts(mem::take(&mut self.attempts))))
    }
}

/// How long the server wants not to be asked. A date is compared with the server's own clock, if it is known.
pub(crate) fn asked_to_rest(error: &Error, server_time: Option<UnixMillis>, now: Now) -> Duration {
    match error.retry_after() {
        None => Duration::ZERO,
        Some(RetryAfter::In(wait)) => wait,
        Some(RetryAfter::At(moment)) => moment.saturating_since(server_time.unwrap_or(now.unix)),
    }
}

impl<Op: Operation> Machine for Call<Op> {
    type Output = Op::Output;

    fn poll(&mut self, now: Now) -> Step<Op::Output> {
        loop {
            match mem::replace(&mut self.state, State::Finished) {
                State::Ready => match self.op.request(&self.at) {
                    Ok(request) => {
                        self.state = State::InFlight { sent: now };
                        let policy = &self.policy;
                        let mut exchange = Exchange::new(request, policy.timeout, policy.max_body);
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
                let limit = self.policy.max_body;
                if status.is_success() && response.body().len() > limit {
                    let error = Error::new(self.op.asked(), ErrorKind::TooLarge { limit });
                    self.after(error.with_status(status.as_u16()), now)
                } else {
                    match self.op.parse(&self.at, &response, now) {
                        Ok(output) => State::Ended(Ok(output)),
                        Err(error) => self.after(error, now),
                    }
                }
            }
        };
    }
}
