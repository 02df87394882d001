//! Measures the cost of a new connection per create: `cargo bench -p strike-tests --bench
//! connections`.
//!
//! One thread creates charges in a local sandbox, one after the other. Rounds with new and with
//! reused connections alternate, so that both have the same load. Over https, new connections
//! resume TLS sessions.
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
        "| client | scheme | reused, us per create | new, us per create | added, us | new, creates per second |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    for (scheme, url) in [("http", sandbox.plain_base_url().unwrap()), ("https", sandbox.base_url())] {
        let endpoint =
            Endpoint::new(url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap();
        let policy = |reused| RetryPolicy::default().reuse_connections_for_creates(reused);
        let blocking = [true, false].map(|reused| {
            let transport = UreqTransport::builder().ca_certificate(pem).build().unwrap();
            let client = strike_blocking::Client::builder(endpoint.clone()).transport(transport);
            client.retry(policy(reused)).build().unwrap()
        });
        row("blocking", scheme, |which| drop(blocking[which].create(order()).unwrap()));
        let asynchronous = [true, false].map(|reused| {
            let transport = ReqwestTransport::builder().ca_certificate(pem).build().unwrap();
            let client = strike_async::Client::builder(endpoint.clone()).transport(transport);
            client.retry(policy(reused)).build().unwrap()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        row("async", scheme, |which| drop(runtime.block_on(asynchronous[which].create(order())).unwrap()));
    }
}

/// Measures reused connections (0) and new ones (1).
fn row(client: &str, scheme: &str, create: impl Fn(usize)) {
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..=ROUNDS {
        for (which, took) in took.iter_mut().enumerate() {
            let start = Instant::now();
            (0..CREATES).for_each(|_| create(which));
            took.push(start.elapsed() / CREATES);
        }
    }
    let [reused, new] = took.map(|mut rounds| {
        // The first round is a warm-up.
        rounds.remove(0);
        rounds.sort();
        rounds[ROUNDS / 2]
    });
    let micros = |time: Duration| time.as_micros();
    let per_second = 1_000_000 / micros(new).max(1);
    let added = micros(new.saturating_sub(reused));
    println!("| {client} | {scheme} | {} | {} | {added} | {per_second} |", micros(reused), micros(new));
}
