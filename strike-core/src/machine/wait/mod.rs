//! Waits until a charge is paid, its invoice has expired, or a deadline has passed.

mod options;
mod outcome;

use std::mem;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

pub use self::options::Wait;
pub use self::outcome::WaitOutcome;

use crate::errors::{Error, Mismatch};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::retry_decision::{is_transient, requested_delay};
use crate::machine::{Call, Machine, Step};
use crate::protocol::{Get, Operation, server_clock};
use crate::transport::{Attempt, Reply};
use crate::values::{Charge, Now, PaidCharge, UnixMillis};

/// The largest number of failed attempts that the error of a wait shows.
const MAX_ATTEMPTS_IN_ERROR: usize = 32;

/// The longest delay between two checks after the caller's deadline.
const MAX_DELAY_AFTER_DEADLINE: Duration = Duration::from_secs(5);

/// The wait ends after this many failed checks after the caller's deadline.
const MAX_FAILURES_AFTER_DEADLINE: u32 = 3;

/// The longest delay between two checks after the invoice's expiry.
const MAX_DELAY_AFTER_EXPIRY: Duration = Duration::from_secs(60);

/// Waits for the payment of one charge, as a [machine](crate::machine).
///
/// The charge is checked at once, then as the [`Schedule`](crate::Schedule) says. Each check is a
/// [`Call`] with its own retries.
///
/// **No payment is missed.** The wait ends as [`WaitOutcome::Expired`] or [`WaitOutcome::Payable`]
/// only after a check that began after that moment.
///
/// **Expiry.** An invoice has expired if the `Date` of the server's response and the local clock
/// both say so. Without a `Date`, the local clock less [`CLOCK_MARGIN`](crate::CLOCK_MARGIN)
/// decides, and jumps ahead during the wait are ignored. So one clock that is ahead cannot end the
/// wait early. The wait also ends when the invoice's lifetime and the grace period have passed on
/// the monotonic clock. So a clock that is behind cannot make the wait endless.
///
/// Some backends can no longer see a payment after the expiry. With those, one check begins 5 s
/// before the expiry, by the server's clock.
///
/// **Errors.** After a temporary error the charge is checked again. The wait returns an error:
///
/// - at once if the error is not temporary, such as a wrong API key
/// - at once as a [`Mismatch`](crate::ErrorKind::Mismatch) if the charge's payment request, amount
///   or description has changed
/// - after more failures in a row than [`Wait::max_failures`]
/// - after three failures since the caller's deadline.
///
/// So a wait can last longer than the caller's deadline: by up to three checks with their retries,
/// and 10 s between them. A `Retry-After` is obeyed up to
/// [`max_retry_after`](crate::RetryPolicy::max_retry_after).
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::WaitPaid;
/// use strike_core::{Charge, CoreClient};
///
/// // Waits for at most 30 s. Drive the machine to its end to get the `WaitOutcome`.
/// fn wait_for_payment(client: &CoreClient, charge: Charge) -> WaitPaid {
///     client.wait(charge, Duration::from_secs(30))
/// }
/// # let _ = wait_for_payment;
/// ```
#[derive(Debug)]
pub struct WaitPaid {
    context: Context,
    options: Wait,
    charge: Charge,
    lifetime: Option<Lifetime>,
    started: Option<Now>,
    interval: Duration,
    /// How many checks in a row have failed.
    failures: u32,
    /// How many checks have failed since the deadline.
    failures_after_deadline: u32,
    failed_attempts: Vec<Attempt>,
    state: State,
}

/// How long the invoice can be paid.
#[derive(Debug, Clone, Copy)]
struct Lifetime {
    expires_at: UnixMillis,
    length: Duration,
}

/// Why a wait ends without a payment.
#[derive(Debug, Clone, Copy)]
enum End {
    Expiry,
    Deadline,
}

#[derive(Debug)]
enum State {
    Start,
    Checking { call: Box<Call<Get>>, began: Now },
    Waiting(Pause),
    Finished,
}

impl WaitPaid {
    pub(crate) fn new(charge: Charge, options: impl Into<Wait>, context: Context) -> Self {
        let options = options.into();
        let lifetime = charge
            .invoice()
            .ok()
            .map(|invoice| Lifetime { expires_at: invoice.expires_at(), length: invoice.expiry() });
        Self {
            context,
            options,
            charge,
            lifetime,
            started: None,
            interval: options.schedule.first_wait(),
            failures: 0,
            failures_after_deadline: 0,
            failed_attempts: Vec::new(),
            state: State::Start,
        }
    }

    fn start_check(&mut self, now: Now) {
        let get = Get::new(self.charge.id().clone());
        let call = Call::new(get, self.context.fork());
        self.state = State::Checking { call: Box::new(call), began: now };
    }

    /// Returns how long the wait had lasted when a check began.
    fn elapsed(&self, began: Now) -> Duration {
        began.monotonic.saturating_sub(self.started.unwrap_or(began).monotonic)
    }

    /// Returns how long the wait still lasts after the beginning of a check, and why it ends then.
    fn time_left(&self, began: Now, server_time: Option<UnixMillis>) -> (Duration, End) {
        let elapsed = self.elapsed(began);
        let to_deadline = self.options.timeout.saturating_sub(elapsed);
        let Some(lifetime) = self.lifetime else { return (to_deadline, End::Deadline) };
        let end = lifetime.expires_at.saturating_add(self.options.grace);
        let lifetime_left = lifetime.length.saturating_add(self.options.grace).saturating_sub(elapsed);
        let began = server_clock::without_jump_ahead(server_time, self.started, began);
        let to_expiry = server_clock::left(end, server_time, began).min(lifetime_left);
        if to_expiry <= to_deadline { (to_expiry, End::Expiry) } else { (to_deadline, End::Deadline) }
    }

    /// Takes the result of a check. Returns the outcome of the wait, or `None` after it has set the
    /// next delay.
    fn checked(
        &mut self,
        result: Result<Charge, Error>,
        began: Now,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> Result<Option<WaitOutcome>, Error> {
        let (left, end) = self.time_left(began, server_time);
        let to_deadline = self.options.timeout.saturating_sub(self.elapsed(began));
        let is_after_deadline = to_deadline.is_zero();
        let mut delay = self.interval;
        match result {
            Ok(charge) => {
                self.failures = 0;
                self.check_unchanged(&charge)?;
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
                let requested = requested_delay(&error, server_time, now);
                self.count_failure(error, is_after_deadline)?;
                delay = delay.max(requested.min(self.context.policy.max_retry_after));
            }
        }
        // The last check begins at the end of the wait, not one interval later.
        let check_duration = now.monotonic.saturating_sub(began.monotonic);
        delay = delay.min(if is_after_deadline {
            MAX_DELAY_AFTER_DEADLINE
        } else if left.is_zero() {
            MAX_DELAY_AFTER_EXPIRY.min(to_deadline.saturating_sub(check_duration))
        } else {
            left.saturating_sub(check_duration)
        });
        let clock = server_clock::without_jump_ahead(server_time, self.started, now);
        if let Some(lifetime) = self.lifetime
            && self.context.endpoint.properties().expiry_hides_payments
            && let Some(left) = server_clock::until_last_look(lifetime.expires_at, server_time, clock)
        {
            delay = delay.min(left);
        }
        self.interval = self.options.schedule.next_wait(self.interval);
        self.state = State::Waiting(Pause::new(delay, now));
        Ok(None)
    }

    /// Counts a failed check. Returns the error, with all failed attempts, if the wait must end
    /// with it.
    fn count_failure(&mut self, error: Error, is_after_deadline: bool) -> Result<(), Error> {
        self.failures = self.failures.saturating_add(1);
        self.failures_after_deadline =
            self.failures_after_deadline.saturating_add(u32::from(is_after_deadline));
        let room = MAX_ATTEMPTS_IN_ERROR.saturating_sub(self.failed_attempts.len());
        self.failed_attempts.extend(error.attempts().iter().take(room).cloned());
        if self.failures > self.options.max_failures
            || self.failures_after_deadline >= MAX_FAILURES_AFTER_DEADLINE
            || !is_transient(&error)
        {
            return Err(error.with_attempts(mem::take(&mut self.failed_attempts)));
        }
        Ok(())
    }

    /// Checks that the charge still has the invoice and the amount that the payer was shown.
    fn check_unchanged(&self, charge: &Charge) -> Result<(), Error> {
        Mismatch::unless_same_order(&self.charge, charge).map_err(|mismatch| {
            let asked = Get::new(self.charge.id().clone()).describe();
            self.context.endpoint.mismatch(asked, mismatch).with_charge(charge.clone())
        })
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<WaitOutcome>> {
        match &mut self.state {
            State::Start => {
                if let Some(paid) = self.charge.to_paid() {
                    return self.finish(Ok(WaitOutcome::Paid(paid)));
                }
                self.started = Some(now);
                self.start_check(now);
            }
            State::Checking { call, began } => {
                let result = call.poll(now).done()?;
                let (began, server_time) = (*began, call.server_time());
                if let Some(end) = self.checked(result, began, server_time, now).transpose() {
                    return self.finish(end);
                }
            }
            State::Waiting(pause) => {
                pause.poll(now)?;
                self.start_check(now);
            }
            State::Finished => return self.finish(Err(Error::finished())),
        }
        Continue(())
    }

    fn finish(&mut self, result: Result<WaitOutcome, Error>) -> ControlFlow<Step<WaitOutcome>> {
        self.state = State::Finished;
        Break(Step::Done(result))
    }
}

impl Machine for WaitPaid {
    type Output = WaitOutcome;

    fn poll(&mut self, now: Now) -> Step<WaitOutcome> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let State::Checking { call, .. } = &mut self.state {
            call.handle(reply, now);
        }
    }
}
