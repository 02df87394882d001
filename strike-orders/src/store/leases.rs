//! Statements on leases. Each running instance has one, and its charges lapse with it.

use super::connection::locking;
use super::{Connection, Reader, Transaction, on};

/// The leases of all running instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    /// How many instances can take further charges.
    pub(crate) with_room: i64,
    /// How many charges those instances hold.
    pub(crate) held: i64,
}

/// A lease, for the health check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseRow {
    pub(crate) id: i64,
    pub(crate) renewed_at: i64,
    pub(crate) lapses_at: i64,
    pub(crate) held: i64,
}

impl Transaction {
    /// Adds a lease, and returns its id. No id is used twice.
    pub(crate) async fn insert_lease(
        &mut self,
        now: i64,
        lapses_at: i64,
        capacity: i64,
    ) -> Result<i64, sqlx::Error> {
        let sql = "INSERT INTO strike_leases (renewed_at, lapses_at, held, capacity) VALUES ($1, $2, 0, $3) RETURNING id";
        on!(self.connection(), c => sqlx::query_scalar(sql)
            .bind(now).bind(lapses_at).bind(capacity).fetch_one(c).await)
    }

    /// Locks a lease until the end of the transaction. Returns false if it has lapsed: others may
    /// have taken its charges.
    pub(crate) async fn lock_lease(&mut self, id: i64, now: i64) -> Result<bool, sqlx::Error> {
        let sql = locking!(
            self.connection(),
            "SELECT id FROM strike_leases WHERE id = $1 AND lapses_at >= $2",
            " FOR NO KEY UPDATE",
            ""
        );
        let lease: Option<i64> =
            on!(self.connection(), c => sqlx::query_scalar(sql).bind(id).bind(now).fetch_optional(c).await)?;
        Ok(lease.is_some())
    }

    /// Renews a lease that is locked.
    pub(crate) async fn renew_lease(
        &mut self,
        id: i64,
        now: i64,
        lapses_at: i64,
        held: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_leases SET renewed_at = $2, lapses_at = $3, held = $4 WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(id).bind(now).bind(lapses_at).bind(held).execute(c).await.map(drop))
    }

    /// Lets a lease lapse now, so that other instances take its charges.
    pub(crate) async fn end_lease(&mut self, id: i64) -> Result<(), sqlx::Error> {
        let sql = "UPDATE strike_leases SET lapses_at = 0 WHERE id = $1";
        on!(self.connection(), c => sqlx::query(sql).bind(id).execute(c).await.map(drop))
    }

    /// Returns the leases that have lapsed.
    pub(crate) async fn lapsed_leases(&mut self, now: i64) -> Result<Vec<i64>, sqlx::Error> {
        let sql = "SELECT id FROM strike_leases WHERE lapses_at < $1";
        on!(self.connection(), c => sqlx::query_scalar(sql).bind(now).fetch_all(c).await)
    }

    /// Removes a lease without charges, unless its holder, or another instance, works with it.
    pub(crate) async fn remove_empty_lease(&mut self, id: i64) -> Result<(), sqlx::Error> {
        // The check below must begin after the lock, or it could miss a charge.
        let sql = locking!(
            self.connection(),
            "SELECT id FROM strike_leases WHERE id = $1",
            " FOR UPDATE SKIP LOCKED",
            ""
        );
        let lease: Option<i64> =
            on!(self.connection(), c => sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
        if lease.is_none() {
            return Ok(());
        }
        let sql = "DELETE FROM strike_leases WHERE id = $1 AND \
                   (SELECT id FROM strike_charges WHERE lease_id = $1 ORDER BY begun_at LIMIT 1) IS NULL";
        on!(self.connection(), c => sqlx::query(sql).bind(id).execute(c).await.map(drop))
    }

    /// Returns how many charges the instances with room hold.
    pub(crate) async fn fleet(&mut self, now: i64) -> Result<Fleet, sqlx::Error> {
        let sql = "SELECT count(*), CAST(coalesce(sum(held), 0) AS BIGINT) FROM strike_leases \
                   WHERE held < capacity AND lapses_at >= $1";
        let (with_room, held) =
            on!(self.connection(), c => sqlx::query_as(sql).bind(now).fetch_one(c).await)?;
        Ok(Fleet { with_room, held })
    }
}

impl Reader {
    /// Returns every lease.
    pub(crate) async fn leases(&mut self) -> Result<Vec<LeaseRow>, sqlx::Error> {
        let sql = "SELECT id, renewed_at, lapses_at, held FROM strike_leases ORDER BY id";
        let rows: Vec<(i64, i64, i64, i64)> =
            on!(self.connection(), c => sqlx::query_as(sql).fetch_all(c).await)?;
        let lease = |(id, renewed_at, lapses_at, held)| LeaseRow { id, renewed_at, lapses_at, held };
        Ok(rows.into_iter().map(lease).collect())
    }
}
