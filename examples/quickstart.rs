//! Creates a charge, prints its payment request, and waits for the payment, with the async client.
//!
//! The example starts a sandbox. With `STRIKE_BASE_URL` and `STRIKE_API_KEY` it uses that server,
//! and waits for you to pay.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use strike_async::{Client, NewCharge, Wait, WaitOutcome};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = strike_examples::host()?;
    let client = Client::new(host.endpoint)?;

    let charge = client.create(NewCharge::satoshis(4200, "services rendered")).await?;
    println!("payment request: {}", charge.payment_request());
    println!("paid: {}", client.get(charge.id()).await?.is_paid());

    match &host.sandbox {
        Some(sandbox) => println!("preimage: {}", sandbox.pay(charge.id())?.preimage_hex()),
        None => println!("waiting until you pay or the invoice expires"),
    }
    match client.wait_until_paid(&charge, Wait::until_expiry()).await? {
        WaitOutcome::Paid(charge) => println!("paid: {}", charge.is_paid()),
        WaitOutcome::Payable(_) => println!("not paid yet"),
        WaitOutcome::Expired(_) => println!("expired: create a new charge"),
    }
    Ok(())
}
