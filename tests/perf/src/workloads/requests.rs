//! Making requests.

use std::hint::black_box;

use strike_core::machine::Operation;
use strike_core::{Create, Get, List};

use super::Workload;
use crate::samples;

pub(super) const ROWS: &[Workload] = &[
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
];

fn create_request(times: usize) {
    let (endpoint, create) = (samples::endpoint(true), Create::new(samples::order()));
    for _ in 0..times {
        black_box(black_box(&create).request(&endpoint).unwrap());
    }
}

fn get_request(times: usize) {
    let (endpoint, get) = (samples::endpoint(true), Get::new(samples::id()));
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
