//! What a response or an error changes in a watcher.

use std::mem;
use std::time::Duration;

use super::digest::digest;
use super::event::Event;
use super::in_flight::Began;
use super::pending::millis;
use super::request_health::RequestKind;
use super::scheduler::PageRead;
use super::watcher::Watcher;
use crate::errors::{Error, ErrorKind, Mismatch};
use crate::machine::retry_decision::is_transient;
use crate::protocol::{Get, Operation, Row, Scan, server_clock};
use crate::values::{Charge, ChargeId, Now, UnixMillis};

impl Watcher {
    /// Takes the response to a request for one charge.
    pub(super) fn charge_received(
        &mut self,
        charge: Charge,
        began: Began,
        server_time: Option<UnixMillis>,
        now: Now,
    ) {
        self.scheduler.health(RequestKind::Charge).succeeded(began.request);
        self.pace.succeeded(began.request);
        let jitter = self.jitter();
        self.update(RequestKind::Charge, charge, jitter, (began.at, server_time), now);
    }

    /// Takes the response to a request for a page.
    pub(super) fn page_received(
        &mut self,
        scan: Scan,
        page: PageRead,
        began: Began,
        server_time: Option<UnixMillis>,
        now: Now,
    ) {
        self.scheduler.health(RequestKind::Page).succeeded(began.request);
        if scan.created().is_some() {
            self.any_charge_was_readable = true;
            self.pace.succeeded(began.request);
        }
        // Most rows of an account may be charges that nobody watches.
        let rows: Vec<Row> = scan.filtered(|id| self.charges.find(id).is_some()).collect();
        let is_due = |row: &&Row| {
            let Row::Charge(charge) = row else { return false };
            let state = self.charges.find(charge.id().as_str()).and_then(|slot| self.charges.get(slot));
            state.is_some_and(|state| state.is_ready(millis(now.monotonic)))
        };
        let due_rows = u32::try_from(rows.iter().filter(is_due).count()).unwrap_or(u32::MAX);
        self.scheduler.page_read(page, &scan, due_rows, millis(now.monotonic));
        // The charges of a page get the same jitter, so that they are due together again.
        let jitter = self.jitter();
        for row in rows {
            match row {
                Row::Charge(charge) => {
                    self.update(RequestKind::Page, charge, jitter, (began.at, server_time), now);
                }
                // A request for this charge alone may succeed, or return the error.
                Row::Unreadable(row) => {
                    if let Some(id) = row.id() {
                        self.scheduler.read_alone(id);
                    }
                }
            }
        }
    }

    /// Takes the state of a charge from a response: ends the charge, or sets the next check.
    fn update(
        &mut self,
        kind: RequestKind,
        charge: Charge,
        jitter: u64,
        (began, server_time): (Now, Option<UnixMillis>),
        now: Now,
    ) {
        let [began, clock] =
            [began, now].map(|at| server_clock::without_jump_ahead(server_time, self.started, at));
        self.any_charge_was_readable = true;
        let Some(slot) = self.charges.find(charge.id().as_str()) else { return };
        let Some(mut state) = self.charges.get(slot).copied().filter(|state| !state.has_ended()) else {
            return;
        };
        state.failures = 0;
        if digest(&charge) != state.digest {
            let id = charge.id().clone();
            let error = self.changed(charge);
            self.end(slot, Event::Failed(id, error));
        } else if let Some(paid) = charge.to_paid() {
            self.end(slot, Event::Paid(paid));
        } else {
            let is_over = state.is_over(began, server_time);
            let is_final = kind == RequestKind::Charge || !self.scheduler.can_get(millis(now.monotonic));
            if is_over && is_final {
                self.end(slot, Event::Expired(charge.id().clone()));
                return;
            }
            state.schedule_next(&self.schedule, jitter, now);
            let expiry_hides_payments = self.context.endpoint.properties().expiry_hides_payments;
            if expiry_hides_payments {
                state.look_before_expiry(self.grace, server_time, clock);
            }
            self.scheduler.expect(state.due);
            self.charges.set(slot, state);
            let is_last_look =
                expiry_hides_payments && state.is_about_to_expire(self.grace, server_time, clock);
            if is_over || (is_last_look && kind == RequestKind::Page) {
                // The list may be out of date. The charge itself is read before it ends as expired.
                self.scheduler.read_alone(charge.id());
            }
        }
    }

    /// Returns the error for a charge that is no longer the one that was added.
    fn changed(&self, charge: Charge) -> Error {
        let mismatch =
            Mismatch::new("invoice, amount or description", "those of the charge that was added", "others");
        let asked = Get::new(charge.id().clone()).describe();
        self.context.endpoint.mismatch(asked, mismatch).with_charge(charge)
    }

    /// Takes the failure of a request for one charge. Returns the error if the caller must get it.
    pub(super) fn charge_failed(
        &mut self,
        id: &ChargeId,
        began: Began,
        error: Error,
        requested_delay: Duration,
        now: Now,
    ) -> Option<Error> {
        let jitter = self.jitter();
        let is_gone = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Mismatch(_));
        let is_unreadable = matches!(
            error.kind(),
            ErrorKind::Undecodable
                | ErrorKind::TooLarge { .. }
                | ErrorKind::BadRequest
                | ErrorKind::PathNotFound
        );
        // If no other charge is readable either, the server is at fault, and not this record.
        let others_are_readable = is_unreadable && mem::take(&mut self.any_charge_was_readable);
        let slot = self.charges.find(id.as_str());
        if let Some((slot, mut state)) = slot.and_then(|slot| Some((slot, *self.charges.get(slot)?)))
            && !state.has_ended()
        {
            state.schedule_next(&self.schedule, jitter, now);
            if self.context.endpoint.properties().expiry_hides_payments {
                let clock = server_clock::without_jump_ahead(None, self.started, now);
                state.look_before_expiry(self.grace, None, clock);
            }
            self.scheduler.expect(state.due);
            state.failures = state.failures.saturating_add(u32::from(is_unreadable));
            self.charges.set(slot, state);
            if is_gone || (others_are_readable && state.failures > self.max_failures) {
                self.end(slot, Event::Failed(id.clone(), error));
                return None;
            }
        }
        if is_gone || others_are_readable {
            None
        } else {
            self.request_failed(RequestKind::Charge, began, error, requested_delay, now)
        }
    }

    /// Takes a failure that is not about a single charge, and sets the delay before the next
    /// request. Returns the error if the caller must get it.
    pub(super) fn request_failed(
        &mut self,
        kind: RequestKind,
        began: Began,
        error: Error,
        requested_delay: Duration,
        now: Now,
    ) -> Option<Error> {
        let jitter = self.jitter();
        let max_retry_after = self.context.policy.max_retry_after;
        let health = self.scheduler.health(kind);
        health.failed(began.request, self.pace.begun(), jitter, millis(now.monotonic));
        let failures = self.pace.failed(began.request, requested_delay.min(max_retry_after), now)?;
        let too_many = failures > self.max_failures;
        let is_first = failures == 1;
        if too_many {
            self.pace.failures_in_a_row = 0;
        }
        // If the previous request worked, the other kind of request probably still does. Then not
        // each error is returned.
        let must_report = too_many
            || (is_first && health.unreported > self.max_failures)
            || (!is_transient(&error) && (!is_first || health.failures == 1))
            || requested_delay > max_retry_after;
        if must_report {
            health.unreported = 0;
        }
        must_report.then_some(error)
    }

    /// Returns a random factor for delays, in thousandths: 900 to 1100.
    fn jitter(&mut self) -> u64 {
        self.rng.u64(900..=1100)
    }
}
