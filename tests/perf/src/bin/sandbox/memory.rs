//! The sandbox without sockets: memory per charge, and time per request with more and more charges.

use std::time::Instant;

use strike_sandbox::Sandbox;

use crate::client::Call;
use crate::{MEMORY, median, row};

/// Of each figure.
const SAMPLES: usize = 501;

/// Measures up to this many charges.
pub(crate) fn measure(charges: usize) {
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).build();
    let before = MEMORY.current_usage();
    row("life of a charge in memory (create, get, pay, get), per second", &lives(), "keep");
    let mut count = 1_000;
    while count <= charges {
        let create = Call::create().in_memory();
        while sandbox.charges() < count {
            let _ = sandbox.respond(&create);
        }
        let each = (MEMORY.current_usage() - before) / count;
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
        row(&format!("memory of a charge, of {count}"), &format!("{each} bytes"), "560 bytes");
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
        count *= 10;
    }
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
