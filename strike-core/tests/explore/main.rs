//! Runs every machine through all short sequences of replies and clock changes, and checks the
//! contract of `Machine` in each.
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

/// A possible result of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    /// The documented response: a created or unpaid charge, or a page without the order's charge.
    Good,
    Paid,
    /// A different charge. In a list: the order's charge, unpaid.
    Other,
    Status(u16),
    Limited,
    Html,
    Unsent,
    Closed,
    Timeout,
    /// The machine is polled without a reply.
    Lost,
    /// Two replies. The second says that the charge is paid.
    Twice,
    /// Like `Good`, but the clocks are set back during the request.
    Back,
    /// A timeout after several weeks.
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

/// One result of each kind, for longer sequences.
const FEW: [Letter; 6] =
    [Letter::Good, Letter::Paid, Letter::Status(401), Letter::Unsent, Letter::Timeout, Letter::Lost];

impl Letter {
    /// Returns true if a create with this result may have created a charge.
    fn may_have_acted(self) -> bool {
        match self {
            Self::Status(status) => status == 408 || status == 500,
            Self::Limited | Self::Unsent => false,
            _ => true,
        }
    }
}

/// What the checks may assume about a machine.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// It may send a second create after two searches.
    repost: bool,
    /// It ends, and then returns `Finished`. Streams do not end.
    ends: bool,
    /// It stores times of the monotonic clock, and waits for them if the clock is set back.
    holds_moments: bool,
    letters: &'static [Letter],
    /// How many kinds of waiting are tried. The first is to wait exactly as long as requested.
    waits: usize,
}

const USUAL: Rules = Rules { repost: false, ends: true, holds_moments: false, letters: &ALL, waits: 5 };

/// Fewer kinds of results, for longer sequences.
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
