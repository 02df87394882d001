//! Tests of parsing responses: charges, lists and errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod charges;
mod errors;
mod lists;
mod secrets;
#[path = "../support/mod.rs"]
mod support;

use http::Response;
use serde_json::Value;
use strike_core::machine::Operation;
use strike_core::{Charge, Error, Get, HttpResponse, List, Page};
use support::{endpoint, start};

fn response(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn get(response: &HttpResponse) -> Result<Charge, Error> {
    Get::new("ch_1".parse().unwrap()).parse(&endpoint(), response, start())
}

fn get_json(body: &Value) -> Result<Charge, Error> {
    get(&response(200, body.to_string()))
}

fn list(body: &str) -> Result<Page, Error> {
    List::page(0).parse(&endpoint(), &response(200, body), start())
}
