//! Makes calls with one client, and prints its allocations and the bytes that are
//! still allocated. The program `clients` runs it under
//! callgrind and strace.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]

use std::alloc::System;
use std::env;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use strike_perf_clients::contender::{Contender, Kind, Setting};
use strike_perf_clients::server::Address;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [plain, tls_port, authority, kind, pairs, in_flight, tls, one_thread] = &arguments[..] else {
        panic!("the program `clients` starts this one");
    };
    let authority = authority.clone();
    let server = Address { plain: plain.parse().unwrap(), tls: tls_port.parse().unwrap(), authority };
    let setting = Setting { tls: tls.parse().unwrap(), one_thread: one_thread.parse().unwrap() };
    let contender = Contender::new(Kind::named(kind), setting, &server);
    let region = Region::new(ALLOCATOR);
    contender.pairs(pairs.parse().unwrap(), in_flight.parse().unwrap());
    let change = region.change();
    println!("{}", change.allocations + change.reallocations);
    println!("{}", change.bytes_allocated - change.bytes_deallocated);
}
