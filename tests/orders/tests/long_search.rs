//! A create whose response was lost, at a host whose list takes longer to search than a create may.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use strike_async::http::Method;
use strike_async::{Client, Exchange, NewCharge};
use strike_orders::Desk;
use strike_sandbox::Sandbox;
use strike_sandbox::faults::{Fault, Match, Plan};

#[tokio::test]
async fn order_is_placed_although_every_search_of_the_list_takes_too_long() {
    let sandbox = Sandbox::builder().faults(Plan::new().on(Match::create().first(1), Fault::close())).build();
    let server = sandbox.clone();
    let transport = move |exchange: Exchange| {
        let server = server.clone();
        async move {
            if exchange.request.method() == Method::GET {
                std::future::pending::<()>().await;
            }
            server.reply(exchange)
        }
    };
    let client = Client::builder_with_transport(sandbox.endpoint().unwrap(), transport).build().unwrap();
    let limit = Duration::from_millis(200);
    let desk = Desk::builder(client).create_timeout(limit).connect("sqlite::memory:").await.unwrap();
    let place = async {
        loop {
            match desk.place("order-17", NewCharge::satoshis(4200, "tea")).await {
                Ok(order) => return order,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
    };
    let order = tokio::time::timeout(Duration::from_secs(60), place).await.expect("the order is placed");
    // The charge whose response was lost is at the host, but no payer sees it.
    assert_eq!(sandbox.charges(), 2);
    assert!(sandbox.charge(order.charge().id()).is_some());
}
