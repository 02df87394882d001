//! Fuzz targets: functions that accept any bytes and assert invariants.
//!
//! `tests/runs.rs` runs them with the seeds, with mutations of the seeds and with random bytes.
//! `libfuzzer/` runs them under libFuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic reports a finding"
)]

mod bodies;
mod cassette;
mod dialects;
mod driver;
mod input;
mod invoice;
mod machines;
mod sandbox;
mod secret;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Target {
    /// The name of the target and of its folder below `seeds/`.
    pub name: &'static str,
    /// Runs the target on the bytes. Panics if an invariant is violated.
    pub run: fn(&[u8]),
}

/// All fuzz targets.
pub const TARGETS: [Target; 15] = [
    Target { name: "charge", run: bodies::charge },
    Target { name: "list", run: bodies::list },
    Target { name: "error", run: bodies::error },
    Target { name: "webhook", run: bodies::webhook },
    Target { name: "dialects", run: dialects::dialects },
    Target { name: "cassette", run: cassette::cassette },
    Target { name: "retry_after", run: bodies::retry_after },
    Target { name: "invoice", run: invoice::invoice },
    Target { name: "sandbox", run: sandbox::sandbox },
    Target { name: "call", run: machines::call },
    Target { name: "create_once", run: machines::create_once },
    Target { name: "wait_paid", run: machines::wait_paid },
    Target { name: "mirror", run: machines::mirror },
    Target { name: "watcher", run: machines::watcher },
    Target { name: "pager", run: machines::pager },
];

/// Returns the target with this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
