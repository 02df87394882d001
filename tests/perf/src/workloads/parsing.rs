//! Parsing responses.

use std::hint::black_box;

use strike_core::machine::Operation;
use strike_core::{Create, Get, List};

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
