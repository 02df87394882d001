//! Every machine through every short sequence of replies and clocks: the contract of `machine.rs` holds in all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "it says how much it explored")]

mod calls;
mod create_once;
mod path;
mod play;
mod streams;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::{Charge, Endpoint, NewCharge, OrderKey, Reply, RetryPolicy};
use support::invoices::written;
use support::{answer, charge_json, endpoint};

/// What may come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    /// What the API promises: made, unpaid, or a page without the order's charge.
    Good,
    Paid,
    /// Another charge than was asked for; in a list, the order's own, unpaid.
    Other,
    Status(u16),
    Limited,
    Html,
    Unsent,
    Closed,
    Timeout,
    /// Polled instead of told.
    Lost,
    /// Told twice: the second says that it is paid.
    Twice,
    /// Good, but the clocks were set back meanwhile.
    Back,
    /// Time ran out, and the clocks say that it took weeks.
    Weeks,
}

const ALL: [Letter; 19] = [
    Letter::Good,
    Letter::Paid,
    Letter::Other,
    Letter::Status(302),
    Letter::Status(400),
    Letter::Status(401),
    Letter::Status(404),
    Letter::Status(408),
    Letter::Status(429),
    Letter::Limited,
    Letter::Status(500),
    Letter::Html,
    Letter::Unsent,
    Letter::Closed,
    Letter::Timeout,
    Letter::Lost,
    Letter::Twice,
    Letter::Back,
    Letter::Weeks,
];

/// One of each sort, to go deeper.
const FEW: [Letter; 6] =
    [Letter::Good, Letter::Paid, Letter::Status(401), Letter::Unsent, Letter::Timeout, Letter::Lost];

impl Letter {
    /// Whether a create that was answered like this may have made a charge.
    fn may_have_acted(self) -> bool {
        match self {
            Self::Status(status) => status == 408 || status == 500,
            Self::Limited | Self::Unsent => false,
            _ => true,
        }
    }
}

/// What is known about a machine, for judging it.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// It can be told to create again, once, after two looks.
    repost: bool,
    /// It ends, and then says so; a stream goes on.
    ends: bool,
    /// It holds moments of the monotonic clock: set back, it waits for them.
    holds_moments: bool,
    letters: &'static [Letter],
    /// How many of the ways to wait are tried; the first is to wait just as long as was asked.
    waits: usize,
}

const USUAL: Rules = Rules { repost: false, ends: true, holds_moments: false, letters: &ALL, waits: 5 };

/// Fewer letters, more choices.
const DEEP: Rules = Rules { letters: &FEW, waits: 2, ..USUAL };

const HOUR: Duration = Duration::from_secs(3600);

thread_local! {
    static AT: Endpoint = endpoint();
    static INVOICE: String = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(600));
}

fn at() -> Endpoint {
    AT.with(Clone::clone)
}

fn key() -> OrderKey {
    OrderKey::named("order-17")
}

fn row(id: &str, paid: bool) -> Value {
    charge_json(&[
        ("id", json!(id)),
        ("paid", json!(paid)),
        ("payment_request", json!(INVOICE.with(Clone::clone))),
        ("customer_id", json!(key().customer_id(""))),
    ])
}

fn charge(id: &str) -> Charge {
    serde_json::from_value(row(id, false)).unwrap()
}

fn paid_charge() -> Reply {
    answer(200, row("ch_1", true).to_string())
}

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}
