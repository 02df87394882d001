//! Runs every machine through all short sequences of replies and clock changes, and checks the
//! contract of `Machine` in each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "prints the number of sequences")]

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
use support::{charge_json, endpoint, respond};

/// A possible result of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReplyKind {
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

const ALL: [ReplyKind; 19] = [
    ReplyKind::Good,
    ReplyKind::Paid,
    ReplyKind::Other,
    ReplyKind::Status(302),
    ReplyKind::Status(400),
    ReplyKind::Status(401),
    ReplyKind::Status(404),
    ReplyKind::Status(408),
    ReplyKind::Status(429),
    ReplyKind::Limited,
    ReplyKind::Status(500),
    ReplyKind::Html,
    ReplyKind::Unsent,
    ReplyKind::Closed,
    ReplyKind::Timeout,
    ReplyKind::Lost,
    ReplyKind::Twice,
    ReplyKind::Back,
    ReplyKind::Weeks,
];

/// One result of each kind, for longer sequences.
const FEW: [ReplyKind; 6] = [
    ReplyKind::Good,
    ReplyKind::Paid,
    ReplyKind::Status(401),
    ReplyKind::Unsent,
    ReplyKind::Timeout,
    ReplyKind::Lost,
];

impl ReplyKind {
    /// Returns true if a create with this result may have created a charge.
    fn may_have_created(self) -> bool {
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
    stores_times: bool,
    kinds: &'static [ReplyKind],
    /// How many kinds of waiting are tried. The first is to wait exactly as long as requested.
    waits: usize,
}

const USUAL: Rules = Rules { repost: false, ends: true, stores_times: false, kinds: &ALL, waits: 5 };

/// Fewer kinds of results, for longer sequences.
const DEEP: Rules = Rules { kinds: &FEW, waits: 2, ..USUAL };

const HOUR: Duration = Duration::from_secs(3600);

thread_local! {
    static ENDPOINT: Endpoint = endpoint();
    static INVOICE: String = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(600));
}

fn shared_endpoint() -> Endpoint {
    ENDPOINT.with(Clone::clone)
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
    respond(200, row("ch_1", true).to_string())
}

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}
