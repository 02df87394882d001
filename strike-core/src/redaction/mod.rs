//! Keeps keys and preimages out of errors, logs and fixtures.

pub(crate) mod decodings;
pub(crate) mod secrets;
pub(crate) mod text;
