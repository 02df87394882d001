//! `Transaction` and `Connection`: one type for both databases.

#[cfg(feature = "postgres")]
use sqlx::PgConnection;
#[cfg(feature = "sqlite")]
use sqlx::SqliteConnection;

use crate::error::Error;

/// Runs the same statement on a connection of either database.
macro_rules! on {
    ($connection:expr, $c:ident => $run:expr) => {
        match $connection {
            #[cfg(feature = "sqlite")]
            $crate::Connection::Sqlite($c) => $run,
            #[cfg(feature = "postgres")]
            $crate::Connection::Postgres($c) => $run,
        }
    };
}
pub(crate) use on;

/// A statement that locks rows on PostgreSQL. SQLite has locked the whole file.
macro_rules! locking {
    ($connection:expr, $select:expr, $lock:expr, $after:expr) => {
        match $connection {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => concat!($select, $after),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => concat!($select, $lock, $after),
        }
    };
}
pub(super) use locking;

/// A connection to the desk's database, inside a [`Transaction`].
///
/// Match on it if your shop supports both databases. Both take `$1` as a placeholder.
///
/// ```
/// use strike_orders::{Connection, HandlerError, Transaction, sqlx};
///
/// async fn book(tx: &mut Transaction, order: &str) -> Result<(), HandlerError> {
///     const SQL: &str = "INSERT INTO sales (name) VALUES ($1)";
///     match tx.connection() {
///         Connection::Sqlite(connection) => drop(sqlx::query(SQL).bind(order).execute(connection).await?),
///         # #[cfg(feature = "postgres")]
///         Connection::Postgres(connection) => drop(sqlx::query(SQL).bind(order).execute(connection).await?),
///     }
///     Ok(())
/// }
/// # let _ = book;
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shop handles both databases")]
pub enum Connection<'c> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'c mut PgConnection),
}

impl Connection<'_> {
    /// Returns the time in milliseconds since the epoch, by the database's clock. All instances
    /// share that clock.
    pub(crate) async fn now(self) -> Result<i64, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(c) => {
                let sql = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)";
                sqlx::query_scalar(sql).fetch_one(c).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(c) => {
                let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
                sqlx::query_scalar(sql).fetch_one(c).await
            }
        }
    }

    /// Returns when the oldest pending order was placed.
    pub(crate) async fn oldest_pending(self) -> Result<Option<i64>, sqlx::Error> {
        let sql = "SELECT min(placed_at) FROM strike_orders WHERE state = 'pending'";
        on!(self, c => sqlx::query_scalar(sql).fetch_one(c).await)
    }
}

/// The transaction in which the desk writes how an order ended.
///
/// The desk commits it after your handler has returned `Ok`, and rolls it back after an error, a
/// panic or a timeout. Do not commit it or roll it back yourself.
///
/// ```
/// use strike_orders::{HandlerError, Transaction, sqlx};
///
/// async fn book(tx: &mut Transaction, order: &str) -> Result<(), HandlerError> {
///     sqlx::query("INSERT INTO sales (name) VALUES ($1)").bind(order).execute(tx.sqlite()?).await?;
///     Ok(())
/// }
/// # let _ = book;
/// ```
#[derive(Debug)]
pub struct Transaction(pub(super) Inner);

#[derive(Debug)]
pub(super) enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    /// Returns the connection, for either database.
    pub fn connection(&mut self) -> Connection<'_> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => Connection::Sqlite(transaction),
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }

    /// Returns the connection to SQLite.
    ///
    /// # Errors
    /// Returns [`Error::WrongDatabase`] if the desk is on PostgreSQL.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&mut self) -> Result<&mut SqliteConnection, Error> {
        match self.connection() {
            Connection::Sqlite(connection) => Ok(connection),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => Err(Error::WrongDatabase { is: "PostgreSQL", call: "tx.postgres()" }),
        }
    }

    /// Returns the connection to PostgreSQL.
    ///
    /// # Errors
    /// Returns [`Error::WrongDatabase`] if the desk is on SQLite.
    #[cfg(feature = "postgres")]
    pub fn postgres(&mut self) -> Result<&mut PgConnection, Error> {
        match self.connection() {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => Err(Error::WrongDatabase { is: "SQLite", call: "tx.sqlite()" }),
            Connection::Postgres(connection) => Ok(connection),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => transaction.commit().await,
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Returns the time by the database's clock.
    pub(crate) async fn now(&mut self) -> Result<i64, sqlx::Error> {
        self.connection().now().await
    }

    /// Rolls back. If that fails, the database does it when it closes the connection.
    pub(crate) async fn rollback(self) {
        let result = match self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => transaction.rollback().await,
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => transaction.rollback().await,
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a transaction could not be rolled back");
        }
    }

    /// Locks an order until the end of the transaction. Everything that changes an order or one of its
    /// charges locks it first. On SQLite, a transaction has locked the whole file.
    pub(crate) async fn lock_order(&mut self, order_id: i64) -> Result<(), sqlx::Error> {
        match self.connection() {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => {
                let _ = order_id;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(c) => {
                let sql = "SELECT id FROM strike_orders WHERE id = $1 FOR UPDATE";
                sqlx::query(sql).bind(order_id).execute(c).await.map(drop)
            }
        }
    }
}
