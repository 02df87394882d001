//! Places an order, and ships it once it is paid. It survives `kill -9`. `docs/orders.md` shows how.
#![allow(clippy::print_stdout, reason = "the example prints what happens")]

use std::error::Error;

use strike_orders::sqlx::{self, Connection, SqliteConnection};
use strike_orders::strike_async::{ApiKey, Client, Endpoint, Network, NewCharge};
use strike_orders::{Desk, Event};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = ApiKey::new("sk_demo")?;
    let endpoint = Endpoint::new("http://127.0.0.1:8420/api/v1/", key, Network::Testnet)?;
    let desk = Desk::connect("sqlite://shop.db", Client::new(endpoint)?).await?;

    // The shop's own table, in the same database.
    let mut database = SqliteConnection::connect("sqlite://shop.db").await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS shipments (order_name TEXT PRIMARY KEY)")
        .execute(&mut database)
        .await?;
    let shipments: i64 =
        sqlx::query_scalar("SELECT count(*) FROM shipments").fetch_one(&mut database).await?;
    println!("shipments: {shipments}");

    // The first call creates the invoice. Every later call returns the same order.
    let order = desk.place("order-17", NewCharge::satoshis(4200, "a pot of tea")).await?;
    println!("order-17 has charge {}: {}", order.charge().id(), order.payment_request());

    desk.run(async |event, tx| {
        if let Event::Paid { order, .. } = event {
            sqlx::query("INSERT INTO shipments (order_name) VALUES ($1)")
                .bind(order.name())
                .execute(tx.sqlite()?)
                .await?;
            println!("{} is paid", order.name());
        }
        Ok(())
    })
    .await?;
    Ok(())
}
