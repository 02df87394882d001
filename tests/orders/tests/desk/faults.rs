//! Databases that are missing, damaged, newer, read-only, full or away.

use std::sync::{Arc, Barrier};

use strike_orders::{Connection, Desk, Error};
use strike_orders_tests::postgres::{Cluster, Stop};

use crate::world::{Database, Instance, Till, World, tea, until};

async fn connect(world: &World, url: &str) -> Result<Desk, Error> {
    let client = world.instance().await.desk.client().clone();
    Desk::connect(url, client).await
}

async fn newer_schema_is_refused(db: Database) {
    let world = World::new(db).await;
    drop(world.instance().await);
    world
        .db
        .execute(
            "INSERT INTO strike_migrations (version, description, installed_on, success, checksum, execution_time) \
             SELECT 999, description, installed_on, success, checksum, execution_time FROM strike_migrations \
             WHERE version = 1",
        )
        .await;
    let error = Instance::try_start(&world, world.clock.clone(), |builder| builder).await.err().unwrap();
    assert!(matches!(error, Error::NewerSchema { version: 999 }), "{error:?}");
    assert!(error.to_string().contains("999") && error.to_string().contains("update"), "{error}");
}

async fn tables_of_the_shop_are_left_alone(db: Database) {
    let world = World::new(db).await;
    world.db.execute("CREATE TABLE orders (id BIGINT); CREATE TABLE _sqlx_migrations (mine BIGINT)").await;
    world.db.execute("INSERT INTO orders VALUES (1); INSERT INTO _sqlx_migrations VALUES (2)").await;
    let instance = world.instance().await;
    instance.place("order-17", tea()).await.unwrap();
    assert_eq!(world.db.number("SELECT id FROM orders").await, 1);
    assert_eq!(world.db.number("SELECT mine FROM _sqlx_migrations").await, 2);
}

async fn instances_that_start_at_once_migrate_the_database_once(db: Database) {
    let world = World::new(db).await;
    let starts = (0..8).map(|_| world.instance());
    let instances = futures_util::future::join_all(starts).await;
    for (number, instance) in instances.iter().enumerate() {
        instance.place(&format!("order-{number}"), tea()).await.unwrap();
    }
    assert_eq!(world.db.number("SELECT count(*) FROM strike_orders").await, 8);
}

async fn runner_goes_on_after_a_long_lock(db: Database) {
    let world = World::new(db).await;
    let instance = world.instance().await;
    let _running = instance.run(&Till::default());
    let order = instance.place("order-17", tea()).await.unwrap();
    let lock = world.db.lock().await;
    world.pay(&order);
    let id = order.charge().id();
    let reads = world.host.reads_of(id);
    until("the payment to be seen", async || world.host.reads_of(id) > reads).await;
    assert_eq!(world.db.sales().await, [""; 0]);
    lock.release().await;
    world.until_sold(&["paid order-17 1"]).await;
}

on_both![
    newer_schema_is_refused,
    tables_of_the_shop_are_left_alone,
    instances_that_start_at_once_migrate_the_database_once,
    runner_goes_on_after_a_long_lock,
];

#[tokio::test]
async fn url_of_another_database_is_refused() {
    let world = World::new(Database::sqlite()).await;
    for url in ["mysql://localhost/orders", "orders.db", "", "http://localhost", "sqlit://orders.db"] {
        let error = connect(&world, url).await.unwrap_err();
        assert!(matches!(error, Error::UnsupportedUrl), "{url:?}: {error:?}");
        assert!(error.to_string().contains("sqlite:") && error.to_string().contains("postgres:"), "{error}");
    }
}

#[tokio::test]
async fn file_that_is_no_database_is_refused_and_kept() {
    let world = World::new(Database::sqlite()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "buy tea ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    let error = connect(&world, &format!("sqlite://{}", path.display())).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn file_in_a_missing_folder_is_refused() {
    let world = World::new(Database::sqlite()).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/missing/orders.db", folder.path().display());
    let error = connect(&world, &url).await.unwrap_err();
    assert!(error.to_string().contains("could not open the SQLite file"), "{error}");
}

#[tokio::test]
async fn read_only_file_is_refused() {
    let world = World::new(Database::sqlite()).await;
    drop(world.instance().await);
    let error = connect(&world, &format!("{}?mode=ro", world.db.url())).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn new_file_can_be_opened_by_many_at_once() {
    let client = World::new(Database::sqlite()).await.instance().await.desk.client().clone();
    for _ in 0..10 {
        let (db, start) = (Database::sqlite(), Arc::new(Barrier::new(8)));
        let open = || {
            let (url, client, start) = (db.url(), client.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                start.wait();
                runtime.block_on(Desk::connect(&url, client)).map(drop)
            })
        };
        let threads: Vec<_> = (0..8).map(|_| open()).collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn desk_in_memory_shares_one_database_among_its_clones() {
    let world = World::new(Database::sqlite()).await;
    let desk = connect(&world, "sqlite::memory:").await.unwrap();
    let order = desk.place("order-17", tea()).await.unwrap();
    assert_eq!(desk.clone().order("order-17").await.unwrap(), Some(order));
}

/// The limit of pages stands for a full disk. Only the desk's own connection has it.
#[tokio::test]
async fn full_disk_sends_nothing_and_loses_nothing() {
    let world = World::new(Database::sqlite()).await;
    world.db.execute("CREATE TABLE filler (data BLOB); INSERT INTO filler VALUES (zeroblob(2000000))").await;
    let instance = world.instance().await;
    let (desk, till) = (instance.desk.clone(), Till::default());
    let _running = instance.spawn(async move {
        desk.run(async move |event, tx| {
            till.handle(&event, tx).await?;
            if event.order().name() == "first"
                && let Connection::Sqlite(c) = tx.connection()
            {
                let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *c).await?;
                let limit = format!("PRAGMA max_page_count = {pages}");
                sqlx::raw_sql(sqlx::AssertSqlSafe(limit)).execute(&mut *c).await?;
            }
            Ok(())
        })
        .await
    });
    let first = instance.place("first", tea()).await.unwrap();
    world.pay(&first);
    world.until_sold(&["paid first 1"]).await;

    let mut placed = Vec::new();
    let error = loop {
        match instance.place(&format!("order-{}", placed.len()), tea()).await {
            Ok(order) => placed.push(order),
            Err(error) => break error,
        }
        assert!(placed.len() < 5_000, "the disk is never full");
    };
    assert!(matches!(error, Error::Database { .. }) && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("full"), "{error}");
    placed.iter().for_each(|order| world.pay(order));

    world.db.execute("DELETE FROM filler").await;
    let last = instance.place_patiently(&format!("order-{}", placed.len()), tea()).await;
    world.pay(&last);
    placed.push(last);
    let mut sold: Vec<_> = placed.iter().map(|order| format!("paid {} 1", order.name())).collect();
    sold.push("paid first 1".to_owned());
    world.until_sold(&sold.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(
        world.host.sandbox.charges(),
        sold.len(),
        "a create was sent although nothing could be written"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn read_only_postgres_is_refused_and_nothing_is_sent() {
    let world = World::new(Database::postgres()).await;
    let instance = world.instance().await;
    let Database::Postgres { cluster, url } = &world.db else { panic!("PostgreSQL") };
    let name = url.split(['/', '?']).nth(3).unwrap();
    cluster.sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    cluster.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    let mut refused = None;
    until("a read-only error", async || {
        refused = instance.place("order-17", tea()).await.err();
        refused.as_ref().is_some_and(|error| error.to_string().contains("read-only"))
    })
    .await;
    assert!(refused.unwrap().is_retryable());
    assert_eq!(world.host.requests(), 0);
    let error = Instance::try_start(&world, world.clock.clone(), |builder| builder).await.err().unwrap();
    assert!(error.to_string().contains("read-only"), "{error}");
    cluster.sql("postgres", &format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
}

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn account_without_rights_is_refused() {
    let world = World::new(Database::postgres()).await;
    let Database::Postgres { cluster, url } = &world.db else { panic!("PostgreSQL") };
    let name = url.split(['/', '?']).nth(3).unwrap();
    cluster.sql(name, "CREATE ROLE guest LOGIN; REVOKE ALL ON SCHEMA public FROM public");
    let url = url.replace("strike@", "guest:hunter2@");
    let error = connect(&World::new(Database::sqlite()).await, &url).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }) && !error.to_string().contains("hunter2"), "{error:?}");
    cluster.sql(name, "DROP ROLE guest");
}

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn missing_postgres_is_an_error_without_the_password() {
    let world = World::new(Database::sqlite()).await;
    let error = connect(&world, "postgres://shop:hunter2@127.0.0.1:1/orders").await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("could not connect to PostgreSQL"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn runner_goes_on_after_the_database_was_away() {
    let cluster = Arc::new(Cluster::start(&[]));
    let world = World::new(Database::postgres_on(Arc::clone(&cluster))).await;
    let instances = world.two_instances().await;
    let _running = instances.each_ref().map(|instance| instance.run(&Till::default()));
    for (round, stop) in [Stop::Fast, Stop::Immediate].into_iter().enumerate() {
        let order = instances[0].place_patiently(&format!("order-{round}"), tea()).await;
        cluster.stop(stop);
        world.pay(&order);
        let meanwhile = instances[1].place("nothing", tea());
        cluster.resume();
        // Whether it failed or waited, a later place returns the order.
        let _ = meanwhile.await;
        until("the sale", async || world.db.sales().await.contains(&format!("paid order-{round} 1"))).await;
    }
    let mut sales = world.db.sales().await;
    sales.sort_unstable();
    assert_eq!(sales, ["paid order-0 1", "paid order-1 1"]);
    // Notifications arrive again, too.
    let nothing = instances[1].place_patiently("nothing", tea()).await;
    world.pay(&nothing);
    world.until_sold(&["paid order-0 1", "paid order-1 1", "paid nothing 1"]).await;
}
