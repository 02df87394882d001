//! The user's own table, into which the handler of a worker writes in the desk's transaction.

use sqlx::{PgPool, SqlitePool};
use strike_orders::{Connection, Event, Transaction};

/// Has no constraint, so that a second completion of an order is visible.
const CREATE: &str = "create table completions (name text not null, charge text not null, kind text not null)";

const INSERT: &str = "insert into completions (name, charge, kind) values ($1, $2, $3)";

const SELECT: &str = "select name, charge, kind from completions";

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Completion {
    /// The name of the order.
    pub name: String,
    /// The id of the charge. Empty if a create failed.
    pub charge: String,
    /// Which event it was: `paid`, `paid_again`, `expired` or `failed`.
    pub kind: String,
}

impl Completion {
    /// Returns the row for an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let (order, kind, charge) = match event {
            Event::Paid { order, charge, .. } => (order, "paid", charge.id().to_string()),
            Event::PaidAgain { order, charge, .. } => (order, "paid_again", charge.id().to_string()),
            Event::Expired { order, .. } => (order, "expired", order.charge().id().to_string()),
            Event::Failed { order, .. } => (order, "failed", String::new()),
            other => panic!("unknown event: {other:?}"),
        };
        Self { name: order.name().to_owned(), charge, kind: kind.to_owned() }
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
            _ => panic!("unknown database"),
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
        match self {
            Self::Sqlite(pool) => sqlx::query_as(SELECT).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_as(SELECT).fetch_all(pool).await,
        }
    }
}
