//! Tests of what a client remembers of the list: it reads less, and misses nothing.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use strike_core::machine::{Machine, Step};
use strike_core::{CoreClient, CreateOnceOptions, Exchange, Now, OrderKey, Reply, RetryPolicy, UnixMillis};

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
    /// The most rows that other processes create during a request, one in three of them late.
    growth: u64,
    /// The most rows that are deleted during a request.
    deletes: u64,
    keys: u64,
    posts: usize,
    requests: usize,
}

impl Account {
    fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            cap: 1000,
            dates: true,
            growth: 0,
            deletes: 0,
            rows: Vec::new(),
            now: START,
            clock: 0,
            keys: 0,
            posts: 0,
            requests: 0,
        }
    }

    fn clock(&self) -> u64 {
        self.now.checked_add_signed(self.clock).unwrap()
    }

    fn new_key(&mut self) -> OrderKey {
        self.keys += 1;
        OrderKey::named(&format!("order-{}", self.keys))
    }

    /// Creates a charge that the list shows after this time, and returns its number.
    fn add(&mut self, customer_id: Option<String>, lag: u64) -> usize {
        let (id, created) = (self.rows.len(), self.clock());
        self.rows.push(Row { id, created, listed: self.now + lag, deleted: false, customer_id });
        id
    }

    /// Another process creates a charge for an order of its own.
    fn add_order(&mut self, lag: u64) -> OrderKey {
        let key = self.new_key();
        self.add(Some(key.customer_id("")), lag);
        key
    }

    /// Other processes create up to so many charges, evenly over this time.
    fn others(&mut self, most: u64, time: u64) {
        for _ in 0..self.rng.u64(..=most) {
            self.now += time / most;
            let lag = if self.rng.u8(..3) == 0 { self.rng.u64(..4 * MINUTE) } else { 0 };
            self.add_order(lag);
        }
    }

    fn delete_one(&mut self) {
        let nth = self.rng.usize(..self.rows.len().max(1));
        if let Some(row) = self.rows.get_mut(nth) {
            row.deleted = true;
        }
    }

    /// Returns the key of a charge in the list, if this one has a key and is listed.
    fn listed_key(&self, row: usize) -> Option<OrderKey> {
        let row = self.rows.get(row).filter(|row| !row.deleted && row.listed <= self.now)?;
        OrderKey::from_customer_id(row.customer_id.as_deref()?).map(|(key, _)| key)
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

    fn serve(&mut self, exchange: &Exchange, now: &mut Now) -> Reply {
        self.requests += 1;
        self.others(self.growth, 0);
        for _ in 0..self.rng.u64(..=self.deletes) {
            self.delete_one();
        }
        let request = &exchange.request;
        let body = if request.method() == "POST" {
            self.posts += 1;
            let mut form = form_urlencoded::parse(request.body());
            let customer_id = form.find(|(key, _)| key == "customer_id").map(|(_, value)| value.into_owned());
            let id = self.add(customer_id, 0);
            Self::json(&self.rows[id])
        } else {
            self.page(request.uri().query().unwrap())
        };
        // The clocks of the client follow the true time.
        *now = clocks(self.now);
        let mut response = respond(200, body.to_string())?;
        if self.dates {
            let time = UnixMillis::from_millis(self.clock()).to_system_time().unwrap();
            let date = httpdate::fmt_http_date(time);
            response.headers_mut().insert("date", date.parse().unwrap());
        }
        Ok(response)
    }

    /// Calls with this key. Returns the result, and the numbers of requests before and with a create.
    fn call(&mut self, client: &CoreClient, once: CreateOnceOptions) -> (String, usize, usize) {
        (self.posts, self.requests) = (0, 0);
        let mut world = Virtual::new();
        world.now = clocks(self.now);
        let mut machine = client.create_once(order().customer_id(""), once);
        let result = world.run(&mut machine, |exchange, now| self.serve(&exchange, now));
        (describe(&result), self.requests - self.posts, self.posts)
    }

    /// Calls with a new key, so that the client remembers the list.
    fn call_new(&mut self, client: &CoreClient, once: fn(OrderKey) -> CreateOnceOptions) -> (usize, usize) {
        let once = once(self.new_key());
        let (_, reads, posts) = self.call(client, once);
        (reads, posts)
    }

    /// Calls with a key since now.
    fn since(&self, key: OrderKey) -> CreateOnceOptions {
        CreateOnceOptions::with_key(key).since(UnixMillis::from_millis(self.now))
    }
}

fn clocks(now: u64) -> Now {
    Now::new(Duration::from_millis(now - START), UnixMillis::from_millis(now))
}

fn client() -> CoreClient {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1)
}

const WHOLE: fn(OrderKey) -> CreateOnceOptions = CreateOnceOptions::with_key;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Other processes create charges that the list shows late and out of order, the server's clock is
    /// set, pages shift, and rows are deleted while the client looks for other orders. It then finds
    /// every charge that the list shows.
    #[test]
    fn a_charge_that_the_list_shows_is_never_created_again(seed in any::<u64>()) {
        let (mut account, mut shop) = (Account::new(seed), client());
        account.cap = [4, 12, 30, 1000][account.rng.usize(..4)];
        account.dates = account.rng.u8(..8) > 0;
        account.others(150, 3 * HOUR);
        for _ in 0..6 {
            if account.rng.bool() {
                shop = client();
            }
            account.growth = account.rng.u64(..3);
            account.deletes = if account.rng.bool() { 4 } else { 0 };
            for _ in 0..account.rng.u8(1..4) {
                // Lag and clock together put a charge at most 9 minutes out of order.
                account.clock = account.rng.i64(-150_000..150_000);
                let key = account.new_key();
                let once = if account.rng.bool() { WHOLE(key) } else { account.since(key) };
                account.call(&shop, once);
                let time = [0, 60_000, 4 * MINUTE, 25 * MINUTE][account.rng.usize(..4)];
                account.others(12, time);
            }
            (account.growth, account.deletes) = (0, 0);
            for _ in 0..6 {
                let recent = account.rows.len() - 1 - account.rng.usize(..account.rows.len().min(40));
                let any = account.rng.usize(..account.rows.len());
                let row = if account.rng.bool() { recent } else { any };
                if let Some(key) = account.listed_key(row) {
                    let is_recent = account.rows[row].created + HOUR > account.clock();
                    let once = if is_recent { account.since(key) } else { WHOLE(key) };
                    let (result, _, posts) = account.call(&shop, once);
                    prop_assert_eq!(posts, 0, "{:?}: {}", &account.rows[row], result);
                }
            }
        }
    }
}

#[test]
fn following_search_reads_only_what_is_newer_than_ten_minutes() {
    for (per_hour, whole, reads) in [(100, false, 1), (1000, false, 1), (10_000, false, 2), (1000, true, 1)] {
        let (mut account, client) = (Account::new(1), client());
        for _ in 0..per_hour * 3 {
            account.now += HOUR / per_hour;
            account.add_order(0);
        }
        for call in 0..5 {
            let key = account.new_key();
            let once = if whole { WHOLE(key) } else { account.since(key) };
            let (_, requests, posts) = account.call(&client, once);
            let is_as_expected = if call == 0 { requests < 30 } else { requests == reads };
            assert!(is_as_expected && posts == 1, "{per_hour} {whole}, call {call}: {requests}, {posts}");
            account.now += 1000;
        }
    }
}

#[test]
fn search_follows_a_server_clock_that_was_set_back() {
    let (mut account, client) = (Account::new(1), client());
    account.clock = i64::try_from(HOUR).unwrap();
    (0..50).for_each(|_| _ = account.add_order(0));
    account.call_new(&client, WHOLE);
    (account.clock, account.now) = (0, account.now + MINUTE);
    let key = account.add_order(0);
    assert_eq!(account.call(&client, WHOLE(key)), ("to pay ch_51".to_owned(), 2, 0));
}

#[test]
fn earlier_since_reads_on_beyond_what_is_remembered() {
    let (mut account, client) = (Account::new(1), client());
    let key = account.add_order(0);
    for _ in 0..100 {
        account.now += 6 * MINUTE;
        account.add_order(0);
    }
    let recent = account.since(account.listed_key(100).unwrap());
    account.call(&client, recent);
    let old = CreateOnceOptions::with_key(key).since(UnixMillis::from_millis(START));
    assert_eq!(account.call(&client, old).0, "to pay ch_0");
}

#[test]
fn unreadable_row_is_not_remembered_as_read() {
    let (mut account, client) = (Account::new(1), client());
    account.add_order(0);
    account.add(None, 0);
    for _ in 0..5 {
        for _ in 0..60 {
            account.now += 10_000;
            account.add_order(0);
        }
        let key = account.new_key();
        assert_eq!(account.call(&client, WHOLE(key)).0, "Undecodable");
    }
}

#[test]
fn searches_at_the_same_time_share_one_look_that_began_after_them() {
    let (mut account, client) = (Account::new(1), client());
    (0..500).for_each(|_| _ = account.add_order(0));
    account.now += HOUR;
    account.add_order(0);
    account.call_new(&client, WHOLE);
    let mut machines: Vec<_> = (0..8)
        .map(|_| {
            let key = account.new_key();
            Some(client.create_once(order().customer_id(""), WHOLE(key)))
        })
        .collect();
    // The first one looks, and the others wait.
    let mut now = clocks(account.now);
    let mut sent: Vec<Option<Exchange>> = (0..8).map(|_| None).collect();
    (account.posts, account.requests) = (0, 0);
    let shown = account.add_order(0);
    for round in 0..20 {
        for (machine, sent) in machines.iter_mut().zip(&mut sent) {
            let Some(running) = machine else { continue };
            if let Some(exchange) = sent.take() {
                running.handle(account.serve(&exchange, &mut now), now);
            }
            match running.poll(now) {
                Step::Send(exchange) => *sent = Some(exchange),
                Step::Wait(wait) => assert!(wait <= Duration::from_millis(10)),
                Step::Done(result) => {
                    assert!(result.is_ok(), "round {round}: {result:?}");
                    *machine = None;
                }
            }
        }
        account.now += 10;
        now = clocks(account.now);
    }
    assert!(machines.iter().all(Option::is_none));
    assert_eq!((account.posts, account.requests - account.posts), (8, 2), "two looks for eight calls");
    assert_eq!(account.call(&client, WHOLE(shown)).2, 0);
}

#[test]
fn search_that_is_dropped_does_not_hold_up_another() {
    let (mut account, client) = (Account::new(1), client());
    account.add_order(0);
    let mut dropped = client.create_once(order(), WHOLE(account.new_key()));
    assert!(matches!(dropped.poll(clocks(START)), Step::Send(_)));
    let mut waiting = client.create_once(order(), WHOLE(account.new_key()));
    assert!(matches!(waiting.poll(clocks(START)), Step::Wait(_)));
    drop(dropped);
    assert!(matches!(waiting.poll(clocks(START + 10)), Step::Send(_)));
    // Without a result of the first look, a third call does not wait for the second one.
    let mut third = client.create_once(order(), WHOLE(account.new_key()));
    assert!(matches!(third.poll(clocks(START + 10)), Step::Send(_)));
}

#[test]
fn search_that_stalls_holds_up_another_for_five_seconds() {
    let (mut account, client) = (Account::new(1), client());
    let mut stalled = client.create_once(order(), WHOLE(account.new_key()));
    assert!(matches!(stalled.poll(clocks(START)), Step::Send(_)));
    let mut waiting = client.create_once(order(), WHOLE(account.new_key()));
    let mut now = START;
    while let Step::Wait(wait) = waiting.poll(clocks(now)) {
        now += u64::try_from(wait.as_millis()).unwrap();
    }
    assert_eq!(now - START, 5000);
}
