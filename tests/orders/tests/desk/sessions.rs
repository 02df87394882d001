//! The settings of PostgreSQL that orders need, where the database has others by default.

use std::sync::{Arc, Mutex};

use strike_orders::sqlx;

use crate::world::{Database, World, tea, until};

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn commits_are_durable_also_where_the_database_does_not_wait_for_its_disk() {
    let world = World::new(Database::postgres()).await;
    world
        .db
        .execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); \
             EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', \
             current_database()); END $$",
        )
        .await;
    let instance = world.instance().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shown = Arc::clone(&seen);
    let desk = instance.desk.clone();
    let running = instance.spawn(async move {
        desk.run(async move |_event, tx| {
            let sql = "SELECT current_setting('synchronous_commit') || ', ' || current_setting('transaction_isolation')";
            let settings: String = sqlx::query_scalar(sql).fetch_one(tx.postgres()?).await?;
            shown.lock().unwrap().push(settings);
            Ok(())
        })
        .await
    });
    let order = instance.place("order-17", tea()).await.unwrap();
    world.pay(&order);
    until("the event", async || !seen.lock().unwrap().is_empty()).await;
    instance.desk.stop();
    running.await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["on, read committed"]);
}
