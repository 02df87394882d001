//! Requests a second over HTTP, beside a bare hyper server that sends the same bytes.

use strike_sandbox::RunningSandbox;

use crate::client::{Call, Connections};
use crate::{bare, median, row};

const CONNECTIONS: usize = 8;
/// Of two servers each, in the order ABBA.
const BLOCKS: usize = 10;

pub(crate) fn measure(sandbox: &RunningSandbox) {
    let charges = sandbox.charges();
    let get = format!("/api/v1/charges/{}", sandbox.list_all()[charges / 2].id());
    for (name, call, count, bar) in [
        ("get", Call::get(&get), 4000, ">= 0.90"),
        ("page of 30", Call::get("/api/v1/charges?size=30"), 2000, ">= 0.85"),
        ("page of 100", Call::get("/api/v1/charges?size=100"), 1000, ">= 0.85"),
        ("create", Call::create(), 2000, ">= 0.50"),
    ] {
        let bare = bare::serve(sandbox.respond(&call.in_memory()));
        let mut ours = Connections::open(sandbox.address(), CONNECTIONS);
        let mut theirs = Connections::open(bare, CONNECTIONS);
        let mut blocks = Vec::new();
        for block in 0..=BLOCKS {
            let a = ours.send(&call, count);
            let (b1, b2) = (theirs.send(&call, count), theirs.send(&call, count));
            let a = f64::midpoint(a, ours.send(&call, count));
            // The first block warms up both servers.
            if block > 0 {
                blocks.push((a, f64::midpoint(b1, b2)));
            }
        }
        let ratio = median(blocks.iter().map(|(a, b)| a / b).collect());
        let (a, b) = (blocks.iter().map(|it| it.0).collect(), blocks.iter().map(|it| it.1).collect());
        row(
            &format!("{name}, with {charges} charges: sandbox / bare hyper, per second"),
            &format!("{:.0} / {:.0} = {ratio:.2}", median(a), median(b)),
            bar,
        );
    }
}
