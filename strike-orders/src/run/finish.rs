//! The transaction in which an order ends: the desk's tables and the handler's, both or neither.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use strike_async::ChargeId;
use strike_async::mirror::Mirror;
use tokio::time::timeout;

use super::decide::{Decision, Found, decide};
use super::session::Session;
use crate::error::{Error, HandlerError};
use crate::event::{EndKind, Event};
use crate::metrics;
use crate::order::Order;
use crate::signal::Change;
use crate::store::{Row, TIME_LIMIT, Transaction, time, to_json, within};

/// The longest time until a handler is called again, in milliseconds.
const LONGEST_RETRY: i64 = 300_000;

/// Why an end was not committed.
enum Failure {
    /// The handler failed. The end is handled again later.
    Handler(Box<Row>, String),
    /// The database failed. It is unknown whether the end was committed; the tables say so.
    Database(Error),
}

impl Failure {
    const fn timed_out() -> Self {
        Self::Database(Error::DatabaseTimedOut { task: "write how an order ended" })
    }
}

impl From<sqlx::Error> for Failure {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(Error::Database { task: "write how an order ended", source })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl Session<'_> {
    /// Ends a charge, and tells the handler. Tries until it is done, or until the session is over.
    pub(super) async fn finish<H>(&self, id: &ChargeId, found: &Found, handler: &H)
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let mut over = self.over.subscribe();
        let limit = self.desk.inner().settings.handler_timeout + TIME_LIMIT;
        let mut pause = Duration::from_millis(100);
        loop {
            // The semaphore is never closed. After the session, the end stays as it is in the tables.
            let permit = tokio::select! {
                _ = over.wait_for(|over| *over) => return,
                permit = self.handlers.acquire() => permit,
            };
            let result = timeout(limit, self.try_finish(id, found, handler)).await;
            let result = match result.unwrap_or_else(|_| Err(Failure::timed_out())) {
                Ok(()) => return,
                Err(Failure::Handler(row, error)) => self.record_failure(&row, found, &error).await,
                Err(Failure::Database(error)) => Err(error),
            };
            drop(permit);
            let Err(error) = result else { return };
            tracing::warn!(%error, "an end could not be written; trying again");
            tokio::select! {
                _ = over.wait_for(|over| *over) => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
            }
        }
    }

    async fn try_finish<H>(&self, id: &ChargeId, found: &Found, handler: &H) -> Result<(), Failure>
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let mut tx = self.desk.inner().store.begin().await?;
        let now = tx.now().await?;
        let Some(row) = tx.lock_charge(id.as_str()).await? else { return Ok(()) };
        let Some(decision) = decision(&row, found) else {
            if row.found.is_some() {
                tx.clear_failure(row.charge_row).await?;
                tx.commit().await?;
            }
            return Ok(());
        };
        let charge = EndedCharge::new(&row, found)?;
        let check_at = match found {
            Found::Paid(_) => None,
            _ => self.next_late_check(&row, now),
        };
        tx.end_charge(row.charge_row, charge.state, &charge.mirror, check_at, now).await?;
        if let Some(state) = decision.order {
            tx.end_order(row.order_id, row.attempt, state.as_str(), now).await?;
        }
        let Some(kind) = decision.told else {
            return Ok(tx.commit().await?);
        };
        let change = Change::Order(row.name.clone());
        tx.notify(&change.payload()).await?;
        let event = event(kind, charge.order(&row, &decision, now)?, found);
        if let Err(error) = self.call(handler, event, &mut tx).await {
            tx.rollback().await;
            return Err(Failure::Handler(Box::new(row), error));
        }
        match tx.insert_end(row.charge_row, kind.as_str(), found.reason(), now).await {
            // The handler has ignored an error of the database, which has given up the transaction.
            Err(sqlx::Error::Database(error)) => {
                tx.rollback().await;
                return Err(Failure::Handler(Box::new(row), error.to_string()));
            }
            result => result?,
        }
        tx.commit().await?;
        metrics::ended(kind);
        tracing::info!(order = row.name, attempt = row.attempt, kind = kind.as_str(), "told");
        self.desk.inner().signal.send(change);
        Ok(())
    }

    /// Calls the handler. Returns the text of its error, its panic, or its timeout.
    async fn call<H>(&self, handler: &H, event: Event, tx: &mut Transaction) -> Result<(), String>
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let limit = self.desk.inner().settings.handler_timeout;
        let call = AssertUnwindSafe(handler(event, tx)).catch_unwind();
        match timeout(limit, call).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(panic)) => Err(format!("panic: {}", panic_text(&*panic))),
            Err(_) => Err(format!("no end after {} s", limit.as_secs_f64())),
        }
    }

    /// Writes that the handler failed, so that it is called again, by this instance or another.
    async fn record_failure(&self, row: &Row, found: &Found, error: &str) -> Result<(), Error> {
        // A text of an error can be long. The column is for people. PostgreSQL cannot store NUL.
        let error: String = error.replace('\0', "\u{fffd}").chars().take(1_000).collect();
        metrics::handler_failed();
        tracing::warn!(
            order = row.name,
            error = error.as_str(),
            "the handler failed; the event is handled again later"
        );
        let charge = EndedCharge::new(row, found)?;
        let record = async {
            let mut tx = self.desk.inner().store.begin().await?;
            let retry_at = tx.now().await?.saturating_add(backoff(row.handler_failures));
            tx.lock_order(row.order_id).await?;
            let found = (found.as_str(), charge.mirror.as_str(), found.reason());
            tx.record_failure((row.charge_row, &row.charge_state), found, &error, retry_at).await?;
            tx.commit().await
        };
        within("write that the handler failed", record).await
    }

    /// Returns when to look for a late payment of this charge next.
    pub(super) fn next_late_check(&self, row: &Row, now: i64) -> Option<i64> {
        let settings = &self.desk.inner().settings;
        let at = settings.next_late_check(time(row.expires_at.unwrap_or_default()), time(now))?;
        i64::try_from(at.as_millis()).ok()
    }
}

/// A charge as its end is written.
struct EndedCharge {
    state: &'static str,
    mirror: String,
    known: Mirror,
}

impl EndedCharge {
    fn new(row: &Row, found: &Found) -> Result<Self, Error> {
        let known = match found {
            Found::Paid(charge) => Mirror::of(charge.clone().into_charge()),
            Found::Expired | Found::Failed(_) => row.mirror()?,
        };
        Ok(Self { state: found.as_str(), mirror: to_json(&row.name, &known)?, known })
    }

    /// Returns the order as the handler is told: with this charge, and in its new state.
    fn order(&self, row: &Row, decision: &Decision, now: i64) -> Result<Order, Error> {
        let mut order = row.order()?;
        if let Some(charge) = self.known.charge() {
            order.charge = charge.clone();
        }
        if let Some(state) = decision.order {
            order.state = state;
            order.ended_at = Some(time(now));
        }
        Ok(order)
    }
}

fn decision(row: &Row, found: &Found) -> Option<Decision> {
    decide(found, &row.charge_state, &row.order_state, row.attempt == row.shown_attempt)
}

fn event(kind: EndKind, order: Order, found: &Found) -> Event {
    match (kind, found) {
        (EndKind::PaidAgain, Found::Paid(charge)) => Event::PaidAgain { order, charge: charge.clone() },
        (_, Found::Paid(charge)) => Event::Paid { order, charge: charge.clone() },
        (_, Found::Expired) => Event::Expired { order },
        (_, Found::Failed(reason)) => Event::Failed { order, reason: reason.clone() },
    }
}

/// Returns how long to wait after this many earlier failures, in milliseconds.
fn backoff(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(0, 20)).unwrap_or(20);
    1_000_i64.saturating_mul(1 << doublings).min(LONGEST_RETRY)
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_called_again_after_growing_delays() {
        let delays: Vec<i64> = (0..10).map(backoff).collect();
        assert_eq!(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]);
        assert_eq!(backoff(i64::MAX), LONGEST_RETRY);
    }
}
