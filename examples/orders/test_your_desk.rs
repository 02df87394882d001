//! A shop that completes orders with a desk, and its tests. `docs/testing-your-shop.md` explains them.
//!
//! `cargo test -p strike-example-orders --example test_your_desk`
#![allow(clippy::print_stdout, reason = "the example prints how to run it")]

fn main() {
    println!("run `cargo test -p strike-example-orders --example test_your_desk`");
}

#[cfg(test)]
mod shop {
    use strike_orders::sqlx::{self, SqlitePool};
    use strike_orders::{Desk, DeskBuilder, Error, Event};

    /// A shop with a table of its own in the database of the desk.
    pub(crate) struct Shop {
        pub(crate) desk: Desk,
        database: SqlitePool,
    }

    impl Shop {
        pub(crate) async fn open(url: &str, settings: DeskBuilder) -> Result<Self, Error> {
            let desk = settings.connect(url).await?;
            let database = SqlitePool::connect(url).await?;
            sqlx::query("CREATE TABLE IF NOT EXISTS shipments (order_name TEXT PRIMARY KEY)")
                .execute(&database)
                .await?;
            Ok(Self { desk, database })
        }

        /// Ships each paid order, until the desk is stopped.
        pub(crate) async fn run(&self) -> Result<(), Error> {
            self.desk
                .run(async |event, tx| {
                    if let Event::Paid { order, .. } = event {
                        sqlx::query("INSERT INTO shipments (order_name) VALUES ($1)")
                            .bind(order.name())
                            .execute(tx.sqlite()?)
                            .await?;
                    }
                    Ok(())
                })
                .await
        }

        pub(crate) async fn shipments(&self) -> Result<Vec<String>, sqlx::Error> {
            sqlx::query_scalar("SELECT order_name FROM shipments").fetch_all(&self.database).await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use strike_async::{Client, Exchange, NewCharge};
    use strike_orders::{Desk, DeskBuilder, OrderState};
    use strike_sandbox::Sandbox;
    use tempfile::TempDir;

    use super::shop::Shop;

    /// A sandbox in memory, and a folder for the database.
    struct World {
        sandbox: Sandbox,
        folder: TempDir,
    }

    impl World {
        fn new() -> Result<Self, Box<dyn Error>> {
            Ok(Self { sandbox: Sandbox::new(), folder: tempfile::tempdir()? })
        }

        /// Opens the shop, also a second time after a restart.
        async fn shop(&self) -> Result<Shop, Box<dyn Error>> {
            let server = self.sandbox.clone();
            let transport = move |exchange: Exchange| std::future::ready(server.reply(exchange));
            let client = Client::builder(self.sandbox.endpoint()?).transport(transport).build()?;
            let settings = Desk::builder(client).poll_interval(Duration::from_millis(10));
            let url = format!("sqlite://{}", self.folder.path().join("shop.db").display());
            Ok(Shop::open(&url, settings).await?)
        }
    }

    /// Runs the shop until the order has ended. Dropping `run` is like killing the shop.
    async fn run_until_ended(shop: &Shop, name: &str) -> Result<OrderState, Box<dyn Error>> {
        let ended = async {
            let mut changes = shop.desk.follow(name);
            loop {
                let state = changes.next().await?.state();
                if state != OrderState::Pending {
                    return Ok(state);
                }
            }
        };
        tokio::select! {
            state = ended => state,
            stopped = shop.run() => Err(format!("the shop stopped: {stopped:?}").into()),
        }
    }

    #[tokio::test]
    async fn paid_order_is_shipped() -> Result<(), Box<dyn Error>> {
        let world = World::new()?;
        let shop = world.shop().await?;
        let order = shop.desk.place("order-17", NewCharge::satoshis(4200, "a pot of tea")).await?;
        world.sandbox.pay(order.charge().id())?;
        assert_eq!(run_until_ended(&shop, "order-17").await?, OrderState::Paid);
        assert_eq!(shop.shipments().await?, ["order-17"]);
        Ok(())
    }

    #[tokio::test]
    async fn order_that_is_paid_while_the_shop_is_down_is_shipped() -> Result<(), Box<dyn Error>> {
        let world = World::new()?;
        let order = world.shop().await?.desk.place("order-17", tea()).await?;
        world.sandbox.pay(order.charge().id())?;
        let shop = world.shop().await?;
        assert_eq!(run_until_ended(&shop, "order-17").await?, OrderState::Paid);
        assert_eq!(shop.shipments().await?, ["order-17"]);
        Ok(())
    }

    fn tea() -> NewCharge {
        NewCharge::satoshis(4200, "a pot of tea")
    }
}
