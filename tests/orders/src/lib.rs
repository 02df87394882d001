//! What the tests of `strike-orders` share: a PostgreSQL of their own, and worker processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "tests")]

pub mod commands;
pub mod completions;
pub mod late_host;
pub mod postgres;
