//! One operation with its retries.

use std::mem;
use std::time::Duration;

use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::retry_decision::{RetryDecision, requested_delay};
use crate::machine::{Machine, Step};
use crate::protocol::{Operation, RetrySafety, server_clock};
use crate::transport::{
    Attempt, AttemptOutcome, ConnectionUse, Delivery, Exchange, Reply, TransportError, TransportErrorKind,
};
use crate::values::{Now, UnixMillis};

/// One operation with its retries, as a [machine](crate::machine).
///
/// This table shows what each failure means. "Backoff" is a retry after the delay of the
/// [`RetryPolicy`](crate::RetryPolicy), until its attempts are used up. "Stop" is an error without
/// a retry. "Outcome unknown" is the error [`OutcomeUnknown`](ErrorKind::OutcomeUnknown): the
/// server may have created a charge.
///
/// | failure of an attempt | get, list | create |
/// | --- | --- | --- |
/// | connection closed before the first byte of the response | retry at once the first time, then backoff | outcome unknown |
/// | response truncated; timeout after the request was sent | backoff | outcome unknown |
/// | connection refused, name not resolved, no connection: nothing was sent | backoff | backoff |
/// | certificate or TLS protocol error: nothing was sent | stop | stop |
/// | 2xx, too large or undecodable | stop | outcome unknown |
/// | 2xx, with a charge that differs from the request | stop | stop, with the charge in the error |
/// | 408, 425 | backoff | outcome unknown |
/// | 5xx | wait for `Retry-After`, stop if it is too long; without one backoff | outcome unknown |
/// | 429 | wait for `Retry-After`, stop if it is too long; without one backoff | the same |
/// | 3xx (redirects are not followed) | stop | outcome unknown |
/// | other 4xx | stop | stop |
/// | the driver polls instead of passing in a reply | backoff | outcome unknown |
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, CoreClient, Create, Endpoint, ErrorKind, Network};
/// use strike_core::{NewCharge, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = CoreClient::new(endpoint, RetryPolicy::default(), 7);
/// let mut call = client.call(Create::new(NewCharge::satoshis(4200, "tea")));
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// let Step::Send(exchange) = call.poll(now) else { panic!("expected a request") };
/// assert_eq!(exchange.request.body(), b"amount=4200&currency=btc&description=tea");
///
/// // After a 503 the charge may exist. The create is not retried.
/// call.handle(Ok(http::Response::builder().status(503).body(Vec::new()).unwrap()), now);
/// let Step::Done(Err(error)) = call.poll(now) else { panic!("expected an error") };
/// assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Call<Op: Operation> {
    op: Op,
    context: Context,
    rng: fastrand::Rng,
    attempts: Vec<Attempt>,
    /// Whether a connection was closed before the response. The next such failure is not retried at
    /// once.
    closed_once: bool,
    server_time: Option<UnixMillis>,
    state: State<Op::Output>,
}

#[derive(Debug)]
enum State<T> {
    Ready,
    InFlight { sent: Now },
    Waiting(Pause),
    Ended(Result<T, Error>),
    Finished,
}

impl<Op: Operation> Call<Op> {
    pub(crate) fn new(op: Op, context: Context) -> Self {
        Self {
            op,
            rng: context.rng(),
            context,
            attempts: Vec::new(),
            closed_once: false,
            server_time: None,
            state: State::Ready,
        }
    }

    /// Returns the `Date` of the last response, if it had one.
    pub(crate) const fn server_time(&self) -> Option<UnixMillis> {
        self.server_time
    }

    fn record_attempt(&mut self, sent: Now, now: Now, outcome: AttemptOutcome) {
        self.attempts.push(Attempt { sent: sent.monotonic, ended: now.monotonic, outcome });
    }

    fn no_response(&mut self, error: TransportError, sent: Now, now: Now) -> State<Op::Output> {
        self.record_attempt(sent, now, AttemptOutcome::NoResponse(error.kind(), error.delivery()));
        let closed = self.context.endpoint.is_closed_service();
        let error = self.context.endpoint.no_answer(self.op.describe(), error).of_closed_service(closed);
        self.after_failure(error, now)
    }

    /// Returns the state after a failed attempt.
    fn after_failure(&mut self, error: Error, now: Now) -> State<Op::Output> {
        let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let mut wait = self.context.policy.wait_after(failures, &mut self.rng);
        let retry = match RetryDecision::of(&error, Op::REPLAY) {
            RetryDecision::Stop => false,
            RetryDecision::Backoff => true,
            RetryDecision::RetryNow => {
                if !mem::replace(&mut self.closed_once, true) {
                    wait = Duration::ZERO;
                }
                true
            }
            RetryDecision::OutcomeUnknown => return self.end(error.into_unknown()),
        };
        let policy = &self.context.policy;
        let requested = requested_delay(&error, self.server_time, now);
        if retry && failures < policy.attempts && requested <= policy.max_retry_after {
            State::Waiting(Pause::new(wait.max(requested), now))
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
                    self.state = self.no_response(lost, sent, now);
                }
                State::Waiting(mut pause) => match pause.left(now) {
                    Some(left) => {
                        self.state = State::Waiting(pause);
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
            Err(error) => self.no_response(error, sent, now),
            Ok(response) => {
                let status = response.status();
                self.record_attempt(sent, now, AttemptOutcome::Status(status.as_u16()));
                self.server_time = server_clock::date(response.headers());
                let limit = self.context.policy.max_body;
                if status.is_success() && response.body().len() > limit {
                    let error = Error::new(self.op.describe(), ErrorKind::TooLarge { limit });
                    self.after_failure(error.with_status(status.as_u16()), now)
                } else if let Some(next) = self.op.follow_up(&self.context.endpoint, &response) {
                    self.op = next;
                    State::Ready
                } else {
                    match self.op.parse_owned(&self.context.endpoint, response, now) {
                        Ok(output) => State::Ended(Ok(output)),
                        Err(error) => self.after_failure(error, now),
                    }
                }
            }
        };
    }
}
