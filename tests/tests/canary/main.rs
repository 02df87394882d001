//! A canary key: it sings wherever it comes out, be it in an error, in a Debug output or in a log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod answers;
mod cassettes;
mod debug;
mod errors;
mod logs;
mod records;
mod secrets;
