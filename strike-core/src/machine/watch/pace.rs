//! Decides when the next request may start: how many are in flight, how far apart they start, and
//! how long none starts after a failure.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use super::request_health::backoff;
use crate::machine::Step;
use crate::machine::pause::Pause;
use crate::values::Now;

/// The shortest time between two checks by [`check_soon`](super::Watcher::check_soon) that interrupt
/// a delay after a failure.
const BETWEEN_INTERRUPTS: Duration = Duration::from_secs(1);

/// When to poll again if only a response to another request can change something. It is only for
/// drivers that do not poll after that response.
pub(super) const FOR_OTHERS: Duration = Duration::from_secs(1);

/// The most requests in flight. There is a lane for each, and with threads a thread.
const MOST_IN_FLIGHT: u32 = 1_024;

/// The limits of the requests of a watcher.
///
/// A failure counts once, although it may concern several requests in flight: one that began before
/// the last failure shows nothing new. After a failure, requests are sent one at a time. With each
/// success after it, more may be in flight.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) max_in_flight: usize,
    /// How many requests may be in flight now.
    limit: usize,
    /// The successes since the limit changed.
    successes: usize,
    pub(super) request_interval: Duration,
    until_next_request: Option<Pause>,
    /// The delay after a failure. A hint may interrupt it.
    after_failure: Option<Pause>,
    /// The delay between two such interrupts.
    since_interrupt: Option<Pause>,
    /// How many requests have begun.
    begun: u64,
    /// How many had begun at the last failure.
    begun_at_failure: u64,
    pub(super) failures_in_a_row: u32,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            max_in_flight: 8,
            limit: 8,
            successes: 0,
            request_interval: Duration::from_millis(3),
            until_next_request: None,
            after_failure: None,
            since_interrupt: None,
            begun: 0,
            begun_at_failure: 0,
            failures_in_a_row: 0,
        }
    }

    /// Sets the largest number of requests in flight, at least 1 and at most [`MOST_IN_FLIGHT`].
    pub(super) fn set_max_in_flight(&mut self, requests: u32) {
        self.max_in_flight = usize::try_from(requests.clamp(1, MOST_IN_FLIGHT)).unwrap_or(1);
        self.limit = self.max_in_flight;
    }

    /// Breaks with a wait while no further request may begin. `is_hinted` returns true if a hint may
    /// interrupt a delay after a failure.
    pub(super) fn wait<T>(
        &mut self,
        in_flight: usize,
        is_hinted: impl FnOnce() -> bool,
        now: Now,
    ) -> ControlFlow<Step<T>> {
        if in_flight >= self.limit {
            return Break(Step::Wait(FOR_OTHERS));
        }
        if let Some(pause) = &mut self.until_next_request {
            pause.poll(now)?;
        }
        let Some(left) = self.after_failure.as_mut().and_then(|pause| pause.left(now)) else {
            return Continue(());
        };
        match self.interrupt_in(is_hinted, now) {
            None => Break(Step::Wait(left)),
            Some(Duration::ZERO) => {
                self.since_interrupt = Some(Pause::new(BETWEEN_INTERRUPTS, now));
                Continue(())
            }
            Some(interrupt) => Break(Step::Wait(left.min(interrupt))),
        }
    }

    /// Returns how soon a hint may interrupt a delay, if there is a hint.
    pub(super) fn interrupt_in(&mut self, is_hinted: impl FnOnce() -> bool, now: Now) -> Option<Duration> {
        is_hinted()
            .then(|| self.since_interrupt.as_mut().and_then(|pause| pause.left(now)).unwrap_or_default())
    }

    /// Notes that a request begins, and returns its number.
    pub(super) const fn begin(&mut self, now: Now) -> u64 {
        self.until_next_request = Some(Pause::new(self.request_interval, now));
        self.begun = self.begun.saturating_add(1);
        self.begun
    }

    /// Notes that the host has responded to a request, so that more may be in flight.
    pub(super) const fn succeeded(&mut self, request: u64) {
        if request <= self.begun_at_failure {
            return;
        }
        self.failures_in_a_row = 0;
        self.successes = self.successes.saturating_add(1);
        if self.successes >= self.limit && self.limit < self.max_in_flight {
            self.limit += 1;
            self.successes = 0;
        }
    }

    /// Notes that an attempt of a request has failed, and that the request itself retries it.
    /// Returns the number of the retry.
    pub(super) fn retried(&mut self, now: Now) -> u64 {
        self.attempt_failed(Duration::ZERO, now);
        self.begun = self.begun.saturating_add(1);
        self.begun
    }

    /// Notes that an attempt has failed, and that no request begins during this delay.
    pub(super) fn attempt_failed(&mut self, delay: Duration, now: Now) {
        self.limit = 1;
        self.successes = 0;
        self.begun_at_failure = self.begun;
        let left = self.after_failure.as_mut().and_then(|pause| pause.left(now)).unwrap_or_default();
        self.after_failure = Some(Pause::new(delay.max(left), now));
    }

    /// Counts the failure of a request, and sets the delay before the next one, which is at least
    /// `requested`. Returns the number of failures in a row, or `None` if the failure shows nothing
    /// new.
    pub(super) fn failed(&mut self, request: u64, requested: Duration, now: Now) -> Option<u32> {
        let is_new = request > self.begun_at_failure;
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(u32::from(is_new));
        let delay = if is_new { backoff(self.failures_in_a_row) } else { Duration::ZERO };
        self.attempt_failed(delay.max(requested), now);
        is_new.then_some(self.failures_in_a_row)
    }

    /// Returns how many requests have begun.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }
}
