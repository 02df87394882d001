//! Random order keys and tokens of claims.

use strike_async::OrderKey;

use crate::error::Error;

/// Returns a new order key.
pub(super) fn new_key() -> Result<OrderKey, Error> {
    random().map(OrderKey::from_entropy)
}

/// Returns a new token of a claim.
pub(crate) fn new_claim() -> Result<String, Error> {
    Ok(format!("{:032x}", random()?))
}

fn random() -> Result<u128, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(u128::from_le_bytes(bytes))
}
