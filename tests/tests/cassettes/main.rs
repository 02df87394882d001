//! Cassettes of whole flows, recorded from the sandbox and replayed with every driver, and failures
//! of such tests. `STRIKE_RECORD=1` records them again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod core_simulation;
mod failing;
mod flows;
mod parity;
