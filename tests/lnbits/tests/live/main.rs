//! Tests against a real LNbits, with both clients. They are ignored unless `.ci/lnbits` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

mod cassettes;
mod charges;
mod clients;
mod closed_loop;
mod facts;
mod keys;
mod many;
mod once;
mod quickstart;
mod server;
mod wallet;
mod webhook;
