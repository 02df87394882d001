//! The counts that CI holds against docs/performance.md.

use std::fs;

use crate::contender::{Kind, Setting};
use crate::cost::{Cost, count};
use crate::server::Address;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/performance.md");

/// How far a count may be from that of the page: a part of it.
struct Tolerance {
    instructions: f64,
    allocations: f64,
    syscalls: f64,
}

/// One thread does everything, so only the padding of allocations varies.
const BLOCKING: Tolerance = Tolerance { instructions: 0.03, allocations: 0.02, syscalls: 0.02 };

/// How often two threads wake each other depends on the machine.
const ASYNC: Tolerance = Tolerance { instructions: 0.08, allocations: 0.05, syscalls: 0.5 };

/// Counts one request at a time, and returns what differs from the page.
#[must_use]
pub fn differences(server: &Address) -> Vec<String> {
    let page = fs::read_to_string(PAGE).unwrap();
    let setting = Setting { tls: false, one_thread: false };
    let differences = [(Kind::Blocking, BLOCKING), (Kind::Async, ASYNC)].map(|(kind, tolerance)| {
        let found = count(server, kind, setting, 1);
        let expected = on_page(&page, kind);
        let pairs = [
            ("instructions", expected.instructions, found.instructions, tolerance.instructions),
            ("allocations", expected.allocations, found.allocations, tolerance.allocations),
            ("system calls", expected.syscalls, found.syscalls, tolerance.syscalls),
        ];
        let differs = |(_, expected, found, tolerance): &(_, f64, f64, f64)| {
            (expected - found).abs() > expected * tolerance
        };
        pairs.into_iter().filter(differs).map(move |(what, expected, found, _)| {
            format!("{what} of {}: {found:.1}, on the page {expected}", kind.name())
        })
    });
    differences.into_iter().flatten().collect()
}

/// Returns the counts of the page.
fn on_page(page: &str, kind: Kind) -> Cost {
    let start = format!("| `{}` |", kind.name());
    let line = page.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    let mut cells = line.split('|').map(|cell| cell.trim().parse::<f64>());
    let mut next = || cells.next().unwrap().unwrap();
    Cost { instructions: next(), allocations: next(), syscalls: next() }
}
