//! Waits for one charge: until it is paid, or can no longer be, or the caller has waited long enough.

use std::mem;
use std::time::Duration;

use crate::errors::{Error, Mismatch};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::verdict::{Verdict, asked_to_rest};
use crate::machine::{Call, Machine, Schedule, Step};
use crate::protocol::{Get, Operation, server_clock};
use crate::transport::{Attempt, Reply};
use crate::values::new_charge::MAX_EXPIRY_SEC;
use crate::values::{Charge, Now, PaidCharge, UnixMillis};

/// The most failed attempts that a wait remembers.
const HISTORY: usize = 32;

/// After the caller's deadline a wait rests this long at most before it looks again, ...
const LATE_REST: Duration = Duration::from_secs(5);

/// ... and this many looks may fail then before it says so.
const LATE_LOOKS: u32 = 3;

/// After the invoice's expiry nobody is in a hurry: a wait that cannot look rests a minute at most.
const EXPIRED_REST: Duration = Duration::from_secs(60);

/// How a wait ended. All three are answers; that nobody paid is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer all three")]
pub enum WaitOutcome {
    /// The server says that it is paid.
    Paid(PaidCharge),
    /// It was not paid by the deadline, but still can be: keep the order open, and look again.
    Payable(Charge),
    /// It was not paid, and its invoice has expired: the order needs a new charge.
    Expired(Charge),
}

impl WaitOutcome {
    /// The charge, as last seen.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        match self {
            Self::Payable(charge) | Self::Expired(charge) => charge,
            Self::Paid(charge) => charge,
        }
    }

    /// Whether it is paid.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        matches!(self, Self::Paid(_))
    }
}

/// How long to wait, and how often to look.
///
/// ```
/// use std::time::Duration;
/// use strike_core::Wait;
///
/// let patient = Wait::until_expiry();
/// let brief = Wait::at_most(Duration::from_secs(30));
/// assert_eq!(brief, Duration::from_secs(30).into());
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Wait {
    within: Duration,
    grace: Duration,
    tolerated: u32,
    schedule: Schedule,
}

impl Wait {
    /// Until the invoice has expired, and a grace of a minute has passed; never longer than a week and that minute,
    /// whatever the invoice says, since no wait may be without an end.
    pub fn until_expiry() -> Self {
        let grace = Duration::from_secs(60);
        let within = Duration::from_secs(u64::from(MAX_EXPIRY_SEC)) + grace;
        Self { within, grace, tolerated: 10, schedule: Schedule::default() }
    }

    /// At most that long, and not beyond the invoice's expiry.
    pub fn at_most(within: Duration) -> Self {
        Self { within, ..Self::until_expiry() }
    }

    /// How often to look.
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How long after expiry a payment is still looked for, since one that was under way may arrive late.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How many looks in a row may fail before the wait does; 10 unless set.
    pub const fn max_failures(mut self, failures: u32) -> Self {
        self.tolerated = failures;
        self
    }
}

impl From<Duration> for Wait {
    fn from(within: Duration) -> Self {
        Self::at_most(within)
    }
}

/// Waits for one charge, as a [machine](crate::machine).
///
/// It looks at once, then as the [`Schedule`] says, each look a [`Call`] with its own retries. It ends as
/// [`WaitOutcome::Expired`] or [`WaitOutcome::Payable`] only by a look that began *after* that moment, so that no payment is
/// missed.
///
/// An invoice has expired when the `Date` of the server's answer and the local clock both say so. Without a `Date` the local clock
/// less [`CLOCK_MARGIN`](crate::CLOCK_MARGIN) decides. In any case the wait ends once the invoice's whole lifetime and the grace
/// have passed on the monotonic clock, so that no clock can make it endless, and one clock that is ahead cannot end it early.
///
/// A `Retry-After` is obeyed up to [`max_retry_after`](RetryPolicy::max_retry_after); then the wait looks again.
///
/// Looks that fail in a way that may pass are tolerated, up to a number in a row, and up to three after the caller's deadline; the
/// error then shows the attempts. So a wait outlasts a deadline by three looks, as long as their retries take, and 10 s.
/// An answer in which anything but `paid` and `updated` has changed ends it as a mismatch.
#[derive(Debug)]
pub struct WaitPaid {
    context: Context,
    wait: Wait,
    charge: Charge,
    lifetime: Option<Lifetime>,
    started: Option<Duration>,
    interval: Duration,
    failed: u32,
    /// How many looks have failed after the deadline.
    late: u32,
    history: Vec<Attempt>,
    state: State,
}

/// How long the invoice can be paid, by its own words.
#[derive(Debug, Clone, Copy)]
struct Lifetime {
    expires_at: UnixMillis,
    length: Duration,
}

/// What ends a wait without a payment.
#[derive(Debug, Clone, Copy)]
enum End {
    Expiry,
    Deadline,
}

#[derive(Debug)]
enum State {
    Start,
    Looking { call: Box<Call<Get>>, began: Now },
    Resting(Pause),
    Finished,
}

impl WaitPaid {
    /// Will wait for this charge. If it is paid already, that is the answer, and nothing is sent.
    pub(crate) fn new(charge: Charge, wait: impl Into<Wait>, context: Context) -> Self {
        let wait = wait.into();
        let lifetime = charge
            .invoice()
            .ok()
            .map(|invoice| Lifetime { expires_at: invoice.expires_at(), length: invoice.expiry() });
        Self {
            context,
            wait,
            charge,
            lifetime,
            started: None,
            interval: wait.schedule.first_wait(),
            failed: 0,
            late: 0,
            history: Vec::new(),
            state: State::Start,
        }
    }

    fn look(&self, now: Now) -> State {
        let get = Get::new(self.charge.id().clone());
        let call = Call::new(get, self.context.fork());
        State::Looking { call: Box::new(call), began: now }
    }

    /// How long it had waited when a look began.
    fn waited(&self, began: Now) -> Duration {
        began.monotonic.saturating_sub(self.started.unwrap_or(began.monotonic))
    }

    /// How long the wait still lasts after a look that began then, and what ends it.
    fn left(&self, began: Now, server_time: Option<UnixMillis>) -> (Duration, End) {
        let waited = self.waited(began);
        let to_deadline = self.wait.within.saturating_sub(waited);
        let Some(lifetime) = self.lifetime else { return (to_deadline, End::Deadline) };
        let last = lifetime.expires_at.saturating_add(self.wait.grace);
        let to_life = lifetime.length.saturating_add(self.wait.grace).saturating_sub(waited);
        let to_expiry = server_clock::left(last, server_time, began).min(to_life);
        if to_expiry <= to_deadline { (to_expiry, End::Expiry) } else { (to_deadline, End::Deadline) }
    }

    /// Takes what a look brought: the end, or a rest.
    fn learn(
        &mut self,
        seen: Result<Charge, Error>,
        began: Now,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> Result<Option<WaitOutcome>, Error> {
        let (left, end) = self.left(began, server_time);
        let to_deadline = self.wait.within.saturating_sub(self.waited(began));
        let late = to_deadline.is_zero();
        let mut rest = self.interval;
        match seen {
            Ok(charge) => {
                self.failed = 0;
                self.compare(&charge)?;
                self.charge = charge.clone();
                let charge = match PaidCharge::new(charge) {
                    Ok(paid) => return Ok(Some(WaitOutcome::Paid(paid))),
                    Err(charge) => charge,
                };
                if left.is_zero() {
                    return Ok(Some(match end {
                        End::Expiry => WaitOutcome::Expired(charge),
                        End::Deadline => WaitOutcome::Payable(charge),
                    }));
                }
            }
            Err(error) => {
                self.failed = self.failed.saturating_add(1);
                self.late = self.late.saturating_add(u32::from(late));
                let room = HISTORY.saturating_sub(self.history.len());
                self.history.extend(error.attempts().iter().take(room).cloned());
                let enough = self.failed > self.wait.tolerated || self.late >= LATE_LOOKS;
                if enough || !Verdict::may_pass(&error) {
                    return Err(error.with_attempts(mem::take(&mut self.history)));
                }
                rest = rest
                    .max(asked_to_rest(&error, server_time, now).min(self.context.policy.max_retry_after));
            }
        }
        // The last look comes when the end has come, not an interval later.
        let looked = now.monotonic.saturating_sub(began.monotonic);
        rest = rest.min(if late {
            LATE_REST
        } else if left.is_zero() {
            EXPIRED_REST.min(to_deadline.saturating_sub(looked))
        } else {
            left.saturating_sub(looked)
        });
        self.interval = self.wait.schedule.next_wait(self.interval);
        self.state = State::Resting(Pause::new(rest, now));
        Ok(None)
    }

    /// Whether the answer is still about the payment that the payer was shown.
    fn compare(&self, charge: &Charge) -> Result<(), Error> {
        Mismatch::unless_same_order(&self.charge, charge).map_err(|mismatch| {
            let asked = Get::new(self.charge.id().clone()).describe();
            self.context.endpoint.mismatch(asked, mismatch).with_charge(charge.clone())
        })
    }
}

impl Machine for WaitPaid {
    type Output = WaitOutcome;

    fn poll(&mut self, now: Now) -> Step<WaitOutcome> {
        loop {
            match mem::replace(&mut self.state, State::Finished) {
                State::Start => {
                    if let Some(paid) = self.charge.to_paid() {
                        return Step::Done(Ok(WaitOutcome::Paid(paid)));
                    }
                    self.started = Some(now.monotonic);
                    self.state = self.look(now);
                }
                State::Looking { mut call, began } => match call.poll(now).ended() {
                    Ok(seen) => match self.learn(seen, began, call.server_time(), now) {
                        Ok(None) => {}
                        Ok(Some(waited)) => return Step::Done(Ok(waited)),
                        Err(error) => return Step::Done(Err(error)),
                    },
                    Err(step) => {
                        self.state = State::Looking { call, began };
                        return step;
                    }
                },
                State::Resting(mut pause) => match pause.left(now) {
                    Some(left) => {
                        self.state = State::Resting(pause);
                        return Step::Wait(left);
                    }
                    None => self.state = self.look(now),
                },
                State::Finished => return Step::Done(Err(Error::finished())),
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let State::Looking { call, .. } = &mut self.state {
            call.handle(reply, now);
        }
    }
}
