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
        unit: "scan a listed charge that nobody watches",
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

/// A watcher reads one page, with `times` times the rows of a usual one, between two charges that it
/// watches.
fn scan_page(times: usize) {
    let policy = RetryPolicy::never().max_body(1 << 30);
    let mut watcher = CoreClient::new(samples::endpoint(true), policy, 1).watcher();
    let (row, rows) = (samples::charge_json(2), times * PAGE);
    let mut body = String::with_capacity(row.len() * (rows + 4));
    body.push('[');
    body.push_str(&samples::charge_json(0));
    for _ in 0..rows {
        body.push(',');
        body.push_str(&row);
    }
    body.push(',');
    body.push_str(&samples::charge_json(1));
    body.push(']');
    for number in 0..2 {
        watcher.add(&samples::charge(number));
    }
    let (mut page, mut now) = (Some(samples::response(body)), samples::now());
    while let Some(response) = page.take() {
        let mut next = watcher.next();
        match next.poll(now) {
            Step::Send(exchange) => {
                assert!(exchange.request.uri().query().is_some(), "a charge was read alone");
                next.handle(Ok(response), now);
                assert!(matches!(next.poll(now), Step::Wait(_)));
            }
            Step::Wait(wait) => {
                now = Now::new(now.monotonic + wait, now.unix.saturating_add(wait));
                page = Some(response);
            }
            Step::Done(_) => unreachable!("no charge is paid"),
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
