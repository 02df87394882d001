//! Opens the database that a URL names, with the settings that orders need.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use std::str::FromStr;
use std::time::Duration;

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
#[cfg(feature = "postgres")]
use sqlx::{ConnectOptions, Connection as _};
#[cfg(feature = "sqlite")]
use tokio::time::Instant;

use super::Store;
#[cfg(feature = "postgres")]
use super::{TIME_LIMIT, within};
use crate::error::Error;

/// A commit waits until it is on disk, also where the database does not wait by default. Otherwise
/// a crash of the server could forget an invoice that a payer has seen.
#[cfg(feature = "postgres")]
const COMMIT_DURABLY: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// How long to wait for other writers of a SQLite file.
#[cfg(feature = "sqlite")]
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Opens the database that the URL names.
    pub(super) async fn open(
        url: &str,
        max_connections: u32,
        handler_timeout: Duration,
    ) -> Result<Self, Error> {
        #[cfg(not(feature = "postgres"))]
        let _ = handler_timeout;
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => Self::open_sqlite(url, max_connections).await,
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Self::open_postgres(url, max_connections, handler_timeout).await,
            _ => Err(Error::UnsupportedUrl),
        }
    }

    #[cfg(feature = "postgres")]
    async fn open_postgres(
        url: &str,
        max_connections: u32,
        handler_timeout: Duration,
    ) -> Result<Self, Error> {
        within("connect to PostgreSQL", async {
            // A stopped process must not keep its locks for ever, and others must not wait for ever.
            let idle = format!("{}ms", (handler_timeout + TIME_LIMIT).as_millis());
            let options = PgConnectOptions::from_str(url)?.application_name("strike-orders").options([
                ("idle_in_transaction_session_timeout", idle.as_str()),
                ("lock_timeout", "20s"),
                ("default_transaction_isolation", "read committed"),
            ]);
            // A pool waits for a server that does not run. A wrong URL should be an error at once.
            options.connect().await?.close().await?;
            let pool =
                PgPoolOptions::new().max_connections(max_connections).after_connect(|connection, _| {
                    Box::pin(async move { sqlx::query(COMMIT_DURABLY).execute(connection).await.map(drop) })
                });
            Ok(pool.connect_lazy_with(options))
        })
        .await
        .map(Self::Postgres)
    }

    #[cfg(feature = "sqlite")]
    async fn open_sqlite(url: &str, max_connections: u32) -> Result<Self, Error> {
        let opened = |source| Error::database("open the SQLite file", source);
        let options = SqliteConnectOptions::from_str(url)
            .map_err(opened)?
            .create_if_missing(!url.contains("mode="))
            .journal_mode(SqliteJournalMode::Wal)
            // A committed order survives a power failure.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
        // A database in memory is gone when its connection closes.
        let writer = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        // SQLite does not wait for another process that switches a new file to WAL.
        let give_up = Instant::now() + BUSY_TIMEOUT;
        let writer = loop {
            match writer.clone().connect_with(options.clone()).await {
                Err(error) if is_busy(&error) && Instant::now() < give_up => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => break result.map_err(opened)?,
            }
        };
        let readers = if is_in_memory {
            writer.clone()
        } else {
            SqlitePoolOptions::new().max_connections(max_connections).connect_lazy_with(options)
        };
        Ok(Self::Sqlite { writer, readers })
    }
}

/// Returns true if another connection has locked the SQLite file.
#[cfg(feature = "sqlite")]
fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code());
    // The lowest byte is the primary code.
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == BUSY)
}
