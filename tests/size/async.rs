//! Creates a charge with the async client, and prints its payment request.

use std::error::Error;

use strike_async::{ApiKey, Client, Endpoint, Network, NewCharge};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = Endpoint::new("https://strike.example.com/", ApiKey::new("sk_demo")?, Network::Testnet)?;
    let charge = Client::new(endpoint)?.create(NewCharge::satoshis(4200, "tea")).await?;
    println!("{}", charge.payment_request());
    Ok(())
}
