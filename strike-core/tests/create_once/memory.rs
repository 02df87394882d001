//! Tests of what a client remembers of the list: it reads less, and misses nothing.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use strike_core::{CoreClient, CreateOnceOptions, Now, OrderKey, Reply, RetryPolicy, UnixMillis};

use super::{HOUR, MINUTE, describe, order};
use crate::support::{START, Virtual, charge_json, endpoint, respond};

/// A charge of a simulated account.
#[derive(Debug, Clone)]
struct Row {
    id: usize,
    created: u64,
    /// From this time on the list shows it.
    listed: u64,
    deleted: bool,
    /// `None` if the row is unreadable, without a `customer_id`.
    customer_id: Option<String>,
}

/// An account that other processes use too. Times are milliseconds of its true time.
struct Account {
    rng: fastrand::Rng,
    rows: Vec<Row>,
    now: u64,
    /// How far the server's clock is ahead of the true time.
    clock: i64,
    cap: usize,
    dates: bool,
    /// The most rows that other processes create between two requests.
    growth: u64,
    /// Whether rows are deleted between two requests.
    deletes: bool,
    /// How many creates arrived, and whether a row was deleted, since they were last set.
    posts: usize,
    deleted: bool,
    requests: usize,
}

impl Account {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            cap: [3, 10, 30, 100, 1000][rng.usize(..5)],
            dates: rng.u8(..8) > 0,
            growth: rng.u64(..4),
            deletes: rng.bool(),
            rng,
            rows: Vec::new(),
            now: START,
            clock: 0,
            posts: 0,
            deleted: false,
            requests: 0,
        }
    }

    fn clock(&self) -> u64 {
        self.now.checked_add_signed(self.clock).unwrap()
    }

    fn add(&mut self, customer_id: Option<String>) -> usize {
        // Together with the steps of the clock, a row comes at most 9 minutes after a later one.
        let lag = if self.rng.u8(..4) == 0 { self.rng.u64(..4 * MINUTE) } else { 0 };
        let (id, created) = (self.rows.len(), self.clock());
        self.rows.push(Row { id, created, listed: self.now + lag, deleted: false, customer_id });
        id
    }

    /// Another process creates charges, in the wrong order of time now and then.
    fn others(&mut self, most: u64) {
        for _ in 0..self.rng.u64(..=most) {
            let name = key(self.rng.u64(..60));
            let customer_id = if self.rng.bool() { name.customer_id("") } else { String::new() };
            self.add(Some(customer_id));
        }
    }

    fn delete_one(&mut self) {
        let noise = |row: &&mut Row| row.customer_id.as_deref() == Some("") && !row.deleted;
        let nth = self.rng.usize(..self.rows.len().max(1));
        if let Some(row) = self.rows.iter_mut().rev().filter(noise).nth(nth % 40) {
            (row.deleted, self.deleted) = (true, true);
        }
    }

    /// Returns true if the list shows a charge of the key that was created at this time or later.
    fn shows(&self, key: OrderKey, oldest: u64) -> bool {
        self.rows.iter().any(|row| {
            let customer_id = row.customer_id.as_deref().unwrap_or_default();
            let of_key = OrderKey::from_customer_id(customer_id).is_some_and(|(own, _)| own == key);
            of_key && !row.deleted && row.listed <= self.now && row.created >= oldest
        })
    }

    fn json(row: &Row) -> Value {
        let customer_id = row.customer_id.as_deref();
        let mut fields = vec![
            ("id", json!(format!("ch_{}", row.id))),
            ("payment_hash", json!(format!("{:064x}", row.id))),
            ("created", json!(row.created)),
            ("updated", json!(row.created)),
            ("customer_id", json!(customer_id)),
        ];
        if customer_id.is_none() {
            fields.extend([("customer_id", json!(7)), ("amount", json!("unreadable"))]);
        }
        charge_json(&fields)
    }

    fn page(&self, query: &str) -> Value {
        let number = |name: &str| -> usize {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).unwrap().1.parse().unwrap()
        };
        let size = number("size").min(self.cap);
        let mut shown: Vec<&Row> =
            self.rows.iter().filter(|row| !row.deleted && row.listed <= self.now).collect();
        shown.sort_by_key(|row| std::cmp::Reverse((row.created, row.id)));
        shown.into_iter().skip(number("page") * size).take(size).map(Self::json).collect()
    }

    fn serve(&mut self, exchange: &strike_core::Exchange, now: &mut Now) -> Reply {
        self.requests += 1;
        let passes = Duration::from_millis(self.rng.u64(1..100));
        now.monotonic += passes;
        now.unix = now.unix.saturating_add(passes);
        self.now += u64::try_from(passes.as_millis()).unwrap();
        self.others(self.growth);
        if self.deletes && self.rng.u8(..3) == 0 {
            self.delete_one();
        }
        let request = &exchange.request;
        let body = if request.method() == "POST" {
            self.posts += 1;
            let mut form = form_urlencoded::parse(request.body());
            let customer_id = form.find(|(key, _)| key == "customer_id").map(|(_, value)| value.into_owned());
            let id = self.add(customer_id);
            Self::json(&self.rows[id])
        } else {
            self.page(request.uri().query().unwrap())
        };
        let mut response = respond(200, body.to_string())?;
        if self.dates {
            let date = jiff::Timestamp::from_millisecond(i64::try_from(self.clock()).unwrap()).unwrap();
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
            response.headers_mut().insert("date", date.parse().unwrap());
        }
        Ok(response)
    }
}

fn key(number: u64) -> OrderKey {
    OrderKey::named(&format!("order-{number}"))
}

fn client() -> CoreClient {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Other processes create charges that the list shows late and out of order. Pages shift, rows are
    /// deleted or unreadable, and the server's clock is set. If the list shows a charge of the order
    /// when a call begins, the call does not create another.
    #[test]
    fn a_charge_that_the_list_shows_is_never_created_again(seed in any::<u64>()) {
        let mut account = Account::new(seed);
        let (mut world, client) = (Virtual::new(), client());
        for step in 0..40 {
            match account.rng.u8(..10) {
                0 => account.others(40),
                1 => (0..account.rng.u8(..10)).for_each(|_| account.delete_one()),
                2 => account.clock = account.rng.i64(-150_000..150_000),
                3 if account.rng.u8(..6) == 0 => _ = account.add(None),
                3..6 => {
                    let most = [20_000, 20 * MINUTE, 3 * HOUR][account.rng.usize(..3)];
                    let time = Duration::from_millis(account.rng.u64(..most));
                    world.advance(time);
                    account.now += u64::try_from(time.as_millis()).unwrap();
                }
                _ => {
                    let key = key(account.rng.u64(..60));
                    let since = match account.rng.u8(..4) {
                        0 => None,
                        1 => Some(account.now - account.rng.u64(..8) * HOUR),
                        _ => Some(account.now),
                    };
                    let once = CreateOnceOptions::with_key(key);
                    let once = since.map_or(once, |since| once.since(UnixMillis::from_millis(since)));
                    // The clocks differ by less than five minutes.
                    let oldest = since.map_or(0, |since| since.min(account.now - 2 * HOUR + 5 * MINUTE));
                    let is_shown = account.shows(key, oldest);
                    (account.posts, account.deleted) = (0, false);
                    let mut machine = client.create_once(order().customer_id(""), once);
                    let result = world.run(&mut machine, |exchange, now| account.serve(&exchange, now));
                    // A row that is deleted while pages are read can hide others from this call.
                    if is_shown && !account.deleted {
                        prop_assert_eq!(account.posts, 0, "step {}: {:?}", step, describe(&result));
                    }
                }
            }
        }
    }
}
