//! Random numbers from the operating system: seeds for jitter, and order keys.

use strike_core::{Error, InvalidInput, OrderKey};

/// Returns a random seed for jitter.
pub(crate) fn seed() -> Result<u64, Error> {
    Ok(getrandom::u64().map_err(no_entropy)?)
}

/// Returns a new random order key.
pub(crate) fn order_key() -> Result<OrderKey, Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(no_entropy)?;
    Ok(OrderKey::from_entropy(u128::from_ne_bytes(bits)))
}

fn no_entropy(_: getrandom::Error) -> InvalidInput {
    InvalidInput::new("seed or key", "provided, because the operating system returned no random bytes")
}
