//! The check of transports: ours keep every rule, and each flaw that a transport can have is named by its rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod flaw;
mod flaws;
mod naive;
mod ours;
