//! Measures the memory per charge, and how long a page of the list takes with more and more charges.
//!
//! Run it with `cargo bench -p strike-sandbox --bench memory`. Append `-- 1000000` for up to a million charges.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a benchmark")]

use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use strike_core::http::Request;
use strike_sandbox::Sandbox;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn main() {
    let max_charges = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(100_000);
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).build();
    let (allocated, resident) = (MEMORY.current_usage(), resident());
    println!("| charges | allocated, each | resident, each | first page | last page |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for charges in [1_000, 10_000, 100_000, 1_000_000] {
        if charges > max_charges {
            break;
        }
        while sandbox.charges() < charges {
            let _ = send(&sandbox, "POST", "", "amount=4200&currency=btc&description=services+rendered");
        }
        let each = |bytes: usize| bytes / charges;
        println!(
            "| {charges} | {} | {} | {:?} | {:?} |",
            each(MEMORY.current_usage() - allocated),
            each(self::resident().saturating_sub(resident)),
            page(&sandbox, 0),
            page(&sandbox, charges / 30 - 1),
        );
    }
}

/// Returns the median time that a page takes.
fn page(sandbox: &Sandbox, page: usize) -> Duration {
    let mut took: Vec<_> = (0..501)
        .map(|_| {
            let start = Instant::now();
            let length = send(sandbox, "GET", &format!("?page={page}&size=30"), "");
            assert!(length > 10_000);
            start.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

/// Sends a request and returns the length of the response's body.
fn send(sandbox: &Sandbox, method: &str, query: &str, body: &str) -> usize {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/charges{query}"))
        .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.as_bytes().to_vec())
        .unwrap();
    let response = sandbox.respond(&request);
    assert_eq!(response.status(), 200);
    response.body().len()
}

/// Returns the resident memory of this process in bytes, or 0 if the system does not report it.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}
