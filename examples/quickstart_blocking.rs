//! Creates a charge, prints its payment request and QR code, and waits for the payment, with the blocking
//! client.
//!
//! The example starts a sandbox. With `STRIKE_BACKEND=phoenixd`, the sandbox acts as a phoenixd. With
//! `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK` the example uses that server, and waits
//! for you to pay. Set `STRIKE_BACKEND` to `phoenixd` or `lnbits` if it is one.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::error::Error;
use std::process::ExitCode;

use strike_blocking::{Client, Expectation, NewCharge, Wait, WaitOutcome};

fn main() -> ExitCode {
    strike_examples::exit_code(sell())
}

fn sell() -> Result<(), Box<dyn Error>> {
    let host = strike_examples::host()?;
    let network = host.endpoint.network();
    let client = Client::new(host.endpoint)?;
    client.check_setup()?;

    let order = NewCharge::satoshis(4200, "services rendered");
    let charge = client.create(order.clone())?;
    let invoice = client.check(&charge, &Expectation::of(&order, network))?;
    println!("payment request: {}", invoice.payment_request());
    print!("{}", invoice.qr_code()?.to_terminal());
    println!("paid: {}", client.get(charge.id())?.is_paid());

    match &host.sandbox {
        Some(sandbox) => println!("preimage: {}", sandbox.pay(charge.id())?.preimage_hex()),
        None => println!("waiting until you pay or the invoice expires"),
    }
    match client.wait_until_paid(&charge, Wait::until_expiry())? {
        WaitOutcome::Paid(charge) => println!("paid: {}", charge.is_paid()),
        WaitOutcome::Payable(_) => println!("not paid yet"),
        WaitOutcome::Expired(_) => println!("expired: create a new charge"),
    }
    Ok(())
}
