//! Tests of several requests in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use strike_core::machine::{Machine, SharedWatcher, Step};
use strike_core::{Exchange, Reply, RetryPolicy, Schedule, Watcher};

use super::{describe, id, insert, is_page, limited, read, seconds, watcher};
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual, endpoint, respond};

/// A watcher that is driven in several lanes.
struct Lanes {
    watcher: Watcher,
    host: Host,
    world: Virtual,
    /// The exchange of each lane that has one.
    in_flight: BTreeMap<usize, Exchange>,
    requests: usize,
    /// Each charge that has ended, and how.
    ended: BTreeMap<String, String>,
    errors: Vec<String>,
    /// A reply has shown a failure, and no request has begun since.
    has_failed: bool,
}

impl Lanes {
    fn new(watcher: Watcher, charges: usize) -> Self {
        let (mut host, mut watcher) = (Host::new(), watcher);
        for _ in 0..charges {
            watcher.add(&insert(&mut host, 600));
        }
        let (world, in_flight, ended) = (Virtual::new(), BTreeMap::new(), BTreeMap::new());
        Self { watcher, host, world, in_flight, requests: 0, ended, errors: Vec::new(), has_failed: false }
    }

    /// Polls a lane. Returns its wait, if it waits.
    fn poll(&mut self, lane: usize) -> Option<Duration> {
        match self.watcher.lane(lane).poll(self.world.now) {
            Step::Wait(wait) => return Some(wait),
            Step::Send(exchange) => {
                let target = |exchange: &Exchange| exchange.request.uri().clone();
                let is_twice = self.in_flight.values().any(|other| target(other) == target(&exchange));
                assert!(!is_twice, "{} is read twice at the same time", target(&exchange));
                assert!(
                    !self.has_failed || self.in_flight.is_empty(),
                    "a request begins beside others after a failure"
                );
                self.has_failed = false;
                self.requests += 1;
                assert!(self.in_flight.insert(lane, exchange).is_none());
            }
            Step::Done(Ok(None)) => {}
            Step::Done(result @ Ok(Some(_))) => {
                let event = describe(result);
                let (id, end) = event.split_once(' ').unwrap();
                assert_eq!(self.ended.insert(id.to_owned(), end.to_owned()), None, "{id} had two events");
                assert_eq!(end == "paid", read(&self.host, id).is_paid(), "{id} {end}");
            }
            Step::Done(result) => self.errors.push(describe(result)),
        }
        None
    }

    /// Polls all idle lanes until they wait. Returns the shortest wait.
    fn poll_all(&mut self, lanes: usize) -> Duration {
        loop {
            let idle: Vec<_> = (0..lanes).filter(|lane| !self.in_flight.contains_key(lane)).collect();
            let waits: Vec<_> = idle.iter().map(|lane| self.poll(*lane)).collect();
            if self.watcher.is_empty() || waits.iter().all(Option::is_some) {
                return waits.into_iter().flatten().min().unwrap_or(Duration::MAX);
            }
        }
    }

    /// Ends the exchange of a lane with this reply, or with that of the host.
    fn reply(&mut self, lane: usize, reply: Option<Reply>) {
        let Some(exchange) = self.in_flight.remove(&lane) else { return };
        let reply = reply.unwrap_or_else(|| self.host.serve(&exchange, self.world.now).unwrap());
        let is_failure = !matches!(&reply, Ok(response) if response.status().is_success());
        self.watcher.lane(lane).handle(reply, self.world.now);
        self.take_reply(lane);
        self.has_failed |= is_failure && !self.in_flight.contains_key(&lane);
    }

    /// Polls a lane until it has taken its reply. Queued events come first.
    fn take_reply(&mut self, lane: usize) {
        let mut ended = None;
        while ended != Some(self.ended.len()) && !self.in_flight.contains_key(&lane) {
            ended = Some(self.ended.len());
            self.poll(lane);
        }
    }

    /// Runs all lanes until each charge has ended. Every exchange takes 50 ms.
    fn run(&mut self, lanes: usize) {
        for _ in 0..20_000 {
            let wait = self.poll_all(lanes);
            if self.watcher.is_empty() {
                return;
            }
            self.world.advance(wait.min(Duration::from_millis(50)));
            for lane in self.in_flight.keys().copied().collect::<Vec<_>>() {
                self.reply(lane, None);
            }
        }
        panic!("{} charges are still pending", self.watcher.len());
    }

    fn pay(&mut self, charges: std::ops::RangeInclusive<usize>) {
        charges.for_each(|n| self.host.pay(&format!("ch_{n}"), START));
    }
}

/// A watcher whose requests may begin at the same moment.
fn eager() -> Watcher {
    watcher().request_interval(Duration::ZERO).max_in_flight(4)
}

#[test]
fn number_of_requests_in_flight_is_limited() {
    for (requests, lanes) in [(0, 1), (1, 1), (8, 8), (u32::MAX, 1_024)] {
        let watcher = SharedWatcher::new(watcher().max_in_flight(requests), || ());
        assert_eq!(watcher.lanes().len(), lanes);
    }
}

#[test]
fn pages_beyond_the_first_are_read_at_the_same_time() {
    let mut lanes = Lanes::new(eager(), 150);
    lanes.host.cap = 30;
    let wait = lanes.poll_all(4);
    assert_eq!(wait, seconds(1));
    lanes.world.advance(wait);
    // The size of a page is unknown, so no other page can be read yet.
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 1);
    lanes.reply(0, None);
    lanes.poll_all(4);
    let targets: BTreeSet<_> =
        lanes.in_flight.values().map(|exchange| exchange.request.uri().query().unwrap().to_owned()).collect();
    let expected: BTreeSet<_> = (1..=4).map(|page| format!("page={page}&size=30")).collect();
    assert_eq!(targets, expected);
    for lane in [2, 0, 3, 1] {
        lanes.reply(lane, None);
    }
    assert!(lanes.poll_all(4) > Duration::from_millis(500), "everything was read");
    assert_eq!(lanes.requests, 5);
}

#[test]
fn charges_of_a_page_that_lacks_them_are_read_alone() {
    let mut lanes = Lanes::new(eager(), 20);
    lanes.world.advance(seconds(1));
    lanes.poll_all(4);
    lanes.world.advance(seconds(1));
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 1, "the others wait for the page");
    lanes.pay(1..=20);
    lanes.reply(0, Some(respond(200, "[]")));
    lanes.poll_all(4);
    assert!(lanes.in_flight.len() == 4 && !lanes.in_flight.values().any(is_page));
    lanes.run(4);
    assert_eq!((lanes.ended.len(), lanes.requests), (20, 21));
}

#[test]
fn rate_limit_leaves_one_request_in_flight_and_successes_allow_more() {
    let schedule = Schedule::every(Duration::from_millis(10));
    let mut lanes = Lanes::new(eager().schedule(schedule), 40);
    lanes.host.lists = [Fault::Before(500); 1000].into();
    let most = |lanes: &mut Lanes| {
        lanes.poll_all(4);
        let most = lanes.in_flight.len();
        for lane in lanes.in_flight.keys().copied().collect::<Vec<_>>() {
            lanes.reply(lane, None);
        }
        lanes.world.advance(Duration::from_millis(50));
        most
    };
    while most(&mut lanes) < 4 {}
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 4);
    let limited_at = lanes.world.now.monotonic;
    for lane in 0..4 {
        lanes.reply(lane, Some(limited(429, "7")));
    }
    let mut grown = Vec::new();
    while grown.last() != Some(&4) {
        let now = most(&mut lanes);
        if grown.is_empty() && now > 0 {
            assert!(lanes.world.now.monotonic - limited_at >= seconds(7));
        }
        if now > 0 && grown.last() != Some(&now) {
            grown.push(now);
        }
    }
    assert_eq!(grown, [1, 2, 3, 4]);
    assert_eq!(lanes.errors, [""; 0]);
}

#[test]
fn requests_in_flight_that_fail_together_count_as_one_failure() {
    let mut lanes = Lanes::new(eager().schedule(Schedule::every(Duration::from_millis(10))), 40);
    lanes.host.lists = [Fault::Before(500); 1000].into();
    while lanes.in_flight.len() < 4 {
        for lane in lanes.in_flight.keys().copied().collect::<Vec<_>>() {
            lanes.reply(lane, None);
        }
        lanes.world.advance(Duration::from_millis(50));
        lanes.poll_all(4);
    }
    let began = lanes.world.now.monotonic;
    for lane in 0..4 {
        lanes.reply(lane, Some(respond(503, "")));
    }
    // Ten failures in a row are tolerated. The delays are those of one request at a time.
    let mut failures = 1;
    while lanes.errors.is_empty() {
        let wait = lanes.poll_all(4);
        for lane in lanes.in_flight.keys().copied().collect::<Vec<_>>() {
            failures += 1;
            lanes.reply(lane, Some(respond(503, "")));
        }
        lanes.world.advance(wait.min(seconds(1)));
    }
    assert_eq!((failures, lanes.errors.as_slice()), (11, &["Server".to_owned()][..]));
    let lasted = lanes.world.now.monotonic - began;
    assert!((300..=400).contains(&lasted.as_secs()), "{lasted:?}");
}

#[test]
fn failure_that_began_before_a_success_does_not_hide_it() {
    let mut lanes = Lanes::new(eager(), 3);
    lanes.pay(1..=3);
    for n in 1..=3 {
        lanes.watcher.check_soon(&id(&format!("ch_{n}")));
    }
    lanes.poll_all(3);
    assert_eq!(lanes.in_flight.len(), 3);
    lanes.reply(1, Some(respond(503, "")));
    lanes.reply(0, None);
    lanes.reply(2, None);
    lanes.poll_all(3);
    assert_eq!(lanes.ended.len(), 2, "replies after the failure are used");
    lanes.run(3);
    assert_eq!(lanes.ended.len(), 3);
}

#[test]
fn lost_reply_counts_for_its_lane_only() {
    for policy in [RetryPolicy::never(), RetryPolicy::default()] {
        let client = strike_core::CoreClient::new(endpoint(), policy, 1);
        let mut lanes = Lanes::new(client.watcher().request_interval(Duration::ZERO).max_in_flight(2), 2);
        lanes.pay(1..=2);
        lanes.watcher.check_soon(&id("ch_1"));
        lanes.watcher.check_soon(&id("ch_2"));
        lanes.poll_all(2);
        assert_eq!(lanes.in_flight.len(), 2);
        // The driver lost the reply of lane 0, and polls.
        lanes.in_flight.remove(&0);
        assert!(lanes.poll(0).is_some(), "the request waits, or was given up");
        lanes.reply(1, None);
        assert_eq!(lanes.ended.len(), 1);
        lanes.run(2);
        assert_eq!(lanes.ended.len(), 2);
    }
}

#[test]
fn only_one_of_several_requests_in_flight_is_retried() {
    let client = strike_core::CoreClient::new(endpoint(), RetryPolicy::default(), 1);
    let mut lanes = Lanes::new(client.watcher().request_interval(Duration::ZERO).max_in_flight(4), 4);
    for n in 1..=4 {
        lanes.watcher.check_soon(&id(&format!("ch_{n}")));
    }
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 4);
    for lane in 0..4 {
        lanes.reply(lane, Some(limited(429, "5")));
    }
    lanes.world.advance(Duration::from_millis(4_900));
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 0);
    lanes.world.advance(Duration::from_millis(100));
    lanes.poll_all(4);
    assert_eq!(lanes.in_flight.len(), 1);
}

#[test]
fn charge_named_while_it_is_read_is_read_again_afterwards() {
    let mut lanes = Lanes::new(eager(), 1);
    lanes.watcher.check_soon(&id("ch_1"));
    lanes.poll_all(2);
    lanes.watcher.check_soon(&id("ch_1"));
    assert!(lanes.poll(1).is_some(), "not at the same time");
    lanes.reply(0, None);
    assert_eq!(lanes.in_flight.len(), 1);
    lanes.pay(1..=1);
    lanes.run(2);
    assert_eq!(lanes.requests, 2);
}

#[derive(Debug, Clone)]
enum Act {
    Poll(usize),
    Reply(usize),
    Fail(usize, u16),
    /// The lane is polled without a reply.
    Lose(usize),
    Pay(usize),
    Hint(usize),
    /// The charge is removed, and added again.
    Renew(usize),
    Advance(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let lane = || 0..LANES;
    prop_oneof![
        8 => lane().prop_map(Act::Poll),
        6 => lane().prop_map(Act::Reply),
        1 => (lane(), prop_oneof![Just(429), Just(503), Just(401)]).prop_map(|(lane, status)| Act::Fail(lane, status)),
        1 => lane().prop_map(Act::Lose),
        1 => (0_usize..CHARGES).prop_map(Act::Pay),
        1 => (0_usize..CHARGES).prop_map(Act::Hint),
        1 => (0_usize..CHARGES).prop_map(Act::Renew),
        4 => (1_u64..3000).prop_map(Act::Advance),
    ]
}

const LANES: usize = 4;
const CHARGES: usize = 50;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// In any order of polls, replies, failures and lost replies, no charge and no page is read
    /// twice at the same time, and each charge has exactly one event. It is `Paid` exactly if the
    /// host says so.
    #[test]
    fn every_charge_has_one_event_over_random_orders_of_replies(
        cap in prop_oneof![Just(5_usize), Just(10), Just(1000)],
        watched in prop_oneof![Just(1_usize), Just(3)],
        acts in proptest::collection::vec(act(), 0..200),
    ) {
        let mut lanes = Lanes::new(eager(), 0);
        lanes.host.cap = cap;
        let charges: Vec<_> = (0..CHARGES).map(|_| insert(&mut lanes.host, 600)).collect();
        let charges: Vec<_> = charges.into_iter().step_by(watched).collect();
        charges.iter().for_each(|charge| lanes.watcher.add(charge));
        for act in acts {
            let is_payable = lanes.world.now.monotonic < seconds(590);
            match act {
                Act::Poll(lane) if !lanes.in_flight.contains_key(&lane) => drop(lanes.poll(lane)),
                Act::Poll(_) => {}
                Act::Reply(lane) => lanes.reply(lane, None),
                Act::Fail(lane, status) => lanes.reply(lane, Some(respond(status, ""))),
                Act::Lose(lane) => {
                    if lanes.in_flight.remove(&lane).is_some() {
                        lanes.take_reply(lane);
                        lanes.has_failed |= !lanes.in_flight.contains_key(&lane);
                    }
                }
                Act::Pay(n) if is_payable => lanes.pay(n + 1..=n + 1),
                Act::Pay(_) => {}
                Act::Hint(n) => lanes.watcher.check_soon(charges[n % charges.len()].id()),
                Act::Renew(n) => {
                    let charge = &charges[n % charges.len()];
                    if lanes.watcher.remove(charge.id()) {
                        lanes.watcher.add(charge);
                    }
                }
                Act::Advance(millis) => lanes.world.advance(Duration::from_millis(millis)),
            }
            prop_assert_eq!(lanes.watcher.len() + lanes.ended.len(), charges.len());
            prop_assert_eq!(lanes.watcher.snapshot().len(), lanes.watcher.len());
        }
        lanes.run(LANES);
        prop_assert_eq!(lanes.ended.len(), charges.len());
    }
}
