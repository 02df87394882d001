//! How many bytes a charge takes: counted, not timed, so that it is the same on every machine.
//!
//! A program has one allocator, so this is the only test in it.
#![allow(clippy::unwrap_used, reason = "tests")]

use peak_alloc::PeakAlloc;
use strike_core::UnixMillis;
use strike_core::http::Request;
use strike_sandbox::Sandbox;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A power of two: the list and the index, which double, have no room to spare, or as much as they ever have.
const CHARGES: usize = 8192;

/// A charge's fields, its texts, and its place in the index. An invoice alone is 270.
const MOST_BYTES: usize = 560;

#[test]
fn charge_uses_at_most_560_bytes_of_memory() {
    let clock = UnixMillis::from_secs(1_542_221_803);
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).clock_at(clock).build();
    let create = || {
        let request = Request::post("/api/v1/charges")
            .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"amount=4200&currency=btc&description=services+rendered".to_vec())
            .unwrap();
        let response = sandbox.respond(&request);
        assert_eq!(response.status(), 200);
    };
    create();
    let before = MEMORY.current_usage();
    for _ in 1..CHARGES {
        create();
    }
    let each = (MEMORY.current_usage() - before) / (CHARGES - 1);
    assert!(each <= MOST_BYTES, "{each} bytes");
}
