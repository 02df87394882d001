//! PostgreSQL: logs the plan of each statement as it was executed, with the rows that it has read.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::PgPool;
use strike_orders_tests::postgres::Cluster;

use crate::work::{FILL, PENDING, Shop};

/// Logs every plan as JSON, also of the statements that check foreign keys.
const EXPLAIN: [(&str, &str); 6] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_timing", "off"),
    ("auto_explain.log_nested_statements", "on"),
    ("auto_explain.log_format", "json"),
];

/// More rows than any statement of a tick needs: those of the instance that died, and some.
const MOST_ROWS: u64 = 1_000;

/// The statement that each tick sends once.
const TICK: &str = "FROM strike_leases WHERE held < capacity";

/// Returns the plans in a log of the server.
fn plans(log: &str) -> Vec<Value> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.ends_with(" plan:") {
            continue;
        }
        let mut json = String::new();
        while let Some(more) = lines.next_if(|line| line.starts_with('\t')) {
            json.push_str(more);
        }
        plans.push(serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}")));
    }
    plans
}

/// Calls `visit` for each node of a plan.
fn walk(node: &Value, visit: &mut impl FnMut(&Value)) {
    visit(node);
    node["Plans"].as_array().into_iter().flatten().for_each(|node| walk(node, visit));
}

/// Returns how many rows a node has read from a table or an index.
fn rows_read(node: &Value) -> u64 {
    let is_scan = node["Node Type"].as_str().is_some_and(|kind| kind.contains("Scan"));
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let rows = (number("Actual Rows") + removed) * number("Actual Loops");
    if is_scan { rows as u64 } else { 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
async fn no_statement_on_postgres_reads_all_of_a_hundred_thousand_pending_charges() {
    let cluster = Cluster::start(&EXPLAIN);
    let url = cluster.database();
    let shop = Shop::open(&url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let mut filling = pool.begin().await.unwrap();
    for sql in FILL {
        sqlx::query(sql).execute(&mut *filling).await.unwrap();
    }
    filling.commit().await.unwrap();
    sqlx::query("ANALYZE").execute(&pool).await.unwrap();
    let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM strike_charges WHERE lease_id IS NOT NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(pending + 100 >= i64::from(PENDING), "{pending}");
    pool.close().await;
    let before = cluster.log().len();
    shop.work().await;
    let log = cluster.log();
    let plans = plans(&log[before..]);
    let (mut ticks, mut total, mut violations) = (0, 0, BTreeMap::new());
    for plan in &plans {
        let sql = plan["Query Text"].as_str().unwrap().to_owned();
        ticks += u64::from(sql.contains(TICK));
        walk(&plan["Plan"], &mut |node| {
            let rows = rows_read(node);
            total += rows;
            let table = node["Relation Name"].as_str().unwrap_or_default();
            let is_large = ["strike_orders", "strike_charges"].contains(&table);
            if rows > MOST_ROWS || (is_large && node["Node Type"] == "Seq Scan") {
                violations.insert(sql.clone(), format!("{rows} rows by {}", node["Node Type"]));
            }
        });
    }
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(ticks > 20, "only {ticks} ticks in {} plans", plans.len());
    println!(
        "PostgreSQL: {ticks} ticks and 20 orders beside {PENDING} pending charges: {} statements, {total} rows read, \
         {} rows for each tick",
        plans.len(),
        total / ticks
    );
}
