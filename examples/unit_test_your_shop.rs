//! A shop and its tests, all offline and without a wait: on a cassette, on the sandbox in virtual time, and with a server
//! that hangs up.
//!
//! Run them with `cargo test -p strike-examples --example unit_test_your_shop`. With `STRIKE_RECORD=1` the cassette is recorded
//! again, from a sandbox, or from the host that `STRIKE_BASE_URL` and `STRIKE_API_KEY` name. Run as a program, it shows an
//! hour in which nobody pays.
#![allow(clippy::print_stdout, reason = "it shows something")]

use strike_blocking::fixture::SimulatedHost;
use strike_blocking::{ApiKey, Charge, Client, Endpoint, Error, NewCharge, Wait};
use strike_sandbox::Sandbox;

/// A shop, as small as can be.
struct Shop {
    client: Client,
    completed: Vec<String>,
}

impl Shop {
    const fn new(client: Client) -> Self {
        Self { client, completed: Vec::new() }
    }

    /// Sells a pot of tea: makes one charge for the order, whatever breaks, shows it, waits, and completes the order if it
    /// is paid.
    fn sell(&mut self, order: &str, show: impl FnOnce(&Charge)) -> Result<(), Error> {
        let made = self.client.create_once(NewCharge::satoshis(4200, "a pot of tea"), order)?;
        show(made.charge());
        if self.client.wait_until_paid(made.charge(), Wait::until_expiry())?.is_paid() {
            self.completed.push(order.to_owned());
        }
        Ok(())
    }
}

/// The account of a sandbox.
fn account(sandbox: &Sandbox) -> Result<Endpoint, Error> {
    Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::new();
    let host = SimulatedHost::new(sandbox.clone());
    let mut shop = Shop::new(host.client(account(&sandbox)?).build()?);
    shop.sell("order-17", |charge| println!("nobody pays {charge}"))?;
    println!("{}", host.transcript());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use strike_blocking::fixture::{START, SimulatedHost};
    use strike_blocking::{Delivery, Exchange, Now, TransportError, TransportErrorKind};
    use strike_sandbox::Sandbox;

    use super::{Shop, account};

    type Tested = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn a_paid_order_is_completed() -> Tested {
        let tape = strike_examples::tape("paid_order.json")?;
        let mut shop = Shop::new(tape.client());
        shop.sell("order-17", |charge| tape.pay(charge).unwrap())?;
        assert_eq!(shop.completed, ["order-17"]);
        tape.finish()
    }

    #[test]
    fn an_order_that_nobody_pays_is_not_completed() -> Tested {
        let sandbox = Sandbox::new();
        let host = SimulatedHost::new(sandbox.clone());
        let mut shop = Shop::new(host.client(account(&sandbox)?).build()?);
        shop.sell("order-17", |_| {})?;
        assert!(shop.completed.is_empty());
        assert!(host.elapsed() >= Duration::from_secs(3600), "the invoice lives for an hour");
        Ok(())
    }

    #[test]
    fn a_server_that_hangs_up_makes_no_second_charge() -> Tested {
        let sandbox = Sandbox::builder().clock_at(START).build();
        let host = SimulatedHost::new(hangs_up_after_a_create(sandbox.clone()));
        let mut shop = Shop::new(host.client(account(&sandbox)?).build()?);
        shop.sell("order-17", |charge| drop(sandbox.pay(charge.id()).unwrap()))?;
        assert_eq!((sandbox.charges(), shop.completed.len()), (1, 1));
        Ok(())
    }

    /// The create arrives and is carried out, but its answer never comes.
    fn hangs_up_after_a_create(sandbox: Sandbox) -> impl FnMut(Exchange, Now) -> strike_blocking::Reply {
        move |exchange, now| {
            sandbox.advance_to(now.unix);
            let creates = exchange.request.method() == "POST";
            let reply = sandbox.reply(exchange);
            if creates {
                Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
            } else {
                reply
            }
        }
    }
}
