//! Curves: how the time and the allocations of strike-core grow with the size of its input.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use strike_core::machine::{Machine, Operation, Step};
use strike_core::{Charge, CoreClient, List, Now, RetryPolicy, UnixMillis, Watcher};
use strike_perf::samples;

#[global_allocator]
static ALLOCATOR: AllocProfiler<System> = AllocProfiler::new(System);

fn main() {
    divan::main();
}

/// Parses a page with this many charges.
#[divan::bench(args = [1, 10, 30, 100, 250])]
fn parse_page(bencher: Bencher<'_, '_>, charges: usize) {
    let (endpoint, list) = (samples::endpoint(true), List::page(0));
    let response = samples::page(charges);
    bencher
        .counter(ItemsCount::new(charges))
        .bench_local(|| list.parse(&endpoint, black_box(&response), samples::now()).unwrap());
}

/// Adds this many charges to a watcher.
#[divan::bench(args = [10, 100, 1_000, 10_000, 100_000])]
fn watch(bencher: Bencher<'_, '_>, charges: usize) {
    let charges: Vec<Charge> = (0..charges).map(samples::charge).collect();
    bencher.counter(ItemsCount::new(charges.len())).bench_local(|| watcher(black_box(&charges)));
}

/// Polls a watcher with this many charges, all of which are due, until its first request.
#[divan::bench(args = [10, 100, 1_000, 10_000, 100_000])]
fn first_request(bencher: Bencher<'_, '_>, charges: usize) {
    let due = Now::new(Duration::from_secs(2), UnixMillis::from_millis(1_700_000_002_000));
    let charges: Vec<Charge> = (0..charges).map(samples::charge).collect();
    bencher
        .with_inputs(|| {
            let mut watcher = watcher(&charges);
            assert!(matches!(watcher.next().poll(samples::now()), Step::Wait(_)));
            watcher
        })
        .bench_local_refs(|watcher| matches!(watcher.next().poll(due), Step::Send(_)));
}

fn watcher(charges: &[Charge]) -> Watcher {
    let mut watcher = CoreClient::new(samples::endpoint(true), RetryPolicy::default(), 7).watcher();
    for charge in charges {
        watcher.add(charge);
    }
    watcher
}
