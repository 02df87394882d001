//! Statements on hints: charges that a webhook named.

use super::connection::locking;
use super::{Connection, Transaction, on};

/// The most hints that are kept. Anyone can send a webhook of some backends.
const MOST: i64 = 10_000;

impl Transaction {
    /// Keeps a hint.
    pub(crate) async fn insert_hint(&mut self, charge_id: &str, now: i64) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO strike_hints (charge_id, received_at) SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT) \
                   WHERE (SELECT count(*) FROM strike_hints) < $3 \
                   ON CONFLICT (charge_id) DO UPDATE SET received_at = excluded.received_at";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(charge_id).bind(now).bind(MOST).execute(c).await.map(drop))
    }

    /// Removes and returns the hints of charges that this lease watches.
    pub(crate) async fn take_hints(&mut self, lease: i64) -> Result<Vec<String>, sqlx::Error> {
        let sql = locking!(
            self.connection(),
            "DELETE FROM strike_hints WHERE charge_id IN (SELECT h.charge_id FROM strike_hints h WHERE EXISTS \
             (SELECT 1 FROM strike_charges c WHERE c.charge_id = h.charge_id AND c.lease_id = $1)",
            " FOR UPDATE OF h SKIP LOCKED",
            ") RETURNING charge_id"
        );
        on!(self.connection(), c => sqlx::query_scalar(sql).bind(lease).fetch_all(c).await)
    }

    /// Looks for a late payment of each ended charge that a hint names, and removes these hints.
    ///
    /// It waits for no lock: a handler may hold one for long. What is locked is looked at again later.
    pub(crate) async fn take_late_hints(&mut self, now: i64) -> Result<(), sqlx::Error> {
        let sql = locking!(
            self.connection(),
            "UPDATE strike_charges SET check_at = $1 WHERE id IN (SELECT c.id FROM strike_charges c \
             WHERE c.charge_id IN (SELECT charge_id FROM strike_hints) AND c.state IN ('expired', 'failed')",
            " FOR UPDATE OF c SKIP LOCKED",
            ")"
        );
        on!(self.connection(), c => sqlx::query(sql).bind(now).execute(c).await.map(drop))?;
        // A hint of an unknown charge may have arrived before the response to the create.
        // For each hint, the charge is found by its id. A join would let SQLite read all charges.
        let sql = locking!(
            self.connection(),
            "DELETE FROM strike_hints WHERE charge_id IN (SELECT h.charge_id FROM strike_hints h \
             WHERE h.received_at < $1 OR EXISTS (SELECT 1 FROM strike_charges c \
             WHERE c.charge_id = h.charge_id AND (c.state = 'paid' OR c.check_at = $2))",
            " FOR UPDATE OF h SKIP LOCKED",
            ")"
        );
        let an_hour_ago = now - 3_600_000;
        on!(self.connection(), c => sqlx::query(sql).bind(an_hour_ago).bind(now).execute(c).await.map(drop))
    }
}
