//! One table of scenarios, five ways through each: both adapters over loopback and in memory, and core by hand.
//!
//! All five start from one seed, and their clocks move only by waiting. So not only what they are told must be equal,
//! but every byte they send below HTTP's framing, and every microsecond they wait.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod clients;
mod clocks;
mod play;
mod relay;
mod scenario;
mod table;
mod table_of_lives;
mod ways;
mod world;
