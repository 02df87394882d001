//! The database: connections, migrations, and every statement that the desk sends.

mod charges;
mod connection;
mod ends;
mod hints;
mod leases;
mod migrate;
mod open;
mod orders;
mod row;

use std::fmt;
use std::time::Duration;

#[cfg(feature = "postgres")]
use sqlx::postgres::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;
use tokio::time::timeout;

pub(crate) use self::charges::Taken;
pub(crate) use self::connection::on;
pub use self::connection::{Connection, Transaction};
pub(crate) use self::ends::EndRow;
pub(crate) use self::leases::Fleet;
pub(crate) use self::orders::Creation;
pub(crate) use self::row::{Row, columns, millis, time, to_json};
use crate::error::Error;

/// How long the database may take for one task. A lost connection could otherwise hang forever.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Runs a task of the database within the time limit. `task` completes "could not".
pub(crate) async fn within<T>(
    task: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Error> {
    match timeout(TIME_LIMIT, work).await {
        Ok(result) => result.map_err(|source| Error::Database { task, source }),
        Err(_) => Err(Error::DatabaseTimedOut { task }),
    }
}

/// A pool of connections to one database. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Store {
    /// SQLite has one writer at a time. A pool of one connection makes writers wait in order.
    #[cfg(feature = "sqlite")]
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

/// A connection for a single statement that only reads.
pub(crate) enum Reader {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
}

impl Store {
    /// Opens the database and migrates its schema.
    pub(crate) async fn connect(
        url: &str,
        max_connections: u32,
        handler_timeout: Duration,
    ) -> Result<Self, Error> {
        let store = Self::open(url, max_connections, handler_timeout).await?;
        store.migrate().await?;
        within("write into the database", store.check_writable()).await?;
        Ok(store)
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let inner = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, .. } => {
                // The lock is taken at once: a lock that is taken later can fail.
                connection::Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => connection::Inner::Postgres(pool.begin().await?),
        };
        Ok(Transaction(inner))
    }

    /// Returns a connection for reading.
    pub(crate) async fn reader(&self) -> Result<Reader, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// Returns how many ends can be handled at the same time.
    pub(crate) fn writers(&self) -> usize {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => 1,
            #[cfg(feature = "postgres")]
            // Half of the connections stay free for the shop.
            Self::Postgres(pool) => (pool.options().get_max_connections() as usize / 2).max(1),
        }
    }

    async fn check_writable(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.begin().await?;
        let sql = "DELETE FROM strike_leases WHERE lapses_at < 0";
        on!(tx.connection(), c => sqlx::query(sql).execute(c).await.map(drop))?;
        tx.commit().await
    }
}

impl Reader {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

impl fmt::Debug for Store {
    /// Writes only the kind of database: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => "SQLite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "PostgreSQL",
        })
    }
}
