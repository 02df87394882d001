//! Tests that creating a charge once creates at most one charge per order key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod expiry;
mod histories;
mod key_records;
mod memory;
mod outcomes;
mod searches;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use strike_core::machine::{CreateOnce, OrderRecord};
use strike_core::{
    Charge, CoreClient, CreateOnceOptions, CreateOutcome, Error, ErrorKind, NewCharge, OrderKey, RetryPolicy,
};
use support::host::Host;
use support::{Did, Virtual, endpoint};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea").customer_id("table 4")
}

fn key() -> OrderKey {
    OrderKey::named("order-17")
}

fn machine(order: NewCharge, once: CreateOnceOptions) -> CreateOnce {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once(order, once)
}

/// Inserts a charge of the key, created this many milliseconds before the start.
fn insert_own(host: &mut Host, ago: u64, changes: &[(&str, Value)]) -> String {
    let mut fields = vec![("customer_id", json!(key().customer_id("table 4")))];
    fields.extend(changes.iter().cloned());
    host.insert(host.clock - ago, &fields)
}

fn run(host: &mut Host, once: CreateOnceOptions) -> (Result<CreateOutcome, Error>, Virtual) {
    let mut world = Virtual::new();
    let result = world.run_losing(&mut machine(order(), once), |exchange, now| host.serve(&exchange, *now));
    (result, world)
}

/// Describes the requests and waits. `list` is the first page of a search, `page 1` the second.
fn steps(world: &Virtual) -> String {
    let words = world.log.iter().map(|did| match did {
        Did::Send(line) if line.starts_with("POST") => "post".to_owned(),
        Did::Send(line) if line.contains("page=0&") => "list".to_owned(),
        Did::Send(line) if line.contains("page=") => line.split(['?', '&']).nth(1).unwrap().replace('=', " "),
        Did::Send(line) => format!("get {}", line.rsplit('/').next().unwrap()),
        Did::Wait(wait) => format!("{wait:?}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn describe(result: &Result<CreateOutcome, Error>) -> String {
    match result {
        Ok(CreateOutcome::Payable(charge)) => format!("to pay {}", charge.id()),
        Ok(CreateOutcome::Paid(charge)) => format!("paid {}", charge.id()),
        Ok(CreateOutcome::Expired { charge, .. }) => format!("expired {}", charge.id()),
        Err(error) => match error.kind() {
            ErrorKind::Mismatch(mismatch) => format!("mismatch of {}", mismatch.field()),
            ErrorKind::Connection { kind, .. } => format!("{kind:?}"),
            kind => format!("{kind:?}"),
        },
    }
}

fn charge_of(made: &CreateOutcome) -> &Charge {
    made.charge()
}

/// Runs a machine with this key record.
fn run_with_record(
    host: &mut Host,
    world: &mut Virtual,
    record: &mut OrderRecord,
    once: CreateOnceOptions,
) -> Result<CreateOutcome, Error> {
    let mut machine =
        CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once_with(order(), once, record);
    world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now))
}
