//! The user's own table, into which the handler of a worker writes in the desk's transaction.

use sqlx::{PgPool, SqlitePool};
use strike_orders::{Connection, Event, Transaction};

/// Has no constraint, so that a second completion of an order is visible.
const CREATE: &str =
    "create table completions (name text not null, charge text not null, kind text not null)";

const INSERT: &str = "insert into completions (name, charge, kind) values ($1, $2, $3)";

const SELECT: &str = "select name, charge, kind from completions";

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// The name of the order.
    pub name: String,
    /// The id of the charge.
    pub charge: String,
    /// Which event it was: `paid`, `paid_again`, `expired` or `failed`.
    pub kind: String,
}

impl Completion {
    /// Returns the row for an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let order = event.order();
        Self {
            name: order.name().to_owned(),
            charge: order.charge().id().to_string(),
            kind: event.kind().as_str().to_owned(),
        }
    }

    /// Inserts the row in the transaction of the desk.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert(&self, transaction: &mut Transaction) -> Result<(), sqlx::Error> {
        match transaction.connection() {
            Connection::Sqlite(connection) => {
                let query = sqlx::query(INSERT).bind(&self.name).bind(&self.charge).bind(&self.kind);
                query.execute(connection).await?;
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query(INSERT).bind(&self.name).bind(&self.charge).bind(&self.kind);
                query.execute(connection).await?;
            }
        }
        Ok(())
    }
}

/// The table, as a test reads it.
#[derive(Debug, Clone)]
pub enum Completions {
    /// In a file.
    Sqlite(SqlitePool),
    /// In a server.
    Postgres(PgPool),
}

impl Completions {
    /// Creates the table in the database of a desk.
    pub async fn create(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let pool = SqlitePool::connect(url).await.unwrap();
            sqlx::query(CREATE).execute(&pool).await.unwrap();
            Self::Sqlite(pool)
        } else {
            let pool = PgPool::connect(url).await.unwrap();
            sqlx::query(CREATE).execute(&pool).await.unwrap();
            Self::Postgres(pool)
        }
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(&self) -> Result<Vec<Completion>, sqlx::Error> {
        let rows: Vec<(String, String, String)> = match self {
            Self::Sqlite(pool) => sqlx::query_as(SELECT).fetch_all(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(SELECT).fetch_all(pool).await?,
        };
        Ok(rows.into_iter().map(|(name, charge, kind)| Completion { name, charge, kind }).collect())
    }
}
