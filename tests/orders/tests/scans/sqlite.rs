//! SQLite: asks for the plan of each statement that the desk has sent.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use sqlx::sqlite::SqlitePool;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::work::{FILL, PENDING, Shop};

/// The statements of the desk since the tables were filled.
static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Collects the statements that sqlx traces.
struct Collector;

impl Visit for Collector {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        // Another test of this process uses PostgreSQL.
        let is_sqlite = std::thread::current().name().is_some_and(|name| name.starts_with("sqlx-sqlite"));
        if is_sqlite && field.name() == "db.statement" && !value.is_empty() {
            STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).insert(value.trim().to_owned());
        }
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Returns the steps of a plan that read more than the rows that were asked for.
///
/// A scan along an index is fine if it stops at a limit.
fn scans_of<'a>(sql: &str, plan: &'a [String]) -> impl Iterator<Item = &'a String> {
    let is_sorted = plan.iter().any(|step| step.contains("USE TEMP B-TREE FOR ORDER BY"));
    let stops = sql.contains(" LIMIT ") && !is_sorted;
    plan.iter().filter(move |step| {
        let mut words = step.split(' ');
        let is_scan = words.next() == Some("SCAN") && words.next().is_some_and(is_large);
        is_scan && !(stops && step.contains("USING"))
    })
}

/// Returns true for the large tables and their short names.
fn is_large(table: &str) -> bool {
    ["strike_orders", "strike_charges", "o", "c"].contains(&table)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_on_sqlite_reads_all_of_a_hundred_thousand_pending_charges() {
    tracing::subscriber::set_global_default(Collector).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/orders.db", folder.path().display());
    let shop = Shop::open(&url).await;
    let pool = SqlitePool::connect(&url).await.unwrap();
    let mut filling = pool.begin().await.unwrap();
    for sql in FILL {
        sqlx::query(sql).execute(&mut *filling).await.unwrap();
    }
    filling.commit().await.unwrap();
    let pending: u32 = sqlx::query_scalar("SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(pending + 100 >= PENDING, "{pending}");
    STATEMENTS.lock().unwrap().clear();
    shop.work().await;
    let statements = std::mem::take(&mut *STATEMENTS.lock().unwrap());
    assert!(statements.len() > 30, "only {} statements were traced", statements.len());
    // The planner chooses without statistics, and with them if a user has run ANALYZE.
    let mut violations = full_scans(&pool, &statements).await;
    sqlx::query("ANALYZE").execute(&pool).await.unwrap();
    violations.extend(full_scans(&pool, &statements).await);
    assert!(violations.is_empty(), "{violations:#?}");
    println!("SQLite: {} different statements, none with a full scan", statements.len());
}

/// Returns the statements whose plans have full scans.
async fn full_scans(pool: &SqlitePool, statements: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for sql in statements {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps = sqlx::query_as(explain).fetch_all(pool).await;
        let steps: Vec<(i64, i64, i64, String)> = steps.unwrap_or_else(|error| panic!("{error}: {sql}"));
        let plan: Vec<_> = steps.into_iter().map(|(.., step)| step).collect();
        found.extend(scans_of(sql, &plan).map(|step| format!("{step}: {sql}")));
    }
    found
}
