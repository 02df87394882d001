//! Watches charges, stores the watch as JSON, and continues it after a restart: `cargo run --example watch_restart`.
//!
//! It uses a sandbox in memory and virtual time, so an hour passes at once. A test compares the printed lines:
//! `cargo test -p strike-examples --example watch_restart`.
#![allow(clippy::print_stdout, reason = "the example prints what happens")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write;
use std::time::Duration;

use strike_blocking::fixture::{SIMULATION_START, SimulatedHost};
use strike_blocking::{ApiKey, Charge, ChargeId, Client, Endpoint, Event, NewCharge, Watch, WatcherSnapshot};
use strike_sandbox::Sandbox;

/// The data that outlives the program. A real shop keeps it in its database.
#[derive(Default)]
struct Database {
    /// The order of each charge.
    orders: BTreeMap<ChargeId, &'static str>,
    /// The orders that are completed. In a database: a column with a unique key.
    completed: BTreeSet<&'static str>,
    /// The snapshot of the watcher, as JSON.
    watcher: String,
}

impl Database {
    /// Stores which charges are still pending.
    fn store(&mut self, watch: &Watch) -> Result<(), serde_json::Error> {
        self.watcher = serde_json::to_string(&watch.handle().snapshot())?;
        Ok(())
    }

    /// Reads what `store` has written.
    fn stored(&self) -> Result<WatcherSnapshot, serde_json::Error> {
        serde_json::from_str(&self.watcher)
    }

    fn order_of(&self, id: &ChargeId) -> &'static str {
        self.orders.get(id).copied().unwrap_or("an unknown order")
    }

    /// Acts on an event. The same event may come twice, so it checks whether the order is completed.
    fn handle(&mut self, event: &Event, out: &mut impl Write) -> std::io::Result<()> {
        match event {
            Event::Paid(charge) => {
                let order = self.order_of(charge.id());
                if self.completed.insert(order) {
                    writeln!(out, "{order} is paid: send the goods")
                } else {
                    writeln!(out, "{order} was completed before")
                }
            }
            Event::Expired(id) => writeln!(out, "{} has expired without a payment", self.order_of(id)),
            Event::Failed(id, error) => writeln!(out, "{} needs a person: {error}", self.order_of(id)),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(7).clock_at(SIMULATION_START).build();
    let mut database = Database::default();

    let second = first_run(&sandbox, &mut database, out)?;

    // The shop is down for ten minutes. Somebody pays the second charge meanwhile.
    sandbox.advance(Duration::from_secs(600));
    sandbox.pay(&second)?;

    second_run(&sandbox, &mut database, out)
}

/// Creates three charges, completes the first order, and stops. Returns the id of the second charge.
fn first_run(
    sandbox: &Sandbox,
    database: &mut Database,
    out: &mut impl Write,
) -> Result<ChargeId, Box<dyn Error>> {
    let client = connect(sandbox)?;
    let mut watcher = client.watcher();
    let mut sell = |order: &'static str| -> Result<Charge, strike_blocking::Error> {
        let charge = client.create(NewCharge::satoshis(4200, "a pot of tea").customer_id(order))?;
        database.orders.insert(charge.id().clone(), order);
        watcher.add(&charge);
        Ok(charge)
    };
    let [first, second, _] = [sell("order-1")?, sell("order-2")?, sell("order-3")?];

    let mut watch = client.watch(watcher);
    database.store(&watch)?;
    writeln!(out, "the shop watches {} charges", database.stored()?.len())?;

    sandbox.pay(first.id())?;
    if let Some(event) = watch.next() {
        database.handle(&event?, out)?;
        // Store after handling. If the program stops between the two, the event comes again.
        database.store(&watch)?;
    }
    writeln!(out, "the shop stops with {} charges pending", database.stored()?.len())?;
    Ok(second.id().clone())
}

/// Continues the watch until no charge is pending.
fn second_run(
    sandbox: &Sandbox,
    database: &mut Database,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let client = connect(sandbox)?;
    let mut watcher = client.watcher();
    watcher.restore(database.stored()?);
    writeln!(out, "the shop starts again and watches {} charges", watcher.len())?;

    let mut watch = client.watch(watcher);
    while let Some(event) = watch.next() {
        database.handle(&event?, out)?;
        database.store(&watch)?;
    }
    writeln!(out, "no charge is pending")?;
    Ok(())
}

/// Returns a client in virtual time. Its waits move the sandbox's clock instead of sleeping.
fn connect(sandbox: &Sandbox) -> Result<Client, Box<dyn Error>> {
    let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
    Ok(Client::builder(endpoint).simulated(&SimulatedHost::new(sandbox.clone())).build()?)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    #[test]
    fn a_payment_during_the_restart_is_reported_after_it() -> Result<(), Box<dyn Error>> {
        let mut printed = Vec::new();
        super::run(&mut printed)?;
        let expected = "\
the shop watches 3 charges
order-1 is paid: send the goods
the shop stops with 2 charges pending
the shop starts again and watches 2 charges
order-2 is paid: send the goods
order-3 has expired without a payment
no charge is pending
";
        assert_eq!(String::from_utf8(printed)?, expected);
        Ok(())
    }
}
