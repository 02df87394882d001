//! A shop without async code that uses the desk of `strike-orders`. A runtime with one thread serves it.
//!
//! The example starts a sandbox: `cargo run -p strike-example-orders --example blocking_shop`.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::error::Error;
use std::io::{self, Write};

use strike_orders::sqlx::{self, Connection, SqliteConnection};
use strike_orders::strike_async::{Client, NewCharge};
use strike_orders::{Desk, Event, HandlerError, OrderState, Transaction};
use strike_sandbox::Sandbox;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// A desk for code that blocks. Any thread may use it.
struct BlockingDesk {
    desk: Desk,
    runner: JoinHandle<Result<(), strike_orders::Error>>,
    runtime: Runtime,
}

impl BlockingDesk {
    /// Opens the database. From now on, the runtime's thread watches the orders and calls the handler.
    fn open(url: &str, client: Client) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let desk = runtime.block_on(Desk::connect(url, client))?;
        let runs = desk.clone();
        let runner = runtime.spawn(async move { runs.run(ship).await });
        Ok(Self { desk, runner, runtime })
    }

    /// Blocks until a call of the desk has ended.
    fn call<T>(&self, call: impl AsyncFnOnce(&Desk) -> T) -> T {
        self.runtime.block_on(call(&self.desk))
    }

    /// Finishes the running handlers, gives the orders back, and ends the thread.
    fn close(self) -> Result<(), Box<dyn Error>> {
        self.desk.stop();
        Ok(self.runtime.block_on(self.runner)??)
    }
}

/// Handles an event in its transaction.
async fn ship(event: Event, tx: &mut Transaction) -> Result<(), HandlerError> {
    if let Event::Paid { order, .. } = event {
        let sql = "INSERT INTO shipments (order_name) VALUES ($1)";
        sqlx::query(sql).bind(order.name()).execute(tx.sqlite()?).await?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    sell(&mut io::stdout())
}

fn sell(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().start()?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let shop = BlockingDesk::open(&url, Client::new(sandbox.endpoint()?)?)?;
    let mut database = shop.call(async |_| SqliteConnection::connect(&url).await)?;
    let table = sqlx::query("CREATE TABLE shipments (order_name TEXT PRIMARY KEY)");
    shop.call(async |_| table.execute(&mut database).await)?;

    let tea = NewCharge::satoshis(4200, "a pot of tea");
    let order = shop.call(async |desk| desk.place("order-17", tea).await)?;
    writeln!(out, "please pay {}", order.payment_request())?;
    sandbox.pay(order.charge().id())?;

    let mut changes = shop.desk.follow("order-17");
    while shop.call(async |_| changes.next().await)?.state() != OrderState::Paid {}
    let shipments = sqlx::query_scalar("SELECT order_name FROM shipments");
    let shipments: Vec<String> = shop.call(async |_| shipments.fetch_all(&mut database).await)?;
    writeln!(out, "shipments: {shipments:?}")?;
    shop.close()
}

#[cfg(test)]
mod tests {
    #[test]
    fn blocking_shop_sells_an_order_and_stops() -> Result<(), Box<dyn std::error::Error>> {
        let mut printed = Vec::new();
        super::sell(&mut printed)?;
        let printed = String::from_utf8(printed)?;
        let Some((request, rest)) = printed.split_once('\n') else { return Err(printed.into()) };
        assert!(request.starts_with("please pay lntb"), "{request}");
        assert_eq!(rest, "shipments: [\"order-17\"]\n");
        Ok(())
    }
}
