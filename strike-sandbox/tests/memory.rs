//! Limits the memory that one charge uses.
//!
//! The test counts allocated bytes, so the result does not depend on the machine. It is the only
//! test in this binary because it replaces the global allocator.
#![allow(clippy::unwrap_used, reason = "tests")]

use peak_alloc::PeakAlloc;
use strike_core::UnixMillis;
use strike_core::http::Request;
use strike_sandbox::Sandbox;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A power of two, because the list and the index double their capacity when they grow.
const CHARGES: usize = 8192;

/// Bytes for the fields, the texts and the index entry of a charge. The invoice alone takes 270.
const MAX_BYTES: usize = 560;

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
    let bytes_per_charge = (MEMORY.current_usage() - before) / (CHARGES - 1);
    assert!(bytes_per_charge <= MAX_BYTES, "{bytes_per_charge} bytes per charge");
}
