//! TLS in both adapters: certificates, host names and proxies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod clients;
mod direct;
mod proxied;
mod proxy;
