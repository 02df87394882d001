//! Workloads of strike-core whose instructions and allocations are counted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exhaustive_structs,
    reason = "a benchmark"
)]

mod samples;
pub mod watched;
pub mod workloads;
