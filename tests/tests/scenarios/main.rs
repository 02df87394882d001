//! Runs every scenario in five ways: both adapters over loopback, both adapters in memory, and core
//! without an adapter.
//!
//! All five use the same seed and a virtual clock that only advances when the client waits. So
//! their results must be equal, and also every request they send (above the HTTP framing) and every
//! duration they wait.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod clocks;
mod dialects;
mod drivers;
mod play;
mod relay;
mod scenario;
mod table;
mod table_multi_request;
mod world;
