//! Parsing responses.

use std::hint::black_box;

use strike_core::machine::{Machine, Operation, Step};
use strike_core::{CoreClient, Create, Get, List, Now, RetryPolicy};

use super::Workload;
use crate::samples;

/// How many charges a page has.
const PAGE: usize = 100;

pub(super) const ROWS: &[Workload] = &[
    Workload {
        name: "parse-charge",
        unit: "parse one charge",
        run: parse_charge,
        units: 1,
        bars: ("5000", "2"),
    },
    Workload {
        name: "parse-page",
        unit: "parse a page of 100 charges, for each charge",
        run: parse_page,
        units: PAGE,
        bars: ("5000", "2.1"),
    },
    Workload {
        name: "scan-page",
        unit: "scan a page of 100 charges for a watcher, 2 of them watched, for each charge",
        run: scan_page,
        units: PAGE,
        bars: ("4000", "0.1"),
    },
    Workload {
        name: "parse-created",
        unit: "parse a new charge, and check its invoice",
        run: parse_created,
        units: 1,
        bars: ("none", "none"),
    },
    Workload {
        name: "parse-created-unchecked",
        unit: "parse a new charge, without that check",
        run: parse_created_unchecked,
        units: 1,
        bars: ("none", "none"),
    },
];

fn parse_charge(times: usize) {
    let (endpoint, get) = (samples::endpoint(true), Get::new(samples::id()));
    let response = samples::response(samples::charge_json(0));
    for _ in 0..times {
        black_box(get.parse(&endpoint, black_box(&response), samples::now()).unwrap());
    }
}

fn parse_page(times: usize) {
    let (endpoint, list) = (samples::endpoint(true), List::page(0));
    let response = samples::page(PAGE);
    for _ in 0..times {
        black_box(list.parse(&endpoint, black_box(&response), samples::now()).unwrap());
    }
}

/// With one request for each page: the time goes on until the watcher reads it again.
fn scan_page(times: usize) {
    let client = CoreClient::new(samples::endpoint(true), RetryPolicy::never(), 1);
    let mut watcher = client.watcher().page_size(100);
    for number in [0, PAGE - 1] {
        watcher.add(&samples::charge(number));
    }
    let (page, mut now, mut scanned) = (samples::page(PAGE), samples::now(), 0);
    while scanned < times {
        let mut next = watcher.next();
        match next.poll(now) {
            Step::Send(exchange) => {
                assert!(exchange.request.uri().query().is_some(), "a charge was read alone");
                next.handle(Ok(page.clone()), now);
                scanned += 1;
            }
            Step::Wait(wait) => now = Now::new(now.monotonic + wait, now.unix.saturating_add(wait)),
            Step::Done(event) => panic!("no charge is paid: {event:?}"),
        }
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
        black_box(create.parse(&endpoint, black_box(&response), samples::now()).unwrap());
    }
}
