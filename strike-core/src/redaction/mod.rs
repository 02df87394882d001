//! Removes API keys and preimages from errors, logs and fixtures.

pub(crate) mod decodings;
pub(crate) mod secrets;
pub(crate) mod text;
