//! Secrets do not appear in errors, Debug output, logs, cassettes or sandbox responses. The tests
//! use recognizable keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod cassettes;
mod debug;
mod dialects;
mod errors;
mod logs;
mod records;
mod responses;
mod secrets;
