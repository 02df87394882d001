//! What the tests of `strike-orders` share: a PostgreSQL of their own, and a shop of several processes
//! with a host and payers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests"
)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "tests")]

pub mod commands;
pub mod completions;
pub mod host;
pub mod late_host;
pub mod postgres;
pub mod process;
pub mod record;
pub mod shop;
