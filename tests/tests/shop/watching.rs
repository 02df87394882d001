//! How many pages and charges the watcher requests, and which events it returns.

use std::collections::BTreeSet;
use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{
    ApiKey, Charge, ChargeId, CoreClient, Endpoint, Event, HttpResponse, Network, Now, RetryPolicy,
    UnixMillis, Watcher,
};

use super::plan::START;
use super::service::Service;

/// A service with charges, and a watcher that watches some of them. Exchanges take no time.
struct Watch {
    service: Service,
    watcher: Watcher,
    time: u64,
    pages: Vec<(usize, usize)>,
    gets: usize,
    paid: BTreeSet<ChargeId>,
    /// A row that is unreadable in the list: entirely `null` (true), or with a field of the wrong
    /// type (false).
    unreadable: Option<(usize, bool)>,
}

impl Watch {
    /// Creates charges a second apart. The watcher watches those for which `watched` returns true.
    fn new(charges: usize, cap: usize, size: u32, watched: impl Fn(usize) -> bool) -> Self {
        let mut service = Service::new(cap, 0, true);
        let key = ApiKey::new("sk_demo").unwrap();
        let endpoint = Endpoint::new("http://127.0.0.1/", key, Network::Testnet).unwrap();
        let mut watcher = CoreClient::new(endpoint, RetryPolicy::default(), 7).watcher().page_size(size);
        for row in 0..charges {
            service.create_charge(1, "", None, 500_000, START + 1000 * row as u64);
            if watched(row) {
                watcher.add(&serde_json::from_slice::<Charge>(service.json(row).as_bytes()).unwrap());
            }
        }
        let time = 1000 * charges as u64;
        Self { service, watcher, time, pages: Vec::new(), gets: 0, paid: BTreeSet::new(), unreadable: None }
    }

    /// Advances the time by `length`, or until all charges are paid.
    fn run(&mut self, length: Duration) {
        let end = self.time + u64::try_from(length.as_millis()).unwrap();
        while self.time < end {
            let now = Now::new(Duration::from_millis(self.time), UnixMillis::from_millis(START + self.time));
            match self.watcher.next().poll(now) {
                Step::Send(exchange) => {
                    let mut response = self.service.respond(&exchange.request, START + self.time);
                    let query = exchange.request.uri().query().unwrap_or_default();
                    if let Some((page, size)) = query.split_once("&size=") {
                        let page = page.trim_start_matches("page=").parse().unwrap();
                        self.pages.push((page, size.parse::<usize>().unwrap().min(self.service.cap)));
                        self.alter(&mut response);
                    } else {
                        self.gets += 1;
                    }
                    self.watcher.next().handle(Ok(response), now);
                }
                Step::Wait(wait) => self.time += u64::try_from(wait.as_millis()).unwrap().max(1),
                Step::Done(Ok(Some(Event::Paid(charge)))) => {
                    assert!(self.paid.insert(charge.id().clone()), "{charge} ended twice");
                }
                Step::Done(Ok(None)) => return,
                Step::Done(other) => panic!("{other:?}"),
            }
        }
    }

    fn alter(&self, response: &mut HttpResponse) {
        let Some((row, whole)) = self.unreadable else { return };
        let mut rows: Vec<serde_json::Value> = serde_json::from_slice(response.body()).unwrap();
        let id = Service::id(row);
        if let Some(row) = rows.iter_mut().find(|row| row["id"] == id.as_str()) {
            if whole {
                *row = serde_json::Value::Null;
            } else {
                row["amount_satoshi"] = "many".into();
            }
        }
        *response.body_mut() = serde_json::to_vec(&rows).unwrap();
    }

    fn pay(&mut self, row: usize) {
        assert!(self.service.pay(row, START + self.time, START + self.time));
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn watcher_reads_no_page_beyond_the_oldest_pending_charge() {
    for (cap, size) in [(7, 250), (30, 30), (100, 250), (1000, 50)] {
        let mut watch = Watch::new(2000, cap, size, |row| row >= 1800);
        watch.run(10 * MINUTE);
        let furthest = watch.pages.iter().map(|(page, size)| page * size).max();
        assert!(furthest < Some(200), "cap {cap}, size {size}: row {furthest:?}");
        assert!(watch.pages.len() > 5 * 200 / cap && watch.gets < 200, "{} gets", watch.gets);
    }
}

#[test]
fn few_pending_charges_among_many_are_read_with_single_gets() {
    let mut watch = Watch::new(20_000, 1000, 100, |row| row % 2000 == 17);
    watch.run(10 * MINUTE);
    let pages = watch.pages.len();
    assert!(watch.gets > 10 * 15, "{} gets", watch.gets);
    assert!(10 * pages < watch.gets, "{pages} pages and {} gets", watch.gets);
}

#[test]
fn unreadable_row_does_not_hide_other_rows() {
    for whole in [false, true] {
        let mut watch = Watch::new(60, 1000, 30, |_| true);
        watch.unreadable = Some((42, whole));
        (0..60).for_each(|row| watch.pay(row));
        watch.run(10 * MINUTE);
        assert_eq!(watch.paid.len(), 60, "whole: {whole}");
        assert!(watch.gets <= 3 && watch.pages.len() <= 4, "{} gets, pages {:?}", watch.gets, watch.pages);
    }
}

#[test]
fn watcher_adapts_to_pages_smaller_than_requested() {
    for cap in [7, 30, 100] {
        let mut watch = Watch::new(500, cap, 250, |_| true);
        watch.run(Duration::from_secs(60));
        let before = watch.pages.len() + watch.gets;
        // A round reads all pages once, and seldom more.
        watch.run(10 * MINUTE);
        let requests = watch.pages.len() + watch.gets - before;
        // After the first minute, the intervals are 11 s to 60 s, which makes about 18 rounds.
        let round = 500_usize.div_ceil(cap);
        assert!(requests <= 25 * round, "cap {cap}: {requests} requests, {round} pages a round");
        (0..500).for_each(|row| watch.pay(row));
        watch.run(2 * MINUTE);
        assert_eq!(watch.paid.len(), 500, "cap {cap}");
        assert!(watch.watcher.is_empty());
    }
}

#[test]
fn hundred_thousand_paid_charges_are_found_in_one_pass() {
    let many = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let mut watch = Watch::new(many, 1000, 250, |_| true);
    (0..many).for_each(|row| watch.pay(row));
    watch.run(10 * MINUTE);
    assert_eq!(watch.paid.len(), many);
    assert!(watch.pages.len() + watch.gets <= many / 250 + 10, "{} pages", watch.pages.len());
}

#[test]
fn charge_that_is_restored_and_added_is_watched_once() {
    let mut watch = Watch::new(1, 30, 30, |_| true);
    let state = watch.watcher.snapshot();
    watch.watcher.restore(state.clone());
    let charge: Charge = serde_json::from_str(&watch.service.json(0)).unwrap();
    watch.watcher.add(&charge);
    assert_eq!((watch.watcher.len(), watch.watcher.snapshot()), (1, state));
}
