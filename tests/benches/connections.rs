//! What a new connection per create costs: `cargo bench -p strike-tests --bench connections`.
//!
//! One thread creates charges in a sandbox on this machine, one after the other. A round with new connections and a
//! round with kept ones alternate, so that both meet the same load. Over https, new connections resume TLS sessions.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "it measures")]

use std::time::{Duration, Instant};

use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::{ApiKey, Endpoint, NewCharge, RetryPolicy};
use strike_sandbox::Sandbox;

const ROUNDS: usize = 15;
const CREATES: u32 = 100;

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn main() {
    let sandbox = Sandbox::builder().tls().plain_listen(([127, 0, 0, 1], 0).into()).seed(7).start().unwrap();
    let pem = sandbox.ca_certificate().unwrap();
    println!(
        "| client | scheme | kept, us per create | new, us per create | added, us | new, creates per second |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    for (scheme, url) in [("http", sandbox.plain_base_url().unwrap()), ("https", sandbox.base_url())] {
        let at = Endpoint::new(url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap();
        let policy = |kept| RetryPolicy::default().reuse_connections_for_creates(kept);
        let blocking = [true, false].map(|kept| {
            let transport = UreqTransport::builder().ca_certificate(pem).build().unwrap();
            let client = strike_blocking::Client::builder(at.clone()).transport(transport);
            client.retry(policy(kept)).build().unwrap()
        });
        row("blocking", scheme, |which| drop(blocking[which].create(order()).unwrap()));
        let asynchronous = [true, false].map(|kept| {
            let transport = ReqwestTransport::builder().ca_certificate(pem).build().unwrap();
            let client = strike_async::Client::builder(at.clone()).transport(transport);
            client.retry(policy(kept)).build().unwrap()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        row("async", scheme, |which| drop(runtime.block_on(asynchronous[which].create(order())).unwrap()));
    }
}

/// Measures kept connections (0) and new ones (1).
fn row(client: &str, scheme: &str, create: impl Fn(usize)) {
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..=ROUNDS {
        for (which, took) in took.iter_mut().enumerate() {
            let start = Instant::now();
            (0..CREATES).for_each(|_| create(which));
            took.push(start.elapsed() / CREATES);
        }
    }
    let [kept, new] = took.map(|mut rounds| {
        // The first round connects, and warms up.
        rounds.remove(0);
        rounds.sort();
        rounds[ROUNDS / 2]
    });
    let micros = |time: Duration| time.as_micros();
    let per_second = 1_000_000 / micros(new).max(1);
    let added = micros(new.saturating_sub(kept));
    println!("| {client} | {scheme} | {} | {} | {added} | {per_second} |", micros(kept), micros(new));
}
