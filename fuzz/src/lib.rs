//! Targets for fuzzing: functions that take any bytes at all, and assert what must hold whatever they are.
//!
//! `tests/runs.rs` calls them with the seeds, with mutations of these and with noise; `libfuzzer/` with whatever it finds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is the finding"
)]

mod bodies;
mod cassette;
mod invoice;
mod machines;
mod play;
mod sandbox;
mod secret;
mod tape;

/// A function that takes any bytes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Target {
    /// Its name, which is also the name of the folder of its seeds.
    pub name: &'static str,
    /// Takes the bytes; panics if something does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 14] = [
    Target { name: "charge", run: bodies::charge },
    Target { name: "list", run: bodies::list },
    Target { name: "error", run: bodies::error },
    Target { name: "webhook", run: bodies::webhook },
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

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
