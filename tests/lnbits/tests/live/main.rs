//! Tests against a real LNbits, with both clients. They are ignored unless `.ci/lnbits` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod facts;
mod server;
mod wallet;
