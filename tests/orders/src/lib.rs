//! What the tests of `strike-orders` share: a PostgreSQL of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub mod postgres;
