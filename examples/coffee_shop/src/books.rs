//! The shop's own tables, beside those of the desk in the same database.

use sqlx::AnyPool;
use strike_orders::{Connection, Event, HandlerError, Order, Transaction};

/// Both databases understand these statements.
const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS coffees_sold (
        order_name TEXT PRIMARY KEY,
        coffee TEXT NOT NULL,
        satoshi BIGINT NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS refunds_due (
        charge_id TEXT PRIMARY KEY,
        order_name TEXT NOT NULL,
        satoshi BIGINT NOT NULL
    )",
];

const SOLD: &str = "INSERT INTO coffees_sold (order_name, coffee, satoshi) VALUES ($1, $2, $3)";
const PAID_AGAIN: &str = "INSERT INTO refunds_due (charge_id, order_name, satoshi) VALUES ($1, $2, $3)";

/// Records what happened to an order. The desk calls it in the transaction that ends the order, so
/// a coffee is in the table exactly once if it is paid, and never otherwise.
pub(crate) async fn record(event: Event, tx: &mut Transaction) -> Result<(), HandlerError> {
    match event {
        Event::Paid { order, .. } => {
            let coffee = order.new_charge().description();
            insert(tx, SOLD, [order.name(), coffee], satoshi(&order)?).await
        }
        // The payer has paid an old invoice and a new one. The money is yours to give back.
        Event::PaidAgain { order, charge } => {
            insert(tx, PAID_AGAIN, [charge.id().as_str(), order.name()], satoshi(&order)?).await
        }
        // Nobody paid, so there is nothing to make.
        Event::Expired { .. } | Event::Failed { .. } => Ok(()),
    }
}

fn satoshi(order: &Order) -> Result<i64, HandlerError> {
    Ok(order.new_charge().amount().get().try_into()?)
}

async fn insert(
    tx: &mut Transaction,
    statement: &'static str,
    texts: [&str; 2],
    satoshi: i64,
) -> Result<(), HandlerError> {
    let [first, second] = texts;
    match tx.connection() {
        Connection::Sqlite(connection) => {
            sqlx::query(statement).bind(first).bind(second).bind(satoshi).execute(connection).await?;
        }
        Connection::Postgres(connection) => {
            sqlx::query(statement).bind(first).bind(second).bind(satoshi).execute(connection).await?;
        }
    }
    Ok(())
}

/// Reads the tables, for the admin page.
#[derive(Debug, Clone)]
pub(crate) struct Books(AnyPool);

/// How often a coffee was sold, and for how much in all.
pub(crate) struct Sold {
    pub(crate) coffee: String,
    pub(crate) count: i64,
    pub(crate) satoshi: i64,
}

/// A payment to give back.
pub(crate) struct RefundDue {
    pub(crate) order_name: String,
    pub(crate) charge_id: String,
    pub(crate) satoshi: i64,
}

impl Books {
    /// Creates the tables, if they do not exist yet.
    pub(crate) async fn open(database: &str) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(database).await?;
        for table in TABLES {
            // PostgreSQL rejects this statement if another instance creates the table right now.
            if sqlx::query(table).execute(&pool).await.is_err() {
                sqlx::query(table).execute(&pool).await?;
            }
        }
        Ok(Self(pool))
    }

    /// Returns how often each coffee was sold, the most popular one first.
    pub(crate) async fn sold(&self) -> Result<Vec<Sold>, sqlx::Error> {
        let sql = "SELECT coffee, COUNT(*) AS count, CAST(SUM(satoshi) AS BIGINT) AS satoshi \
                   FROM coffees_sold GROUP BY coffee ORDER BY count DESC, coffee";
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(&self.0).await?;
        Ok(rows.into_iter().map(|(coffee, count, satoshi)| Sold { coffee, count, satoshi }).collect())
    }

    /// Returns the payments to give back.
    pub(crate) async fn refunds_due(&self) -> Result<Vec<RefundDue>, sqlx::Error> {
        let sql = "SELECT order_name, charge_id, satoshi FROM refunds_due ORDER BY order_name, charge_id";
        let rows: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(&self.0).await?;
        let due = |(order_name, charge_id, satoshi)| RefundDue { order_name, charge_id, satoshi };
        Ok(rows.into_iter().map(due).collect())
    }
}
