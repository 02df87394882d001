//! Statements of the runner: which charges it takes, and how they end.

use super::connection::locking;
use super::{Connection, Reader, Row, Transaction, columns, on};

/// A statement that takes charges. On PostgreSQL it skips those that another instance works with.
macro_rules! skipping {
    ($connection:expr, $select:expr, $after:expr) => {
        locking!($connection, $select, " FOR UPDATE OF c SKIP LOCKED", $after)
    };
}

/// Which column of a charge says when it is due.
macro_rules! due {
    ($connection:expr, $when:literal) => {
        skipping!(
            $connection,
            concat!(
                "SELECT ",
                columns!(),
                " FROM strike_charges c JOIN strike_orders o ON o.id = c.order_id WHERE ",
                $when,
                " LIMIT $2"
            ),
            ""
        )
    };
}

/// A charge that a lease has taken: its mirror, and when its invoice expires.
pub(crate) type Taken = (String, i64);

impl Transaction {
    /// Assigns pending charges that no instance watches to this lease.
    pub(crate) async fn take_unheld(&mut self, lease: i64, limit: i64) -> Result<Vec<Taken>, sqlx::Error> {
        let sql = skipping!(
            self.connection(),
            "UPDATE strike_charges SET lease_id = $1 WHERE id IN (SELECT c.id FROM strike_charges c \
             WHERE c.state = 'pending' AND c.lease_id IS NULL AND c.found IS NULL ORDER BY c.begun_at LIMIT $2",
            ") RETURNING mirror, expires_at"
        );
        on!(self.connection(), c => sqlx::query_as(sql).bind(lease).bind(limit).fetch_all(c).await)
    }

    /// Assigns charges of a lease that has lapsed to this lease.
    pub(crate) async fn take_lapsed(
        &mut self,
        lease: i64,
        lapsed: i64,
        limit: i64,
    ) -> Result<Vec<Taken>, sqlx::Error> {
        let sql = skipping!(
            self.connection(),
            "UPDATE strike_charges SET lease_id = $1 WHERE id IN (SELECT c.id FROM strike_charges c \
             WHERE c.lease_id = $2 ORDER BY c.begun_at LIMIT $3",
            ") RETURNING mirror, expires_at"
        );
        on!(self.connection(), c => sqlx::query_as(sql)
            .bind(lease).bind(lapsed).bind(limit).fetch_all(c).await)
    }

    /// Gives up to `limit` charges of this lease back. Returns their ids.
    pub(crate) async fn give_back(&mut self, lease: i64, limit: i64) -> Result<Vec<String>, sqlx::Error> {
        let sql = skipping!(
            self.connection(),
            "UPDATE strike_charges SET lease_id = NULL WHERE id IN (SELECT c.id FROM strike_charges c \
             WHERE c.lease_id = $1 ORDER BY c.begun_at LIMIT $2",
            ") RETURNING charge_id"
        );
        on!(self.connection(), c => sqlx::query_scalar(sql).bind(lease).bind(limit).fetch_all(c).await)
    }

    /// Returns charges whose creation was claimed until before now.
    pub(crate) async fn lapsed_creations(&mut self, now: i64, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql =
            due!(self.connection(), "c.state = 'creating' AND c.claim_until <= $1 ORDER BY c.claim_until");
        on!(self.connection(), c => sqlx::query_as(sql).bind(now).bind(limit).fetch_all(c).await)
    }

    /// Returns ended charges that are due for a look for a late payment.
    pub(crate) async fn due_late(&mut self, now: i64, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = due!(self.connection(), "c.check_at <= $1 ORDER BY c.check_at");
        on!(self.connection(), c => sqlx::query_as(sql).bind(now).bind(limit).fetch_all(c).await)
    }

    /// Sets when to look for a late payment next.
    pub(crate) async fn set_check_at(&mut self, charge_row: i64, at: Option<i64>) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET check_at = $2 WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql).bind(charge_row).bind(at).execute(c).await.map(drop))
    }

    /// Sets when to look for a late payment next, unless it was changed in between.
    pub(crate) async fn replace_check_at(
        &mut self,
        charge_row: i64,
        old: i64,
        new: Option<i64>,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET check_at = $3 WHERE id = $1 AND check_at = $2";
        on!(self.connection(), c => sqlx::query(sql).bind(charge_row).bind(old).bind(new).execute(c).await.map(drop))
    }

    /// Returns charges whose end is due to be handled again.
    pub(crate) async fn due_retries(&mut self, now: i64, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = due!(self.connection(), "c.handler_retry_at <= $1 ORDER BY c.handler_retry_at");
        on!(self.connection(), c => sqlx::query_as(sql).bind(now).bind(limit).fetch_all(c).await)
    }

    /// Sets when the end of a charge is handled again.
    pub(crate) async fn set_retry_at(&mut self, charge_row: i64, at: i64) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET handler_retry_at = $2 WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql).bind(charge_row).bind(at).execute(c).await.map(drop))
    }

    /// Locks the order of a charge, and returns both.
    pub(crate) async fn lock_charge(&mut self, charge_id: &str) -> Result<Option<Row>, sqlx::Error> {
        let sql = "SELECT order_id FROM strike_charges WHERE charge_id = $1";
        let order: Option<i64> =
            on!(self.connection(), c => sqlx::query_scalar(sql).bind(charge_id).fetch_optional(c).await)?;
        let Some(order) = order else { return Ok(None) };
        self.lock_order(order).await?;
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM strike_charges c JOIN strike_orders o ON o.id = c.order_id \
             WHERE c.charge_id = $1"
        );
        on!(self.connection(), c => sqlx::query_as(sql).bind(charge_id).fetch_optional(c).await)
    }

    /// Ends a charge.
    pub(crate) async fn end_charge(
        &mut self,
        charge_row: i64,
        state: &str,
        mirror: &str,
        check_at: Option<i64>,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET state = $2, mirror = $3, check_at = $4, ended_at = $5, lease_id = NULL, \
                   found = NULL, handler_error = NULL, handler_retry_at = NULL WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(charge_row).bind(state).bind(mirror).bind(check_at).bind(now)
            .execute(c).await.map(drop))
    }

    /// Ends an order with this attempt, which is shown from now on.
    pub(crate) async fn end_order(
        &mut self,
        order_id: i64,
        attempt: i64,
        state: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_orders SET attempt = $2, state = $3, ended_at = $4 WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(order_id).bind(attempt).bind(state).bind(now).execute(c).await.map(drop))
    }

    /// Removes an end that was handled in between.
    pub(crate) async fn clear_failure(&mut self, charge_row: i64) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET found = NULL, handler_error = NULL, handler_retry_at = NULL WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql).bind(charge_row).execute(c).await.map(drop))
    }

    /// Writes that a handler failed, and when to try again, unless the charge has ended in between.
    pub(crate) async fn record_failure(
        &mut self,
        charge: (i64, &str),
        found: (&str, &str, Option<&str>),
        error: &str,
        retry_at: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET found = $2, mirror = $3, reason = $4, lease_id = NULL, \
                   handler_failures = handler_failures + 1, handler_error = $5, handler_retry_at = $6 \
                   WHERE id = $1 AND state = $7";
        let (charge_row, state) = charge;
        let (found, mirror, reason) = found;
        on!(self.connection(), c => sqlx::query(sql)
            .bind(charge_row).bind(found).bind(mirror).bind(reason).bind(error).bind(retry_at).bind(state)
            .execute(c).await.map(drop))
    }
}

impl Reader {
    /// Returns how many ends wait to be handled again, and the newest error of their handlers.
    pub(crate) async fn failing_handlers(&mut self) -> Result<(i64, Option<String>), sqlx::Error> {
        let sql =
            "SELECT count(*), max(handler_error) FROM strike_charges WHERE handler_retry_at IS NOT NULL";
        on!(self.connection(), c => sqlx::query_as(sql).fetch_one(c).await)
    }
}
