//! The test cases, by the phase of the exchange.

pub mod connecting;
pub mod proxies;
pub mod responses;
pub mod sending;
pub mod setup;
