//! What a response or an error changes in a watcher.

use std::mem;
use std::time::Duration;

use super::event::Event;
use super::pending::{Pending, digest, millis};
use super::request_health::{RequestKind, backoff};
use super::watcher::Watcher;
use crate::errors::{Error, ErrorKind, Mismatch};
use crate::machine::pause::Pause;
use crate::machine::retry_decision::is_transient;
use crate::protocol::{Get, Operation, Page, Row, server_clock};
use crate::values::{Charge, ChargeId, Now, UnixMillis};

impl Watcher {
    /// Takes the response to a request for one charge.
    pub(super) fn charge_received(
        &mut self,
        charge: Charge,
        began: Now,
        server_time: Option<UnixMillis>,
        now: Now,
    ) {
        self.scheduler.health(RequestKind::Charge).succeeded();
        let jitter = self.jitter();
        self.update(RequestKind::Charge, charge, jitter, (began, server_time), now);
    }

    /// Takes the response to a request for a page.
    pub(super) fn page_received(
        &mut self,
        rows: Page,
        (page, size): (u32, u32),
        began: Now,
        server_time: Option<UnixMillis>,
        now: Now,
    ) {
        self.scheduler.health(RequestKind::Page).succeeded();
        let is_due = |charge: &&Charge| {
            self.pending.get(charge.id()).is_some_and(|state| state.is_due(millis(now.monotonic)))
        };
        let due_rows = u32::try_from(rows.charges().filter(is_due).count()).unwrap_or(u32::MAX);
        self.scheduler.page_read(page, size, &rows, due_rows);
        // The charges of a page get the same jitter, so that they are due together again.
        let jitter = self.jitter();
        for row in rows.into_rows() {
            match row {
                Row::Charge(charge) => {
                    self.update(RequestKind::Page, charge, jitter, (began, server_time), now);
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
        self.failures_in_a_row = 0;
        let id = charge.id().clone();
        let Some(state) = self.pending.get_mut(&id).filter(|state| state.due != Pending::NEVER) else {
            return;
        };
        state.failures = 0;
        if digest(&charge) != state.digest {
            let error = self.changed(charge);
            self.end(&id, Event::Failed(id.clone(), error));
        } else if let Some(paid) = charge.to_paid() {
            self.end(&id, Event::Paid(paid));
        } else {
            let is_over = state.is_over(began, server_time);
            let is_final = kind == RequestKind::Charge || !self.scheduler.can_get(millis(now.monotonic));
            if is_over && is_final {
                self.end(&id, Event::Expired(id.clone()));
                return;
            }
            state.schedule_next(&self.schedule, jitter, now);
            let expiry_hides_payments = self.context.endpoint.properties().expiry_hides_payments;
            if expiry_hides_payments {
                state.look_before_expiry(self.grace, server_time, clock);
            }
            self.scheduler.expect(state.due);
            let is_last_look =
                expiry_hides_payments && state.is_about_to_expire(self.grace, server_time, clock);
            if is_over || (is_last_look && kind == RequestKind::Page) {
                // The list may be out of date. The charge itself is read before it ends as expired.
                self.scheduler.read_alone(&id);
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
        if let Some(state) = self.pending.get_mut(id) {
            state.schedule_next(&self.schedule, jitter, now);
            if self.context.endpoint.properties().expiry_hides_payments {
                let clock = server_clock::without_jump_ahead(None, self.started, now);
                state.look_before_expiry(self.grace, None, clock);
            }
            self.scheduler.expect(state.due);
            state.failures = state.failures.saturating_add(u32::from(is_unreadable));
            if is_gone || (others_are_readable && state.failures > self.max_failures) {
                self.end(id, Event::Failed(id.clone(), error));
                return None;
            }
        }
        if is_gone || others_are_readable {
            None
        } else {
            self.request_failed(RequestKind::Charge, error, requested_delay, now)
        }
    }

    /// Takes a failure that is not about a single charge, and sets the delay before the next
    /// request. Returns the error if the caller must get it.
    pub(super) fn request_failed(
        &mut self,
        kind: RequestKind,
        error: Error,
        requested_delay: Duration,
        now: Now,
    ) -> Option<Error> {
        let jitter = self.jitter();
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let max_retry_after = self.context.policy.max_retry_after;
        let left = self.after_failure.as_mut().and_then(|pause| pause.left(now)).unwrap_or_default();
        let delay = backoff(self.failures_in_a_row).max(requested_delay.min(max_retry_after)).max(left);
        self.after_failure = Some(Pause::new(delay, now));
        let too_many = self.failures_in_a_row > self.max_failures;
        let is_first = self.failures_in_a_row == 1;
        if too_many {
            self.failures_in_a_row = 0;
        }
        let health = self.scheduler.health(kind);
        health.failed(jitter, millis(now.monotonic));
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
        900 + self.rng.up_to(200)
    }
}
