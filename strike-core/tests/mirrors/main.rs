//! Tests that a mirror sends only the necessary requests, and can be saved at any time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fetches;
mod histories;
mod states;
#[path = "../support/mod.rs"]
mod support;

use serde_json::json;
use strike_core::mirror::{Mirror, NextRequest, Query};
use strike_core::{
    Charge, CoreClient, Create, Error, Get, NewCharge, Now, OrderKey, Reply, RetryPolicy, UnixMillis,
};
use support::{START, Virtual, charge, endpoint, respond};

const WANTS: [Query; 4] = [Query::Id, Query::Charge, Query::Paid, Query::Update];

fn start() -> UnixMillis {
    UnixMillis::from_millis(START)
}

/// A search goes back to one day before the draft, in case the local clock was ahead.
fn reach() -> UnixMillis {
    start().saturating_sub(std::time::Duration::from_secs(24 * 60 * 60))
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn draft() -> Mirror {
    Mirror::draft(order(), OrderKey::from_entropy(7), start())
}

fn in_doubt() -> Mirror {
    let mut mirror = draft();
    mirror.ask(Query::Id).unwrap();
    mirror
}

fn restored(mirror: &Mirror) -> Mirror {
    serde_json::from_str(&serde_json::to_string(mirror).unwrap()).unwrap()
}

fn known() -> Mirror {
    Mirror::known("ch_1".parse().unwrap())
}

fn pending() -> Mirror {
    Mirror::of(charge(&[]))
}

fn paid_charge() -> Charge {
    charge(&[("paid", json!(true)), ("updated", json!(START))])
}

fn get() -> NextRequest {
    NextRequest::Get("ch_1".parse().unwrap())
}

fn machines() -> CoreClient {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1)
}

/// Returns the error of a create or a get after this reply.
fn failure(create: bool, reply: Reply) -> Error {
    let mut reply = Some(reply);
    let mut server = |_, _: &mut Now| reply.take().unwrap();
    if create {
        Virtual::new().run(&mut machines().call(Create::new(order())), &mut server).unwrap_err()
    } else {
        Virtual::new().run(&mut machines().call(Get::new("ch_1".parse().unwrap())), &mut server).unwrap_err()
    }
}

fn unknown() -> Error {
    failure(true, respond(500, ""))
}
