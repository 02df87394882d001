//! The cases, by where the exchange goes wrong, or right.

pub mod answers;
pub mod connecting;
pub mod proxies;
pub mod sending;
pub mod setup;
