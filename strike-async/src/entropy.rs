//! The system's entropy: a seed for the jitter, and keys for orders.

use strike_core::{Error, InvalidInput, OrderKey};

/// A seed for the jitter.
pub(crate) fn seed() -> Result<u64, Error> {
    Ok(getrandom::u64().map_err(none)?)
}

/// An order key that nobody has used.
pub(crate) fn order_key() -> Result<OrderKey, Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(none)?;
    Ok(OrderKey::from_entropy(u128::from_ne_bytes(bits)))
}

fn none(_: getrandom::Error) -> InvalidInput {
    InvalidInput::new("seed or key", "given, since the system has no entropy")
}
