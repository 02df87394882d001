//! One function for each row of the table. Each does its work `times` times.

use std::hint::black_box;
use std::time::Duration;

use strike_core::machine::Operation;
use strike_core::{ChargeId, Create, Get, List, Now, UnixMillis};

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
    /// The most instructions and allocations that a unit should need.
    pub bars: (&'static str, &'static str),
}

pub const ALL: &[Workload] = &[
    Workload {
        name: "create-request",
        unit: "make a create request",
        run: create_request,
        units: 1,
        bars: ("2500", "3"),
    },
    Workload {
        name: "get-request",
        unit: "make a get request",
        run: get_request,
        units: 1,
        bars: ("2500", "3"),
    },
    Workload {
        name: "list-request",
        unit: "make a list request",
        run: list_request,
        units: 1,
        bars: ("2500", "3"),
    },
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

fn now() -> Now {
    Now::new(Duration::ZERO, UnixMillis::from_millis(1_700_000_001_000))
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

fn id() -> ChargeId {
    samples::charge(0).id().clone()
}
