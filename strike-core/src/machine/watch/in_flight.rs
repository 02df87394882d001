//! The request of a watcher that is in flight.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use super::event::Event;
use super::pending::millis;
use super::request_health::RequestKind;
use super::scheduler::Next;
use super::watcher::Watcher;
use crate::errors::{Error, ErrorKind};
use crate::machine::pause::Pause;
use crate::machine::retry_decision::requested_delay;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{Get, List, Page};
use crate::transport::Reply;
use crate::values::{ChargeId, Now};

/// The shortest time between two checks by [`Watcher::check_soon`] that interrupt a delay after a
/// failure.
const BETWEEN_INTERRUPTS: Duration = Duration::from_secs(1);

/// A request in flight, and when it began.
#[derive(Debug)]
pub(super) struct InFlight {
    began: Now,
    request: Request,
}

#[derive(Debug)]
enum Request {
    Charge(ChargeId, Box<Call<Get>>),
    Page { page: u32, size: u32, call: Box<Call<List>> },
}

impl InFlight {
    pub(super) fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.request {
            Request::Charge(_, call) => call.handle(reply, now),
            Request::Page { call, .. } => call.handle(reply, now),
        }
    }
}

impl Watcher {
    /// Starts the request that the scheduler chooses. Breaks with a wait if none is due.
    pub(super) fn start_request<T>(&mut self, now: Now) -> ControlFlow<Step<T>> {
        let request = match self.scheduler.next(&self.pending, millis(now.monotonic)) {
            Next::Wait(until) => {
                let wait = until.saturating_sub(millis(now.monotonic)).max(1);
                return Break(Step::Wait(Duration::from_millis(wait)));
            }
            Next::Charge(id) => {
                let call = Call::new(Get::new(id.clone()), self.context.fork());
                Request::Charge(id, Box::new(call))
            }
            Next::Page { page, size } => {
                let list = List::page(page).size(size);
                // If the last page request failed, one attempt is enough to see whether pages work
                // again.
                let is_failing = self.scheduler.health(RequestKind::Page).failures > 0;
                let policy = if is_failing { self.context.policy.attempts(1) } else { self.context.policy };
                let call = Box::new(Call::new(list, self.context.fork_with(policy)));
                Request::Page { page, size, call }
            }
        };
        self.in_flight = Some(InFlight { began: now, request });
        Continue(())
    }

    /// Polls the request in flight. Breaks with its step until it has ended. Then returns the error
    /// for the caller, if any.
    pub(super) fn poll_in_flight(&mut self, now: Now) -> ControlFlow<Step<Option<Event>>, Option<Error>> {
        let Some(InFlight { began, request }) = self.in_flight.take() else { return Continue(None) };
        let error = match request {
            Request::Charge(id, mut call) => match call.poll(now).done() {
                Break(step) => return self.keep_waiting(began, Request::Charge(id, call), step, now),
                Continue(Ok(charge)) => {
                    self.charge_received(charge, began, call.server_time(), now);
                    None
                }
                Continue(Err(error)) => {
                    let delay = requested_delay(&error, call.server_time(), now);
                    self.charge_failed(&id, error, delay, now)
                }
            },
            Request::Page { page, size, mut call } => match call.poll(now).done() {
                Break(step) => {
                    return self.keep_waiting(began, Request::Page { page, size, call }, step, now);
                }
                Continue(result) => match result.and_then(check_readable) {
                    Ok(rows) => {
                        self.page_received(rows, (page, size), began, call.server_time(), now);
                        None
                    }
                    Err(error)
                        if matches!(error.kind(), ErrorKind::TooLarge { .. })
                            && self.scheduler.halve_page_size() =>
                    {
                        None
                    }
                    Err(error) => {
                        let delay = requested_delay(&error, call.server_time(), now);
                        self.request_failed(RequestKind::Page, error, delay, now)
                    }
                },
            },
        };
        self.until_next_request = Some(Pause::new(self.request_interval, now));
        Continue(error)
    }

    /// Keeps a request in flight. If it waits for its next attempt, [`Watcher::check_soon`] may
    /// interrupt it: then the request is dropped, and its charges stay due.
    fn keep_waiting(
        &mut self,
        began: Now,
        request: Request,
        step: Step<Option<Event>>,
        now: Now,
    ) -> ControlFlow<Step<Option<Event>>, Option<Error>> {
        let step = match (step, self.interrupt_in(now)) {
            (Step::Wait(left), Some(Duration::ZERO)) => {
                self.scheduler.expect(millis(now.monotonic));
                self.after_failure = Some(Pause::new(left, now));
                return Continue(None);
            }
            (Step::Wait(left), Some(interrupt)) => Step::Wait(left.min(interrupt)),
            (step, _) => step,
        };
        self.in_flight = Some(InFlight { began, request });
        Break(step)
    }

    /// Breaks with a wait while no request may be sent: between two requests, and after a failure.
    pub(super) fn wait_for_next_request<T>(&mut self, now: Now) -> ControlFlow<Step<T>> {
        if let Some(pause) = &mut self.until_next_request {
            pause.poll(now)?;
        }
        let Some(left) = self.after_failure.as_mut().and_then(|pause| pause.left(now)) else {
            return Continue(());
        };
        match self.interrupt_in(now) {
            None => Break(Step::Wait(left)),
            Some(Duration::ZERO) => {
                self.since_interrupt = Some(Pause::new(BETWEEN_INTERRUPTS, now));
                Continue(())
            }
            Some(interrupt) => Break(Step::Wait(left.min(interrupt))),
        }
    }

    /// Returns how soon a charge of [`Watcher::check_soon`] may interrupt a delay, if there is such
    /// a charge.
    fn interrupt_in(&mut self, now: Now) -> Option<Duration> {
        if !self.scheduler.has_urgent(&self.pending) {
            return None;
        }
        Some(self.since_interrupt.as_mut().and_then(|pause| pause.left(now)).unwrap_or_default())
    }
}

/// Returns the first row's error if a page has rows, but no readable charge.
fn check_readable(page: Page) -> Result<Page, Error> {
    let unreadable = page.unreadable().next().filter(|_| page.charges().next().is_none()).cloned();
    unreadable.map_or(Ok(page), |row| Err(row.into_error()))
}
