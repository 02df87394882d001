//! With 100,000 pending charges, no statement of a running desk reads all rows of a table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub,
    reason = "tests"
)]

mod postgres;
mod sqlite;
mod work;
