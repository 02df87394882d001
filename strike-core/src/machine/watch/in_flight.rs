//! The requests of a watcher that are in flight, at most one in each lane.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use super::event::Event;
use super::pace::FOR_OTHERS;
use super::pending::millis;
use super::request_health::RequestKind;
use super::scheduler::{Next, PageRead};
use super::watcher::Watcher;
use crate::errors::{Error, ErrorKind};
use crate::machine::retry_decision::requested_delay;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{Get, List, Scan, ScanPage};
use crate::transport::Reply;
use crate::values::{ChargeId, Now};

/// A request in flight, and when it began.
#[derive(Debug)]
pub(super) struct InFlight {
    began: Began,
    /// Whether an attempt has failed, and the request waits for the next one.
    is_waiting: bool,
    request: Request,
}

/// When a request began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    pub(super) at: Now,
    /// The number of the request. Later requests have higher numbers.
    pub(super) request: u64,
}

#[derive(Debug)]
enum Request {
    Charge(ChargeId, Box<Call<Get>>),
    Page(PageRead, Box<Call<ScanPage>>),
}

impl InFlight {
    pub(super) fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.request {
            Request::Charge(_, call) => call.handle(reply, now),
            Request::Page(_, call) => call.handle(reply, now),
        }
    }
}

impl Watcher {
    /// Starts the request that the scheduler chooses. Breaks with a wait if none is due.
    pub(super) fn start_request<T>(&mut self, lane: usize, now: Now) -> ControlFlow<Step<T>> {
        let request = match self.scheduler.next(lane, &self.charges, millis(now.monotonic)) {
            Next::Wait(until) => {
                let wait = until.saturating_sub(millis(now.monotonic)).max(1);
                return Break(Step::Wait(self.shorten(Duration::from_millis(wait))));
            }
            Next::Charge(id) => {
                let call = Call::new(Get::new(id.clone()), self.context.fork());
                Request::Charge(id, Box::new(call))
            }
            Next::Page(page) => {
                let list = ScanPage(List::page(page.number).size(page.size));
                // If the last page request failed, one attempt is enough to see whether pages work
                // again.
                let is_failing = self.scheduler.health(RequestKind::Page).failures > 0;
                let policy = if is_failing { self.context.policy.attempts(1) } else { self.context.policy };
                Request::Page(page, Box::new(Call::new(list, self.context.fork_with(policy))))
            }
        };
        let began = Began { at: now, request: self.pace.begin(now) };
        self.in_flight.insert(lane, InFlight { began, is_waiting: false, request });
        Continue(())
    }

    /// Polls the request of a lane. Breaks with its step until it has ended. Then returns the error
    /// for the caller, if any.
    pub(super) fn poll_in_flight(
        &mut self,
        lane: usize,
        now: Now,
    ) -> ControlFlow<Step<Option<Event>>, Option<Error>> {
        let Some(in_flight) = self.in_flight.remove(&lane) else { return Continue(None) };
        let InFlight { began, is_waiting, request } = in_flight;
        let error = match request {
            Request::Charge(id, mut call) => match call.poll(now).done() {
                Break(step) => {
                    let request = Request::Charge(id, call);
                    return self.keep_waiting(lane, InFlight { began, is_waiting, request }, step, now);
                }
                Continue(Ok(charge)) => {
                    self.charge_received(charge, began, call.server_time(), now);
                    None
                }
                Continue(Err(error)) => {
                    let delay = requested_delay(&error, call.server_time(), now);
                    self.charge_failed(&id, began, error, delay, now)
                }
            },
            Request::Page(page, mut call) => match call.poll(now).done() {
                Break(step) => {
                    let request = Request::Page(page, call);
                    return self.keep_waiting(lane, InFlight { began, is_waiting, request }, step, now);
                }
                Continue(result) => match result.and_then(check_readable) {
                    Ok(rows) => {
                        self.page_received(rows, page, began, call.server_time(), now);
                        None
                    }
                    Err(error)
                        if matches!(error.kind(), ErrorKind::TooLarge { .. })
                            && self.scheduler.halve_page_size(page) =>
                    {
                        None
                    }
                    Err(error) => {
                        let delay = requested_delay(&error, call.server_time(), now);
                        self.request_failed(RequestKind::Page, began, error, delay, now)
                    }
                },
            },
        };
        self.scheduler.finish(lane);
        Continue(error)
    }

    /// Keeps a request in flight. If it waits for its next attempt, it is dropped in two cases, and
    /// its charges stay due: if [`Watcher::check_soon`] interrupts the wait, or if another request
    /// waits already. One is enough to see whether the host responds again.
    fn keep_waiting(
        &mut self,
        lane: usize,
        mut kept: InFlight,
        step: Step<Option<Event>>,
        now: Now,
    ) -> ControlFlow<Step<Option<Event>>, Option<Error>> {
        let Step::Wait(left) = step else {
            kept.is_waiting = false;
            self.in_flight.insert(lane, kept);
            return Break(step);
        };
        let is_hinted = || self.scheduler.has_urgent(lane, &self.charges);
        let interrupt = self.pace.interrupt_in(is_hinted, now);
        if interrupt == Some(Duration::ZERO) || self.in_flight.values().any(|other| other.is_waiting) {
            self.pace.attempt_failed(left, now);
            self.scheduler.finish(lane);
            return Continue(None);
        }
        if !kept.is_waiting {
            kept.is_waiting = true;
            kept.began.request = self.pace.retried(now);
        }
        self.in_flight.insert(lane, kept);
        Break(Step::Wait(interrupt.map_or(left, |interrupt| left.min(interrupt))))
    }

    /// Shortens a wait if something may happen before its end.
    fn shorten(&self, wait: Duration) -> Duration {
        if self.has_unscheduled_charges() {
            Duration::from_millis(1)
        } else if self.in_flight.is_empty() {
            wait
        } else {
            wait.min(FOR_OTHERS)
        }
    }
}

/// Returns the first row's error if a page has rows, but no readable charge.
fn check_readable(page: Scan) -> Result<Scan, Error> {
    page.unreadable().map_or(Ok(page), |row| Err(row.into_error()))
}
