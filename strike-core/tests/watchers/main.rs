//! Tests that each watched charge has exactly one final event, and failures only delay it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod expiry;
mod failures;
mod lanes;
mod lifecycle;
mod list_failures;
mod polling;
mod rate_limits;
mod restarts;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use http::Response;
use lightning_invoice::Currency;
use serde_json::json;
use strike_core::{Charge, ChargeId, CoreClient, Error, Event, Exchange, Now, Reply, RetryPolicy, Watcher};
use support::host::Host;
use support::invoices::written;
use support::{START, Virtual, endpoint, ok};

fn watcher() -> Watcher {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1).watcher()
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// Inserts a new charge. Its invoice was created 1 s ago and has this expiry in seconds.
fn insert(host: &mut Host, expiry: u64) -> Charge {
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(expiry));
    // Charges are created one second apart.
    let created = START + 1000 * u64::try_from(host.rows.len()).unwrap();
    let id = host.insert(created, &[("payment_request", json!(invoice))]);
    read(host, &id)
}

fn read(host: &Host, id: &str) -> Charge {
    support::read_charge(host.rows.iter().find(|row| row["id"] == id).unwrap())
}

fn id(id: &str) -> ChargeId {
    id.parse().unwrap()
}

fn describe(result: Result<Option<Event>, Error>) -> String {
    match result {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(Event::Paid(charge))) => {
            assert!(charge.is_paid());
            format!("{} paid", charge.id())
        }
        Ok(Some(Event::Expired(id))) => format!("{id} expired"),
        Ok(Some(Event::Failed(id, error))) => format!("{id} failed: {:?}", error.kind()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn next(watcher: &mut Watcher, world: &mut Virtual, host: &mut Host) -> String {
    describe(world.run_losing(&mut watcher.next(), |exchange, now| host.serve(&exchange, *now)))
}

fn next_with(
    watcher: &mut Watcher,
    world: &mut Virtual,
    server: impl FnMut(Exchange, &mut Now) -> Reply,
) -> String {
    describe(world.run(&mut watcher.next(), server))
}

/// Returns the time of each request, and the events, if every request gets this reply.
fn times(watched: &mut Watcher, reply: impl Fn() -> Reply, events: usize) -> (Vec<Duration>, Vec<String>) {
    let mut world = Virtual::new();
    let mut times = Vec::new();
    let events = (0..events)
        .map(|_| {
            next_with(watched, &mut world, |_, now| {
                times.push(now.monotonic);
                reply()
            })
        })
        .collect();
    (times, events)
}

fn limited(status: u16, retry_after: &str) -> Reply {
    Ok(Response::builder().status(status).header("retry-after", retry_after).body(Vec::new()).unwrap())
}

fn is_page(exchange: &Exchange) -> bool {
    exchange.request.uri().query().is_some()
}

fn host_paid(charge: &Charge) -> Reply {
    let mut paid = serde_json::to_value(charge).unwrap();
    paid["paid"] = json!(true);
    ok(&paid)
}
