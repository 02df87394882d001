//! Creates and gets with the clients and with the HTTP libraries below them, against a server that
//! costs little.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

pub mod contender;
pub mod cost;
pub mod held;
pub mod ours;
pub mod pairs;
pub mod raw;
pub mod server;
