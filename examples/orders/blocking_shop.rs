//! A shop without async code that uses the desk of `strike-orders`. A runtime with one thread serves it.
//!
//! The example starts a sandbox: `cargo run -p strike-example-orders --example blocking_shop`.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::error::Error;
use std::io::{self, Write};

use strike_async::{Client, NewCharge};
use strike_orders::sqlx::{self, Connection, SqliteConnection};
use strike_orders::{Desk, Event, HandlerError, Order, OrderState, Transaction};
use strike_sandbox::Sandbox;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// A desk for code that blocks. Its methods may be called from any thread outside of a runtime.
struct BlockingDesk {
    runtime: Runtime,
    desk: Desk,
    runner: JoinHandle<Result<(), strike_orders::Error>>,
}

impl BlockingDesk {
    /// Opens the database, and runs the handler in the runtime's thread.
    fn open(url: &str, client: Client) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let desk = runtime.block_on(async {
            let mut database = SqliteConnection::connect(url).await?;
            sqlx::query("CREATE TABLE IF NOT EXISTS shipments (order_name TEXT PRIMARY KEY)")
                .execute(&mut database)
                .await?;
            Ok::<_, Box<dyn Error>>(Desk::connect(url, client).await?)
        })?;
        let runner = runtime.spawn({
            let desk = desk.clone();
            async move { desk.run(ship).await }
        });
        Ok(Self { runtime, desk, runner })
    }

    /// Places an order. Each method of the desk has the same form: block on its future.
    fn place(&self, name: &str, order: NewCharge) -> Result<Order, strike_orders::Error> {
        self.runtime.block_on(self.desk.place(name, order))
    }

    /// Waits until the order is paid, has expired or has failed.
    fn wait(&self, name: &str) -> Result<Order, strike_orders::Error> {
        let mut changes = self.desk.follow(name);
        loop {
            let order = self.runtime.block_on(changes.next())?;
            if order.state() != OrderState::Pending {
                return Ok(order);
            }
        }
    }

    /// Finishes running handlers, gives the orders back, and ends the thread.
    fn close(self) -> Result<(), Box<dyn Error>> {
        self.desk.stop();
        Ok(self.runtime.block_on(self.runner)??)
    }
}

/// Handles an event in its transaction.
async fn ship(event: Event, tx: &mut Transaction) -> Result<(), HandlerError> {
    if let Event::Paid { order, .. } = event {
        sqlx::query("INSERT INTO shipments (order_name) VALUES ($1)")
            .bind(order.name())
            .execute(tx.sqlite()?)
            .await?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    sell(&mut io::stdout())
}

fn sell(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().start()?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}/shop.db?mode=rwc", folder.path().display());
    let desk = BlockingDesk::open(&url, Client::new(sandbox.endpoint()?)?)?;

    let order = desk.place("order-17", NewCharge::satoshis(4200, "a pot of tea"))?;
    writeln!(out, "please pay {}", order.payment_request())?;
    sandbox.pay(order.charge().id())?;
    writeln!(out, "{}: {:?}", order.name(), desk.wait(order.name())?.state())?;
    desk.close()
}
