//! Runs one workload, and prints its allocations. The program `table` runs it under callgrind.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::alloc::System;
use std::env;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use strike_perf::workloads;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let mut arguments = env::args().skip(1);
    let (name, times) = (arguments.next().unwrap(), arguments.next().unwrap().parse().unwrap());
    let workload = workloads::all().find(|workload| workload.name == name).unwrap();
    let region = Region::new(ALLOCATOR);
    (workload.run)(times);
    let change = region.change();
    println!("{}", change.allocations + change.reallocations);
}
