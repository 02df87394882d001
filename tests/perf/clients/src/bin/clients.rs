//! Compares the clients with the libraries that they use, and prints a table. `clients counts`
//! prints only what is counted, `clients pairs` only what is timed. `clients check` compares the
//! counts that hardly vary with docs/performance.md.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a benchmark")]

use std::env;
use std::process::ExitCode;

use strike_perf_clients::contender::{Contender, Kind, Setting};
use strike_perf_clients::cost::{Cost, can_trace, count, memory};
use strike_perf_clients::held::differences;
use strike_perf_clients::pairs::compare;
use strike_perf_clients::server::Server;

const PLAIN: Setting = Setting { tls: false, one_thread: false };
const TLS: Setting = Setting { tls: true, one_thread: false };
const PLAIN_ONE: Setting = Setting { tls: false, one_thread: true };

/// How many rounds of ABBA one ratio takes.
const ROUNDS: usize = 9;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let part = env::args().nth(1);
    let wants = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let server = Server::start();
    if part.as_deref() == Some("check") {
        if !can_trace() {
            eprintln!("system calls are not compared: strace cannot trace on this machine");
        }
        let differences = differences(&server.address);
        for difference in &differences {
            eprintln!("docs/performance.md has another count: {difference}");
        }
        return if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!("| figure | today | bar |");
    println!("| --- | --- | --- |");
    if wants("counts") {
        counts(&server);
    }
    if wants("pairs") {
        pairs(&server);
    }
    ExitCode::SUCCESS
}

/// Prints what one request costs: the mean of a create and a get.
fn counts(server: &Server) {
    let plain = Kind::ALL.into_iter().filter(|kind| *kind != Kind::AsyncHttp2);
    let all: Vec<_> = plain.map(|kind| (kind, count(&server.address, kind, PLAIN, 1))).collect();
    for (kind, cost) in &all {
        row(kind.name(), "plain", 1, *cost);
    }
    for kind in [Kind::Async, Kind::AsyncFresh, Kind::Blocking, Kind::BlockingFresh] {
        row(kind.name(), "TLS", 1, count(&server.address, kind, TLS, 1));
    }
    for (kind, in_flight) in
        [Kind::Async, Kind::RawAsync].into_iter().flat_map(|kind| [(kind, 64), (kind, 1_024)])
    {
        row(kind.name(), "plain", in_flight, count(&server.address, kind, PLAIN, in_flight));
    }
    for kind in [Kind::Async, Kind::AsyncHttp2] {
        let kibibytes = memory(&server.address, kind, TLS, 64) >> 10;
        println!("| {}, TLS, 64 in flight: memory after the requests | {kibibytes} KiB | |", kind.name());
    }
    let of = |kind| all.iter().find(|(other, _)| *other == kind).unwrap().1.instructions;
    for (ours, raw, bar) in [
        (Kind::Async, Kind::RawAsync, "0.95"),
        (Kind::Blocking, Kind::RawBlocking, "0.95"),
        (Kind::Blocking, Kind::RawBlockingTimeout, "0.85"),
    ] {
        println!("| instructions: {} / {} | {:.2} | {bar} |", ours.name(), raw.name(), of(ours) / of(raw));
    }
}

fn row(name: &str, over: &str, in_flight: usize, cost: Cost) {
    let Cost { instructions, allocations, syscalls } = cost;
    println!(
        "| {name}, {over}, {in_flight} in flight: instructions, allocations, system calls | {instructions:.0}, {allocations:.1}, {syscalls:.1} | |"
    );
}

/// Prints ratios of requests per second and of CPU time.
fn pairs(server: &Server) {
    let rows = [
        (Kind::Async, Kind::RawAsync, PLAIN, 1),
        (Kind::Async, Kind::RawAsync, PLAIN, 64),
        (Kind::Async, Kind::RawAsync, PLAIN, 1_024),
        (Kind::AsyncOnRuntime, Kind::RawAsync, PLAIN, 1),
        (Kind::AsyncOnRuntime, Kind::RawAsync, PLAIN, 64),
        (Kind::AsyncOnRuntime, Kind::RawAsync, PLAIN, 1_024),
        (Kind::Async, Kind::RawAsync, PLAIN_ONE, 1),
        (Kind::Async, Kind::RawAsync, PLAIN_ONE, 64),
        (Kind::Async, Kind::RawAsync, PLAIN_ONE, 1_024),
        (Kind::Blocking, Kind::RawBlocking, PLAIN, 1),
        (Kind::Blocking, Kind::RawBlockingTimeout, PLAIN, 1),
        (Kind::Async, Kind::RawAsync, TLS, 1),
        (Kind::Blocking, Kind::RawBlockingTimeout, TLS, 1),
        (Kind::AsyncOnRuntime, Kind::RawAsync, TLS, 64),
        (Kind::AsyncHttp2, Kind::Async, TLS, 64),
        (Kind::AsyncFresh, Kind::Async, PLAIN, 1),
        (Kind::AsyncFresh, Kind::Async, TLS, 1),
        (Kind::BlockingFresh, Kind::Blocking, PLAIN, 1),
        (Kind::BlockingFresh, Kind::Blocking, TLS, 1),
    ];
    for (first, second, setting, in_flight) in rows {
        let [a, b] = [first, second].map(|kind| Contender::new(kind, setting, &server.address));
        let ratio = compare(&a, &b, in_flight, ROUNDS);
        let over = if setting.tls { "TLS" } else { "plain" };
        let threads = if setting.one_thread { ", runtime with one thread" } else { "" };
        println!(
            "| {} / {}, {over}, {in_flight} in flight{threads}: throughput, CPU; requests/s | {:.2}, {:.2}; {:.0} | 1.00 |",
            first.name(),
            second.name(),
            ratio.throughput,
            ratio.cpu,
            ratio.rate,
        );
    }
}
