//! Statements on ends, and on the notifications that follow a commit.

use sqlx::{ColumnIndex, Decode, FromRow, Type};

use super::{Connection, Reader, Row, Transaction, columns, on};

/// An end, with its order.
#[derive(Debug)]
pub(crate) struct EndRow {
    pub(crate) row: Row,
    /// The position in the order of the commits.
    pub(crate) transaction: i64,
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) told_at: i64,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for EndRow
where
    Row: FromRow<'r, R>,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            row: Row::from_row(row)?,
            transaction: row.try_get("transaction_id")?,
            id: row.try_get("end_id")?,
            kind: row.try_get("kind")?,
            told_at: row.try_get("told_at")?,
        })
    }
}

impl Transaction {
    /// Writes that an end was handled.
    pub(crate) async fn insert_end(
        &mut self,
        charge_row: i64,
        kind: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO strike_ends (charge, kind, reason, told_at) VALUES ($1, $2, $3, $4)";
        on!(self.connection(), c => sqlx::query(sql)
            .bind(charge_row).bind(kind).bind(reason).bind(now).execute(c).await.map(drop))
    }

    /// Sends a notification to every instance when the transaction is committed. SQLite has none.
    pub(crate) async fn notify(&mut self, payload: &str) -> Result<(), sqlx::Error> {
        match self.connection() {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => {
                let _ = payload;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(c) => {
                let sql = "SELECT pg_notify('strike_orders', $1)";
                sqlx::query(sql).bind(payload).execute(c).await.map(drop)
            }
        }
    }
}

impl Reader {
    /// Returns the ends after this position, in the order of their commits.
    pub(crate) async fn ends(&mut self, after: (i64, i64), limit: i64) -> Result<Vec<EndRow>, sqlx::Error> {
        let (transaction, id) = after;
        match self.connection() {
            // One writer at a time: the ids are in the order of the commits.
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(c) => {
                let sql = concat!(
                    "SELECT ",
                    columns!(),
                    ", 0 AS transaction_id, e.id AS end_id, e.kind, e.told_at FROM strike_ends e \
                     JOIN strike_charges c ON c.id = e.charge JOIN strike_orders o ON o.id = c.order_id \
                     WHERE e.id > $1 ORDER BY e.id LIMIT $2"
                );
                let _ = transaction;
                sqlx::query_as(sql).bind(id).bind(limit).fetch_all(c).await
            }
            // Ids are not in the order of the commits. So read only transactions that are older than all open ones.
            #[cfg(feature = "postgres")]
            Connection::Postgres(c) => {
                let sql = concat!(
                    "SELECT ",
                    columns!(),
                    ", e.transaction_id, e.id AS end_id, e.kind, e.told_at FROM strike_ends e \
                     JOIN strike_charges c ON c.id = e.charge JOIN strike_orders o ON o.id = c.order_id \
                     WHERE (e.transaction_id, e.id) > ($1, $2) \
                     AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
                     ORDER BY e.transaction_id, e.id LIMIT $3"
                );
                sqlx::query_as(sql).bind(transaction).bind(id).bind(limit).fetch_all(c).await
            }
        }
    }
}
