//! What the benchmarks share: sample data, and the workloads of strike-core that are counted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exhaustive_structs,
    reason = "a benchmark"
)]

pub mod samples;
pub mod watched;
pub mod workloads;
