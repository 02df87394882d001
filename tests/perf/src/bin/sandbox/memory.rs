//! The sandbox without sockets: memory per charge, and time per request with more and more charges.

use std::time::Instant;

use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use strike_sandbox::Sandbox;

use crate::client::Call;
use crate::{median, row};

/// Of each figure.
const SAMPLES: usize = 501;

/// Adds charges until there are `count`, and measures. `before` is the memory without any.
pub(crate) fn grow(sandbox: &Sandbox, count: usize, before: usize) {
    let create = Call::create().in_memory();
    while sandbox.charges() < count {
        let _ = sandbox.respond(&create);
    }
    let each = resident().saturating_sub(before) / count;
    let oldest = sandbox.list_all()[count - 1].id().to_string();
    let time = |call: Call| {
        let request = call.in_memory();
        let sample = || {
            let start = Instant::now();
            assert_eq!(sandbox.respond(&request).status(), 200);
            start.elapsed().as_secs_f64() * 1e6
        };
        format!("{:.1}", median((0..SAMPLES).map(|_| sample()).collect()))
    };
    let page = |path: &str, page: usize| time(Call::get(&format!("{path}?size=30&page={page}")));
    let last = count / 30 - 1;
    row(&format!("resident memory of a charge, of {count}"), &format!("{each} bytes"), "700 bytes");
    row(
        &format!("in memory with {count} charges, us: get, first page, last page, dashboard, create"),
        &[
            time(Call::get(&format!("/api/v1/charges/{oldest}"))),
            page("/api/v1/charges", 0),
            page("/api/v1/charges", last),
            page("/sandbox/charges", 0),
            time(Call::create()),
        ]
        .join(", "),
        "the same in each row",
    );
}

/// Measures what does not depend on the number of charges.
pub(crate) fn measure() {
    row("life of a charge in memory (create, get, pay, get), per second", &lives(), "keep");
    row("signature of an invoice, of a create in memory, us", &signature(), "none");
}

/// Returns the resident memory of this process in bytes.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Returns the time of the signature alone, and of the create that contains one.
fn signature() -> String {
    let (secp, key) = (Secp256k1::signing_only(), SecretKey::from_slice(&[7; 32]).unwrap());
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).build();
    let create = Call::create().in_memory();
    let time = |work: &dyn Fn(u8)| {
        let sample = |byte| {
            let start = Instant::now();
            (0..20).for_each(|_| work(byte));
            start.elapsed().as_secs_f64() * 1e6 / 20.0
        };
        format!("{:.1}", median((0..=u8::MAX).map(sample).collect()))
    };
    let sign = |byte| {
        std::hint::black_box(secp.sign_ecdsa_recoverable(&Message::from_digest([byte; 32]), &key));
    };
    let create = |_| drop(sandbox.respond(&create));
    format!("{} of {}", time(&sign), time(&create))
}

fn lives() -> String {
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).build();
    let mut rates = Vec::new();
    for _ in 0..11 {
        let start = Instant::now();
        for _ in 0..1_000 {
            let charge = sandbox.respond(&Call::create().in_memory()).into_body();
            let charge = String::from_utf8(charge).unwrap();
            let id = charge.split('"').nth(3).unwrap();
            let get = Call::get(&format!("/api/v1/charges/{id}")).in_memory();
            for request in [&get, &Call::pay(id).in_memory(), &get] {
                assert_eq!(sandbox.respond(request).status(), 200);
            }
        }
        rates.push(1_000.0 / start.elapsed().as_secs_f64());
    }
    format!("{:.0}", median(rates))
}
