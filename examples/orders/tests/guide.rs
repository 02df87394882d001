//! Tests of the guide `docs/orders.md` and of the README of `strike-orders`: their program is the example, and their
//! queries run.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use strike_orders::Desk;
use strike_orders::sqlx::{self, SqlitePool};
use strike_orders::strike_async::{Client, Exchange};
use strike_sandbox::Sandbox;

const GUIDE: &str = include_str!("../../../docs/orders.md");
const README: &str = include_str!("../../../strike-orders/README.md");
const TEA_SHOP: &str = include_str!("../tea_shop.rs");

/// Returns the code blocks of a page that begin with this line.
fn blocks(page: &'static str, begin: &str) -> Vec<&'static str> {
    let parts = page.split("\n```");
    parts.filter_map(|part| part.strip_prefix(begin)?.strip_prefix('\n')).collect()
}

#[test]
fn program_of_guide_and_readme_is_the_example() {
    let (_, program) = TEA_SHOP.split_once("\n\n").unwrap();
    for page in [GUIDE, README] {
        let first = blocks(page, "rust,no_run")[0];
        assert_eq!(first.trim(), program.trim());
    }
}

#[tokio::test]
async fn queries_of_the_guide_run_on_the_schema() {
    let sandbox = Sandbox::new();
    let server = sandbox.clone();
    let transport = move |exchange: Exchange| std::future::ready(server.reply(exchange));
    let client = Client::builder(sandbox.endpoint().unwrap()).transport(transport).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let _desk = Desk::connect(&url, client).await.unwrap();

    let database = SqlitePool::connect(&url).await.unwrap();
    let queries = blocks(GUIDE, "sql");
    assert_eq!(queries.len(), 5);
    for query in queries {
        sqlx::query(query).fetch_all(&database).await.unwrap_or_else(|error| panic!("{error}: {query}"));
    }
}
