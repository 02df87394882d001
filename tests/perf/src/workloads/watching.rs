//! Watching charges.

use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{CoreClient, Now, RetryPolicy, Schedule};

use super::Workload;
use crate::samples;

/// How many charges are watched. A page has them all.
const WATCHED: usize = 100;

pub(super) const ROWS: &[Workload] = &[Workload {
    name: "watch-page",
    unit: "read a page of 100 watched charges, for each charge",
    run: watch_page,
    units: WATCHED,
    bars: ("none", "none"),
}];

fn watch_page(times: usize) {
    let client = CoreClient::new(samples::endpoint(true), RetryPolicy::default(), 7);
    let interval = Duration::from_millis(10);
    let mut watcher = client.watcher().schedule(Schedule::every(interval));
    (0..WATCHED).for_each(|number| watcher.add(&samples::charge(number)));
    let response = samples::page(WATCHED);
    let mut now = samples::now();
    for _ in 0..times {
        let Step::Wait(_) = watcher.next().poll(now) else { panic!("nothing is due") };
        now = Now::new(now.monotonic + 2 * interval, now.unix.saturating_add(2 * interval));
        let Step::Send(_) = watcher.next().poll(now) else { panic!("all charges are due") };
        watcher.next().handle(Ok(response.clone()), now);
    }
}
