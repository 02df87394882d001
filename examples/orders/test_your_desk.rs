//! A shop that completes orders with a desk, and its tests. `docs/testing-your-shop.md` explains them.
//!
//! `cargo test -p strike-example-orders --example test_your_desk`
#![allow(clippy::print_stdout, reason = "the example prints how to run it")]

fn main() {
    println!("run `cargo test -p strike-example-orders --example test_your_desk`");
}

#[cfg(test)]
mod shop {
    use std::error::Error;

    use strike_orders::sqlx::{self, SqlitePool};
    use strike_orders::{Desk, DeskBuilder, Event};

    /// A shop with a table of its own in the database of the desk.
    pub(crate) struct Shop {
        pub(crate) desk: Desk,
        database: SqlitePool,
    }

    impl Shop {
        pub(crate) async fn open(url: &str, settings: DeskBuilder) -> Result<Self, Box<dyn Error>> {
            let desk = settings.connect(url).await?;
            let database = SqlitePool::connect(url).await?;
            sqlx::query("CREATE TABLE IF NOT EXISTS shipments (order_name TEXT PRIMARY KEY)")
                .execute(&database)
                .await?;
            Ok(Self { desk, database })
        }

        /// Ships each paid order, until the desk is stopped.
        pub(crate) async fn run(&self) -> Result<(), strike_orders::Error> {
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
    use std::future::ready;
    use std::time::Duration;

    use strike_orders::strike_async::http::HeaderMap;
    use strike_orders::strike_async::{Client, Exchange, NewCharge, Schedule};
    use strike_orders::{Desk, OrderState};
    use strike_sandbox::Sandbox;
    use tempfile::TempDir;

    use super::shop::Shop;

    /// What outlives the shop: the backend, and the folder of the database.
    struct World {
        sandbox: Sandbox,
        folder: TempDir,
    }

    impl World {
        fn new() -> Result<Self, Box<dyn Error>> {
            Ok(Self { sandbox: Sandbox::new(), folder: tempfile::tempdir()? })
        }

        /// Starts the shop. It checks each charge at this interval.
        async fn start_shop(&self, interval: Duration) -> Result<Shop, Box<dyn Error>> {
            let server = self.sandbox.clone();
            let transport = move |exchange: Exchange| ready(server.reply(exchange));
            let client = Client::builder(self.sandbox.endpoint()?).transport(transport).build()?;
            let settings = Desk::builder(client)
                .poll_interval(Duration::from_millis(20))
                .schedule(Schedule::every(interval))
                .grace(Duration::ZERO);
            let file = self.folder.path().join("shop.db");
            Shop::open(&format!("sqlite://{}", file.display()), settings).await
        }
    }

    const SHORT: Duration = Duration::from_millis(20);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn tea() -> NewCharge {
        NewCharge::satoshis(4200, "a pot of tea")
    }

    /// Runs the shop until the order is in this state. Then `run` is dropped, as in a crash.
    async fn run_until(shop: &Shop, state: OrderState) -> Result<(), Box<dyn Error>> {
        let mut changes = shop.desk.follow("order-17");
        let is_reached = async {
            while changes.next().await?.state() != state {}
            Ok(())
        };
        tokio::select! {
            result = is_reached => result,
            result = shop.run() => Err(format!("the shop stopped: {result:?}").into()),
            () = tokio::time::sleep(Duration::from_secs(60)) => Err(format!("not {state:?} yet").into()),
        }
    }

    #[tokio::test]
    async fn order_that_is_paid_while_the_shop_is_down_is_shipped() -> Result<(), Box<dyn Error>> {
        let world = World::new()?;
        let shop = world.start_shop(SHORT).await?;
        let order = shop.desk.place("order-17", tea()).await?;
        drop(shop);

        world.sandbox.pay(order.charge().id())?;
        let shop = world.start_shop(SHORT).await?;
        run_until(&shop, OrderState::Paid).await?;
        assert_eq!(shop.shipments().await?, ["order-17"]);
        Ok(())
    }

    #[tokio::test]
    async fn expired_order_is_shipped_after_its_next_invoice_is_paid() -> Result<(), Box<dyn Error>> {
        let world = World::new()?;
        let shop = world.start_shop(SHORT).await?;
        shop.desk.place("order-17", tea().expiry_sec(1)).await?;
        run_until(&shop, OrderState::Expired).await?;

        let order = shop.desk.renew("order-17", tea()).await?;
        world.sandbox.pay(order.charge().id())?;
        run_until(&shop, OrderState::Paid).await?;
        assert_eq!(shop.shipments().await?, ["order-17"]);
        assert_eq!(world.sandbox.charges(), 2);
        Ok(())
    }

    #[tokio::test]
    async fn webhook_completes_an_order_before_its_next_check() -> Result<(), Box<dyn Error>> {
        let world = World::new()?;
        let shop = world.start_shop(HOUR).await?;
        let order = shop.desk.place("order-17", tea()).await?;
        world.sandbox.pay(order.charge().id())?;

        let body = format!(r#"{{"object": "event", "data": {{"id": "{}"}}}}"#, order.charge().id());
        let endpoint = shop.desk.client().endpoint();
        shop.desk.hint(&endpoint.read_webhook(&HeaderMap::new(), body.as_bytes())?).await?;
        run_until(&shop, OrderState::Paid).await?;
        assert_eq!(shop.shipments().await?, ["order-17"]);
        Ok(())
    }
}
