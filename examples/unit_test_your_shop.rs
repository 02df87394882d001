//! A shop and its unit tests. The tests run offline: with the sandbox in virtual time, with
//! recorded responses, and with a connection that closes before the response.
//!
//! `cargo test -p strike-examples --example unit_test_your_shop` runs the tests. `cargo run
//! --example unit_test_your_shop` prints the requests of an hour in which nobody pays. With
//! `STRIKE_RECORD=1` it records the cassette again, from a sandbox, or from the server in
//! `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK`.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::error::Error;

use strike_blocking::Client;
use strike_blocking::fixture::{SIMULATION_START, SimulatedHost};
use strike_sandbox::Sandbox;

use crate::recording::record;
use crate::shop::Shop;

mod shop {
    use std::collections::BTreeSet;

    use strike_blocking::{Charge, Client, CreateOnceOptions, CreateOutcome, Error, NewCharge, Wait};

    /// A minimal shop.
    pub(crate) struct Shop {
        client: Client,
        /// The completed orders. In a real shop, a table with a unique key.
        pub(crate) completed: BTreeSet<String>,
    }

    impl Shop {
        pub(crate) const fn new(client: Client) -> Self {
            Self { client, completed: BTreeSet::new() }
        }

        /// Creates a charge for the order, shows it, waits for the payment, and completes the order
        /// once. You can call it again for the same order at any time.
        pub(crate) fn sell(&mut self, order: &str, show: impl FnOnce(&Charge)) -> Result<(), Error> {
            let mut once = CreateOnceOptions::named(order);
            let paid = loop {
                match self.client.create_once(NewCharge::satoshis(4200, "a pot of tea"), once)? {
                    CreateOutcome::Payable(charge) => {
                        show(&charge);
                        break self.client.wait_until_paid(&charge, Wait::until_expiry())?.is_paid();
                    }
                    CreateOutcome::Paid(_) => break true,
                    // The invoice has expired: create the next one.
                    CreateOutcome::Expired { next, .. } => once = next,
                }
            };
            if paid && self.completed.insert(order.to_owned()) {
                println!("{order} is completed");
            }
            Ok(())
        }
    }
}

mod recording {
    use std::error::Error;

    use strike_blocking::fixture::{Cassette, RecordTransport, Recorder};
    use strike_blocking::{Charge, Client, Endpoint, UreqTransport};

    use super::shop::Shop;

    /// Sells one order and returns the recorded exchanges, without the API key, preimages and fields
    /// named `email`.
    pub(crate) fn record(endpoint: Endpoint, pay: impl FnOnce(&Charge)) -> Result<Cassette, Box<dyn Error>> {
        let recorder = Recorder::new().redact_field("email");
        let recording = RecordTransport::with(UreqTransport::new()?, recorder);
        let client = Client::builder(endpoint).transport(recording.clone()).build()?;
        Shop::new(client).sell("order-17", pay)?;
        Ok(recording.cassette()?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var("STRIKE_RECORD").is_ok_and(|record| record == "1") {
        return record_again();
    }
    let sandbox = Sandbox::new();
    let host = SimulatedHost::new(sandbox.clone());
    let mut shop = Shop::new(Client::builder(sandbox.endpoint()?).simulated(&host).build()?);
    shop.sell("order-17", |charge| println!("nobody pays {charge}"))?;
    println!("{}", host.transcript());
    Ok(())
}

/// Records a paid order. Check a recording of a real account before you commit it: the list
/// contains other charges.
fn record_again() -> Result<(), Box<dyn Error>> {
    let host = strike_examples::host_or(Sandbox::builder().seed(7).clock_at(SIMULATION_START))?;
    let cassette = record(host.endpoint, |charge| match &host.sandbox {
        Some(sandbox) => println!("paid: {}", sandbox.pay(charge.id()).is_ok()),
        None => println!("please pay {}", charge.payment_request()),
    })?;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/paid_order.json");
    std::fs::write(file, cassette.to_json()?)?;
    println!("recorded {file}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use strike_blocking::fixture::{ReplayTransport, SimulatedHost};
    use strike_blocking::{ApiKey, Client, Endpoint, Network, NewCharge, Wait};
    use strike_sandbox::Sandbox;
    use strike_sandbox::faults::{Fault, Match, Plan};

    use super::recording::record;
    use super::shop::Shop;

    #[test]
    fn paid_order_is_completed() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(Client::builder(sandbox.endpoint()?).simulated(&host).build()?);
        shop.sell("order-17", |charge| assert!(sandbox.pay(charge.id()).is_ok()))?;
        assert!(shop.completed.contains("order-17"));
        Ok(())
    }

    #[test]
    fn order_is_completed_over_phoenixd() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(Client::builder(sandbox.phoenixd_endpoint()?).simulated(&host).build()?);
        shop.sell("order-17", |charge| assert!(sandbox.pay(charge.id()).is_ok()))?;
        assert!(shop.completed.contains("order-17"));
        Ok(())
    }

    #[test]
    fn recorded_order_is_completed() -> Result<(), Box<dyn Error>> {
        let endpoint =
            Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new("sk_replay")?, Network::Testnet)?;
        let replay = ReplayTransport::strict(include_str!("fixtures/paid_order.json").parse()?);
        replay.scope(|replay| {
            let mut shop = Shop::new(Client::builder(endpoint).simulated(replay).build()?);
            shop.sell("order-17", |_| {})?;
            assert!(shop.completed.contains("order-17"));
            Ok(())
        })?
    }

    #[test]
    fn recording_does_not_contain_the_api_key() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::builder().start()?;
        let cassette = record(sandbox.endpoint()?, |charge| assert!(sandbox.pay(charge.id()).is_ok()))?;
        assert!(!cassette.to_json()?.contains(sandbox.api_key()));
        Ok(())
    }

    #[test]
    fn unpaid_order_is_not_completed() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(Client::builder(sandbox.endpoint()?).simulated(&host).build()?);
        shop.sell("order-17", |_| {})?;
        assert!(shop.completed.is_empty());
        assert!(host.elapsed() >= Duration::from_secs(3600), "the invoice is valid for an hour");
        Ok(())
    }

    #[test]
    fn expired_order_gets_a_new_invoice_and_is_completed_once() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(Client::builder(sandbox.endpoint()?).simulated(&host).build()?);
        // Nobody pays in time.
        shop.sell("order-17", |_| {})?;
        shop.sell("order-17", |charge| assert!(sandbox.pay(charge.id()).is_ok()))?;
        assert_eq!((sandbox.charges(), shop.completed.len()), (2, 1));
        shop.sell("order-17", |charge| panic!("already paid: {charge}"))?;
        assert_eq!((sandbox.charges(), shop.completed.len()), (2, 1));
        Ok(())
    }

    #[test]
    fn lost_response_does_not_lead_to_a_second_charge() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::builder().faults(Plan::new().on(Match::create(), Fault::close())).build();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(Client::builder(sandbox.endpoint()?).simulated(&host).build()?);
        shop.sell("order-17", |charge| assert!(sandbox.pay(charge.id()).is_ok()))?;
        assert_eq!((sandbox.charges(), shop.completed.len()), (1, 1));
        Ok(())
    }

    #[tokio::test]
    async fn unpaid_charge_expires_in_an_async_test() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        host.scope_async(async |host| {
            let client = strike_async::Client::builder(sandbox.endpoint()?).simulated(host).build()?;
            let charge = client.create(NewCharge::satoshis(4200, "a pot of tea")).await?;
            assert!(!client.wait_until_paid(&charge, Wait::until_expiry()).await?.is_paid());
            assert!(host.elapsed() >= Duration::from_secs(3600), "the invoice is valid for an hour");
            Ok(())
        })
        .await?
    }
}
