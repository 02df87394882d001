//! Checks a charge that was found with the order's key, and decides what to do with it.

use std::ops::DerefMut;
use std::time::Duration;

use super::machine::{CreateOnce, Next};
use super::options::{CreateOnceOptions, FirstStep};
use super::outcome::CreateOutcome;
use crate::errors::{Advice, Error, ErrorKind, Mismatch};
use crate::invoice;
use crate::machine::OrderRecord;
use crate::machine::order_memory::Known;
use crate::protocol::server_clock::{Expiry, expiry, server_time, without_jump_ahead};
use crate::values::new_charge::MAX_EXPIRY_SEC;
use crate::values::{Charge, Now, OrderKey, PaidCharge, UnixMillis};

/// How a charge was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// In the list, which may be out of date.
    Search,
    /// By a read of the charge itself.
    Read,
}

impl<G: DerefMut<Target = OrderRecord>> CreateOnce<G> {
    /// Takes a charge with the order's key, and returns what to do next.
    pub(super) fn found(
        &mut self,
        charge: Charge,
        attempt: u8,
        found_by: FoundBy,
        date: Option<UnixMillis>,
        now: Now,
    ) -> Result<Next, Error> {
        let charge = self.accept(charge, attempt)?;
        let since = match &self.record.0 {
            Some(Known::Created { id, since, .. }) if id == charge.id() => *since,
            _ => now,
        };
        self.record.0 = Some(Known::Created { attempt, id: charge.id().clone(), since });
        // Without a `Date`, a clock that has jumped ahead must not lead to a second payable invoice.
        let now = without_jump_ahead(date, Some(since), now);
        let charge = match PaidCharge::new(charge) {
            Ok(paid) => return Ok(Next::Done(CreateOutcome::Paid(paid))),
            Err(charge) => charge,
        };
        let expires_at = charge.invoice().ok().map_or_else(
            || charge.created().saturating_add(Duration::from_secs(MAX_EXPIRY_SEC.into())),
            |invoice| invoice.expires_at(),
        );
        match (expiry(expires_at, date, now), found_by) {
            (Expiry::Payable, _) => Ok(Next::Done(CreateOutcome::Payable(charge))),
            // The list may be out of date. Read the charge itself before it is given up.
            (Expiry::Expired | Expiry::Disputed, FoundBy::Search) => {
                Ok(Next::State(self.read(charge.id().clone(), attempt)))
            }
            (Expiry::Expired, FoundBy::Read) => {
                let attempt = attempt.saturating_add(1);
                let next = CreateOnceOptions { attempt, first_step: FirstStep::Search, ..self.options };
                Ok(Next::Done(CreateOutcome::Expired { charge, next }))
            }
            // By the local clock the invoice can still be paid, so another one could be a second
            // payable invoice.
            (Expiry::Disputed, FoundBy::Read) => {
                let expected = format!("within 10 minutes of the local clock, {}", now.unix);
                let mismatch = Mismatch::new("date", expected, server_time(date, now));
                let error = self.context.endpoint.mismatch(self.asked("judge its expiry"), mismatch);
                Err(error.with_advice(Advice::CheckClock).with_charge(charge))
            }
        }
    }

    /// Returns the charge if it matches the order.
    fn accept(&self, charge: Charge, attempt: u8) -> Result<Charge, Error> {
        let endpoint = &self.context.endpoint;
        if attempt >= self.attempt {
            let create = self.create_operation(attempt);
            return create.accept(endpoint, charge).map_err(|error| self.differs(error));
        }
        // An earlier invoice of the order was paid after all. Its price may have been different, so
        // only the charge itself is checked.
        let checked = if endpoint.checks_invoices() {
            invoice::compare(&charge, endpoint.network()).map(drop)
        } else {
            Ok(())
        };
        match checked {
            Ok(()) => Ok(charge),
            Err(mismatch) => {
                Err(endpoint.mismatch(self.asked("accept a paid charge"), mismatch).with_charge(charge))
            }
        }
    }

    /// Returns the error for a charge with this key that does not match the order.
    ///
    /// If the charge is consistent and this machine has sent no create, the caller has used the key
    /// for a different order. Then the advice says so.
    fn differs(&self, error: Error) -> Error {
        let order_fields = ["amount", "amount_satoshi", "description", "customer_id"];
        let order_differs =
            matches!(error.kind(), ErrorKind::Mismatch(mismatch) if order_fields.contains(&mismatch.field()));
        let key_was_reused = order_differs
            && self.unknown_outcome.is_none()
            && error.charge().is_some_and(|charge| self.is_consistent(charge));
        let error = error.with_operation(self.asked("accept the charge that was found"));
        if key_was_reused { error.with_advice(Advice::CheckOrder) } else { error }
    }

    /// Returns true if the charge has this key, and its amounts and its invoice agree.
    fn is_consistent(&self, charge: &Charge) -> bool {
        let key = charge.raw_customer_id().and_then(OrderKey::read_attempt).map(|(key, _, _)| key);
        key == Some(self.options.key)
            && charge.amount == charge.amount_satoshi.get()
            && (!self.context.endpoint.checks_invoices()
                || invoice::compare(charge, self.context.endpoint.network()).is_ok())
    }
}
