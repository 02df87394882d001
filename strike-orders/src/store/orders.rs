//! Statements that place, renew and read orders.

use strike_async::mirror::Mirror;
use strike_async::{Charge, NewCharge};

use super::connection::locking;
use super::{Connection, Reader, Row, Transaction, columns, on};
use crate::error::Error;

/// A charge that this instance has claimed, to create it.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(crate) order_id: i64,
    pub(crate) name: String,
    pub(crate) ordered: NewCharge,
    pub(crate) charge_row: i64,
    pub(crate) attempt: i64,
    /// The token of the claim. The result is written only while the row has it.
    pub(crate) claim: String,
    pub(crate) mirror: Mirror,
    /// Whether the row is new, so that no instance has sent a create for it.
    pub(crate) is_new: bool,
    /// When the row was written, in milliseconds.
    pub(crate) begun_at: i64,
}

impl Creation {
    /// Returns the creation of a row that another call began.
    pub(crate) fn of(row: &Row, claim: &str) -> Result<Self, Error> {
        let mirror = row.mirror()?;
        let mut ordered = NewCharge::new(
            mirror.amount().ok_or_else(|| Error::without_charge(&row.name))?,
            mirror.description().unwrap_or_default(),
        );
        if let Some(Some(customer_id)) = mirror.customer_id() {
            ordered = ordered.customer_id(customer_id);
        }
        if let Some(seconds) = row.new_charge().get_expiry_sec() {
            ordered = ordered.expiry_sec(seconds);
        }
        Ok(Self {
            order_id: row.order_id,
            name: row.name.clone(),
            ordered,
            charge_row: row.charge_row,
            attempt: row.attempt,
            claim: claim.to_owned(),
            mirror,
            is_new: false,
            begun_at: row.begun_at,
        })
    }
}

impl Transaction {
    /// Adds an order, or returns `None` if its name is taken.
    pub(crate) async fn insert_order(
        &mut self,
        name: &str,
        ordered: &NewCharge,
        now: i64,
    ) -> Result<Option<i64>, sqlx::Error> {
        let sql = "INSERT INTO strike_orders \
                   (name, state, satoshi, description, customer_id, expiry_sec, attempt, placed_at) \
                   VALUES ($1, 'placing', $2, $3, $4, $5, 1, $6) ON CONFLICT (name) DO NOTHING RETURNING id";
        on!(self.connection(), c => sqlx::query_scalar(sql)
            .bind(name)
            .bind(satoshi(ordered))
            .bind(ordered.description())
            .bind(ordered.get_customer_id())
            .bind(ordered.get_expiry_sec().map(i64::from))
            .bind(now)
            .fetch_optional(c).await)
    }

    /// Returns the id of an order.
    pub(crate) async fn order_id(&mut self, name: &str) -> Result<Option<i64>, sqlx::Error> {
        let sql = "SELECT id FROM strike_orders WHERE name = $1";
        on!(self.connection(), c => sqlx::query_scalar(sql).bind(name).fetch_optional(c).await)
    }

    /// Returns the charge of an order that is shown, and the one that is being created.
    pub(crate) async fn charges_of(&mut self, order_id: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM strike_orders o JOIN strike_charges c ON c.order_id = o.id \
             WHERE o.id = $1 AND (c.attempt = o.attempt OR c.state = 'creating') ORDER BY c.attempt"
        );
        on!(self.connection(), c => sqlx::query_as(sql).bind(order_id).fetch_all(c).await)
    }

    /// Returns the number of the next attempt.
    pub(crate) async fn next_attempt(&mut self, order_id: i64) -> Result<i64, sqlx::Error> {
        let sql = "SELECT coalesce(max(attempt), 0) + 1 FROM strike_charges WHERE order_id = $1";
        on!(self.connection(), c => sqlx::query_scalar(sql).bind(order_id).fetch_one(c).await)
    }

    /// Adds a charge that is to be created, with a claim.
    pub(crate) async fn insert_charge(
        &mut self,
        order_id: i64,
        attempt: i64,
        ordered: &NewCharge,
        mirror: &str,
        now: i64,
        claim: (&str, i64),
    ) -> Result<i64, sqlx::Error> {
        let sql = "INSERT INTO strike_charges (order_id, attempt, begun_at, state, satoshi, mirror, claim, claim_until) \
                   VALUES ($1, $2, $3, 'creating', $4, $5, $6, $7) RETURNING id";
        let (claim, until) = claim;
        on!(self.connection(), c => sqlx::query_scalar(sql)
            .bind(order_id).bind(attempt).bind(now).bind(satoshi(ordered)).bind(mirror).bind(claim).bind(until)
            .fetch_one(c).await)
    }

    /// Takes over the creation of a charge.
    pub(crate) async fn take_claim(
        &mut self,
        charge_row: i64,
        claim: (&str, i64),
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET claim = $2, claim_until = $3 WHERE id = $1";
        let (claim, until) = claim;
        on!(self.connection(), c => sqlx::query(sql)
            .bind(charge_row).bind(claim).bind(until).execute(c).await.map(drop))
    }

    /// Writes the mirror of a charge that is being created, and when that began. Returns false if the
    /// claim was lost.
    pub(crate) async fn save_creation(
        &mut self,
        creation: &Creation,
        mirror: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE strike_charges SET mirror = $3, begun_at = $4 WHERE id = $1 AND claim = $2";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(creation.charge_row).bind(&creation.claim).bind(mirror).bind(creation.begun_at)
            .execute(c).await.map(|result| result.rows_affected() == 1))
    }

    /// Writes a charge that was created. Returns `None` if the claim was lost, else the lease that
    /// watches the charge: `lease`, or none if that lease has lapsed.
    pub(crate) async fn attach(
        &mut self,
        creation: &Creation,
        charge: &Charge,
        mirror: &str,
        expires_at: i64,
        lease: Option<i64>,
    ) -> Result<Option<Option<i64>>, sqlx::Error> {
        let sql = locking!(
            self.connection(),
            "UPDATE strike_charges SET state = 'pending', charge_id = $3, payment_request = $4, \
             expires_at = $5, mirror = $6, claim = NULL, claim_until = NULL, create_error = NULL, \
             lease_id = (SELECT id FROM strike_leases WHERE id = $7",
            " FOR KEY SHARE",
            ") WHERE id = $1 AND claim = $2 AND state = 'creating' RETURNING lease_id"
        );
        let attached: Option<Option<i64>> = on!(self.connection(), c => sqlx::query_scalar(sql)
            .bind(creation.charge_row)
            .bind(&creation.claim)
            .bind(charge.id().as_str())
            .bind(charge.payment_request())
            .bind(expires_at)
            .bind(mirror)
            .bind(lease)
            .fetch_optional(c).await)?;
        if attached.is_none() {
            return Ok(None);
        }
        let sql = "UPDATE strike_orders SET state = 'pending', attempt = $2, satoshi = $3, description = $4, \
                   customer_id = $5, expiry_sec = $6, ended_at = NULL WHERE id = $1 AND state <> 'paid'";
        let ordered = &creation.ordered;
        on!(self.connection(), c => sqlx::query(sql)
            .bind(creation.order_id)
            .bind(creation.attempt)
            .bind(satoshi(ordered))
            .bind(ordered.description())
            .bind(ordered.get_customer_id())
            .bind(ordered.get_expiry_sec().map(i64::from))
            .execute(c).await.map(drop))?;
        Ok(attached)
    }

    /// Gives up a claim: the outcome of the create is unknown. Another call may take over at once, a
    /// runner after `retry_at`.
    pub(crate) async fn release_claim(
        &mut self,
        creation: &Creation,
        error: &str,
        retry_at: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_charges SET claim = NULL, claim_until = $3, create_error = $4 \
                   WHERE id = $1 AND claim = $2";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(creation.charge_row).bind(&creation.claim).bind(retry_at).bind(error)
            .execute(c).await.map(drop))
    }

    /// Removes a charge that was certainly not created, and its order if it has no other charge.
    pub(crate) async fn forget(&mut self, creation: &Creation) -> Result<(), sqlx::Error> {
        let sql = "DELETE FROM strike_charges WHERE id = $1 AND claim = $2";
        let deleted = on!(self.connection(), c => sqlx::query(sql)
            .bind(creation.charge_row).bind(&creation.claim)
            .execute(c).await.map(|result| result.rows_affected()))?;
        if deleted == 1 {
            let sql = "DELETE FROM strike_orders WHERE id = $1 AND state = 'placing'";
            on!(self.connection(), c => sqlx::query(sql).bind(creation.order_id).execute(c).await.map(drop))?;
        }
        Ok(())
    }
}

impl Reader {
    /// Returns an order with the charge that is shown.
    pub(crate) async fn order(&mut self, name: &str) -> Result<Option<Row>, sqlx::Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM strike_orders o \
             JOIN strike_charges c ON c.order_id = o.id AND c.attempt = o.attempt \
             WHERE o.name = $1 AND o.state <> 'placing'"
        );
        on!(self.connection(), c => sqlx::query_as(sql).bind(name).fetch_optional(c).await)
    }

    /// Returns the newest orders before this id.
    pub(crate) async fn orders(&mut self, before: i64, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM strike_orders o \
             JOIN strike_charges c ON c.order_id = o.id AND c.attempt = o.attempt \
             WHERE o.id < $1 AND o.state <> 'placing' ORDER BY o.id DESC LIMIT $2"
        );
        on!(self.connection(), c => sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)
    }

    /// Returns the newest orders in this state before this id.
    pub(crate) async fn orders_in_state(
        &mut self,
        state: &str,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM strike_orders o \
             JOIN strike_charges c ON c.order_id = o.id AND c.attempt = o.attempt \
             WHERE o.state = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3"
        );
        on!(self.connection(), c => sqlx::query_as(sql)
            .bind(state).bind(before).bind(limit).fetch_all(c).await)
    }

    /// Returns the day, the number and the satoshi of paid orders, for each day from `from` to before `to`.
    pub(crate) async fn totals(&mut self, from: i64, to: i64) -> Result<Vec<(i64, i64, i64)>, sqlx::Error> {
        let sql = "SELECT e.told_at / 86400000 AS day, count(*), CAST(sum(c.satoshi) AS BIGINT) \
                   FROM strike_ends e JOIN strike_charges c ON c.id = e.charge \
                   WHERE e.kind = 'paid' AND e.told_at >= $1 AND e.told_at < $2 GROUP BY day ORDER BY day";
        on!(self.connection(), c => sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)
    }
}

/// Returns an amount as the tables hold it. It is at most 21 million bitcoin.
fn satoshi(ordered: &NewCharge) -> i64 {
    i64::try_from(ordered.amount().get()).unwrap_or(i64::MAX)
}
