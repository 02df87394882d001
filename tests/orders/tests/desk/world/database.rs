//! The database of a test: a file, or a database of the shared PostgreSQL.

use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use strike_orders_tests::postgres::Cluster;
use tempfile::TempDir;

/// An empty database. It is removed with the test.
#[derive(Clone)]
pub enum Database {
    Sqlite(Arc<TempDir>),
    Postgres { cluster: Arc<Cluster>, url: String },
}

/// Runs the same statement on either database.
macro_rules! on {
    ($database:expr, $c:ident => $run:expr) => {
        match $database {
            Database::Sqlite(_) => {
                let mut connection = $database.open_sqlite().await;
                let $c = &mut connection;
                $run.unwrap()
            }
            Database::Postgres { url, .. } => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let $c = &mut connection;
                let result = $run.unwrap();
                connection.close().await.unwrap();
                result
            }
        }
    };
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub fn postgres() -> Self {
        Self::postgres_on(Cluster::shared())
    }

    pub fn postgres_on(cluster: Arc<Cluster>) -> Self {
        let url = cluster.database();
        Self::Postgres { cluster, url }
    }

    /// Returns the URL for a desk.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("orders.db").display()),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    async fn open_sqlite(&self) -> SqliteConnection {
        let options: sqlx::sqlite::SqliteConnectOptions = self.url().parse().unwrap();
        let options = options.create_if_missing(true).busy_timeout(super::PATIENCE);
        options.disable_statement_logging().connect().await.unwrap()
    }

    pub async fn execute(&self, sql: &'static str) {
        on!(self, c => sqlx::raw_sql(sql).execute(c).await.map(drop));
    }

    pub async fn numbers(&self, sql: &'static str) -> Vec<i64> {
        on!(self, c => sqlx::query_scalar(sql).fetch_all(c).await)
    }

    pub async fn number(&self, sql: &'static str) -> i64 {
        self.numbers(sql).await[0]
    }

    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        on!(self, c => sqlx::query_scalar(sql).fetch_all(c).await)
    }

    /// Returns what the handlers have booked, such as `paid order-17 1`.
    pub async fn sales(&self) -> Vec<String> {
        self.texts("SELECT kind || ' ' || name || ' ' || CAST(attempt AS TEXT) FROM sales").await
    }

    /// Keeps every instance from writing until the lock is released.
    pub async fn lock(&self) -> Lock {
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.open_sqlite().await;
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                Lock::Sqlite(connection)
            }
            Self::Postgres { url, .. } => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let sql = "BEGIN; LOCK TABLE strike_orders, strike_charges IN EXCLUSIVE MODE";
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                Lock::Postgres(connection)
            }
        }
    }
}

/// A lock of the tables.
pub enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    pub async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}
