//! One function for each row of the table. Each does its work `times` times.

use std::hint::black_box;
use std::time::Duration;

use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    ChargeId, CoreClient, Create, Get, List, Now, RetryPolicy, Schedule, UnixMillis, Watcher,
};

use crate::samples;

/// How many charges a page has.
const PAGE: usize = 100;

/// A row of the table.
pub struct Workload {
    pub name: &'static str,
    /// What one unit of work is.
    pub unit: &'static str,
    pub run: fn(usize),
    /// Units of work in one call.
    pub units: usize,
}

pub const ALL: &[Workload] = &[
    Workload { name: "create-request", unit: "make a create request", run: create_request, units: 1 },
    Workload { name: "get-request", unit: "make a get request", run: get_request, units: 1 },
    Workload { name: "list-request", unit: "make a list request", run: list_request, units: 1 },
    Workload { name: "parse-charge", unit: "parse one charge", run: parse_charge, units: 1 },
    Workload { name: "parse-page", unit: "parse a page of 100, for each charge", run: parse_page, units: PAGE },
    Workload { name: "scan-page", unit: "scan a listed charge that nobody watches", run: scan_page, units: PAGE },
    Workload { name: "parse-created", unit: "parse a new charge, with the check of its invoice", run: parse_created, units: 1 },
    Workload { name: "parse-created-unchecked", unit: "parse a new charge, without that check", run: parse_created_unchecked, units: 1 },
];

fn now() -> Now {
    at(0)
}

fn at(millis: u64) -> Now {
    Now::new(Duration::from_millis(millis), UnixMillis::from_millis(1_700_000_001_000 + millis))
}

fn create_request(times: usize) {
    let (endpoint, create) = (samples::endpoint(true), Create::new(samples::order()));
    for _ in 0..times {
        black_box(black_box(&create).request(&endpoint).unwrap());
    }
}

fn get_request(times: usize) {
    let (endpoint, get) = (samples::endpoint(true), Get::new(id()));
    for _ in 0..times {
        black_box(black_box(&get).request(&endpoint).unwrap());
    }
}

fn list_request(times: usize) {
    let (endpoint, list) = (samples::endpoint(true), List::page(3));
    for _ in 0..times {
        black_box(black_box(&list).request(&endpoint).unwrap());
    }
}

fn parse_charge(times: usize) {
    let (endpoint, get) = (samples::endpoint(true), Get::new(id()));
    let response = samples::response(samples::charge_json(0));
    for _ in 0..times {
        black_box(get.parse(&endpoint, black_box(&response), now()).unwrap());
    }
}

fn parse_page(times: usize) {
    let (endpoint, list) = (samples::endpoint(true), List::page(0));
    let response = samples::page(PAGE);
    for _ in 0..times {
        black_box(list.parse(&endpoint, black_box(&response), now()).unwrap());
    }
}

fn parse_created(times: usize) {
    created(times, true);
}

fn parse_created_unchecked(times: usize) {
    created(times, false);
}

fn created(times: usize, checks_invoices: bool) {
    let (endpoint, create) = (samples::endpoint(checks_invoices), Create::new(samples::order()));
    let response = samples::response(samples::charge_json(0));
    for _ in 0..times {
        black_box(create.parse(&endpoint, black_box(&response), now()).unwrap());
    }
}

/// Polls a watcher of charges that are on no page, and gives it pages of other charges.
fn scan_page(times: usize) {
    let client = CoreClient::new(samples::endpoint(true), RetryPolicy::default(), 7);
    let mut watcher: Watcher =
        client.watcher().schedule(Schedule::every(Duration::from_secs(1))).request_interval(Duration::ZERO);
    for number in 1_000..1_100 {
        watcher.add(&samples::charge(number));
    }
    let page = samples::page(PAGE);
    let (mut clock, mut pages) = (0, 0);
    while pages < times {
        let mut next = watcher.next();
        match next.poll(at(clock)) {
            Step::Send(exchange) => {
                let is_list = exchange.operation == "list charges";
                let reply = if is_list {
                    pages += 1;
                    page.clone()
                } else {
                    http::Response::builder().status(503).body(Vec::new()).unwrap()
                };
                next.handle(Ok(reply), at(clock));
            }
            Step::Wait(wait) => clock += u64::try_from(wait.as_millis()).unwrap().max(1),
            Step::Done(result) => drop(black_box(result)),
        }
    }
}

fn id() -> ChargeId {
    samples::charge(0).id().clone()
}
