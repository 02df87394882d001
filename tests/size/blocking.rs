//! Creates a charge with the blocking client, and prints its payment request.

use std::error::Error;

use strike_blocking::{ApiKey, Client, Endpoint, Network, NewCharge};

fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = Endpoint::new("https://strike.example.com/", ApiKey::new("sk_demo")?, Network::Testnet)?;
    let charge = Client::new(endpoint)?.create(NewCharge::satoshis(4200, "tea"))?;
    println!("{}", charge.payment_request());
    Ok(())
}
