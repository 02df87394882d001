//! Tests of the PostgreSQL that the other tests use. They are ignored unless `.ci/postgres` runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use sqlx::{Connection as _, PgConnection};
use strike_orders_tests::postgres::{Cluster, Stop};

async fn count(url: &str) -> Result<i64, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar("select count(*) from rows").fetch_one(&mut connection).await
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
async fn commits_survive_each_kind_of_stop_and_break_connections() {
    let cluster = Cluster::start(&[]);
    let url = cluster.database();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("create table rows (id int)").execute(&mut connection).await.unwrap();
    for (number, how) in [Stop::Fast, Stop::Immediate].into_iter().enumerate() {
        sqlx::query("insert into rows values (1)").execute(&mut connection).await.unwrap();
        cluster.stop(how);
        assert!(count(&url).await.is_err(), "{how:?}: the server is still there");
        cluster.resume();
        assert!(connection.ping().await.is_err(), "{how:?}: the connection survived");
        assert_eq!(count(&url).await.unwrap(), number as i64 + 1, "{how:?}: {}", cluster.log());
        connection = PgConnection::connect(&url).await.unwrap();
    }
    assert!(cluster.log().contains("automatic recovery in progress"), "{}", cluster.log());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
async fn each_test_gets_an_empty_database_of_one_server() {
    let (one, other) = (Cluster::shared(), Cluster::shared());
    let (first, second) = (one.database(), other.database());
    let mut connection = PgConnection::connect(&first).await.unwrap();
    sqlx::query("create table rows (id int)").execute(&mut connection).await.unwrap();
    assert_eq!(count(&first).await.unwrap(), 0);
    let error = count(&second).await.unwrap_err().to_string();
    assert!(error.contains("\"rows\" does not exist"), "{error}");
}
