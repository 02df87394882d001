//! Tests of the conformance check: our transports keep every rule, and each deliberate flaw breaks exactly one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod flaw;
mod simple_transport;
mod with_flaws;
mod without_flaws;
