//! Both adapters and a sandbox that speaks TLS: who is trusted, under which name, and through which proxy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod clients;
mod direct;
mod proxied;
mod proxy;
