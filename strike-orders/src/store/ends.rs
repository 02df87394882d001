//! Statements on ends, and on the notifications that follow a commit.

use sqlx::{ColumnIndex, Decode, FromRow, Type};

use super::{Connection, Reader, Row, Store, Transaction, columns, on};

/// An end, with its order.
#[derive(Debug)]
pub(crate) struct EndRow {
    pub(crate) row: Row,
    /// The place in the order of the commits.
    pub(crate) position: i64,
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
            position: row.try_get("position")?,
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

impl Store {
    /// Gives each end that has none a position, after those of all ends before.
    pub(crate) async fn order_ends(&self) -> Result<(), sqlx::Error> {
        match self {
            // One writer at a time: the ids are in the order of the commits.
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                let sql = "SELECT id FROM strike_ends WHERE position IS NULL LIMIT 1";
                let first: Option<i64> = sqlx::query_scalar(sql).fetch_optional(pool).await?;
                if first.is_none() {
                    return Ok(());
                }
                let mut tx = pool.begin().await?;
                // One reader at a time. The statement after it sees what the others have committed.
                sqlx::query("SELECT pg_advisory_xact_lock(hashtext('strike_ends'))")
                    .execute(&mut *tx)
                    .await?;
                let sql = "UPDATE strike_ends e SET position = n.position FROM \
                           (SELECT id, row_number() OVER (ORDER BY id) + \
                            (SELECT coalesce(max(position), 0) FROM strike_ends) AS position \
                            FROM strike_ends WHERE position IS NULL) n WHERE e.id = n.id";
                sqlx::query(sql).execute(&mut *tx).await?;
                tx.commit().await
            }
        }
    }
}

impl Reader {
    /// Returns the ends after this position, in the order of their commits.
    pub(crate) async fn ends(&mut self, after: i64, limit: i64) -> Result<Vec<EndRow>, sqlx::Error> {
        macro_rules! ends {
            ($position:literal) => {
                concat!(
                    "SELECT ", columns!(), ", ", $position, " AS position, e.kind, e.told_at FROM strike_ends e \
                     JOIN strike_charges c ON c.id = e.charge JOIN strike_orders o ON o.id = c.order_id \
                     WHERE ", $position, " > $1 ORDER BY ", $position, " LIMIT $2"
                )
            };
        }
        match self.connection() {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(c) => sqlx::query_as(ends!("e.id")).bind(after).bind(limit).fetch_all(c).await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(c) => {
                sqlx::query_as(ends!("e.position")).bind(after).bind(limit).fetch_all(c).await
            }
        }
    }
}
