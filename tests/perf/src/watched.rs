//! A shop in virtual time: a list with many charges, some of them watched and paid.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use strike_core::machine::{Machine, Step};
use strike_core::{Charge, CoreClient, Event, Exchange, HttpResponse, Now, RetryPolicy, UnixMillis, Watcher};

use crate::samples;

/// When the watch begins, in milliseconds since 1970.
const START: u64 = 1_700_000_000_000;

/// How far apart charges were created, in milliseconds.
const APART: u64 = 100;

/// The settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How many charges are watched.
    pub watched: usize,
    /// The list has this many charges for each watched one.
    pub one_in: u64,
    /// The rows of a page.
    pub page: u64,
    pub in_flight: u32,
    /// From a request to its response.
    pub round_trip: Duration,
    /// How long payers take on average, with an exponential distribution. `None` if none pays.
    pub paid_after: Option<Duration>,
    pub request_interval: Option<Duration>,
    /// How long the watch runs, unless all charges are paid before.
    pub length: Duration,
}

/// What a run has shown. Times of steps are in the order of the steps, which is always the same.
#[derive(Debug, Default)]
pub struct Figures {
    pub requests: usize,
    /// From each payment to its event, in milliseconds, sorted.
    pub notices: Vec<u64>,
    pub polls: Vec<Duration>,
    /// Parsing the responses, and what follows from them.
    pub handled: Vec<Duration>,
    pub lasted: Duration,
}

/// A service whose charges are in the order of the list, newest first.
struct Service {
    rows: u64,
    setup: Setup,
    /// When each watched charge is paid, in milliseconds.
    paid_at: Vec<u64>,
    /// The watched charge of each row.
    watched: Vec<Option<u32>>,
}

impl Service {
    fn new(setup: Setup) -> Self {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut watched = Vec::new();
        let mut count = 0;
        while usize::try_from(count).unwrap() < setup.watched {
            let is_watched = rng.u64(..).is_multiple_of(setup.one_in);
            watched.push(is_watched.then_some(count));
            count += u32::from(is_watched);
        }
        let mut paid_at = || {
            setup.paid_after.map_or(u64::MAX, |mean| {
                let after = mean.mul_f64(-(1.0 - rng.f64()).ln());
                u64::try_from(after.as_millis()).unwrap()
            })
        };
        let paid_at = (0..count).map(|_| paid_at()).collect();
        Self { rows: watched.len() as u64, setup, paid_at, watched }
    }

    fn created(&self, row: u64) -> u64 {
        START - APART * (row + 1)
    }

    fn row(&self, row: u64, now: u64, json: &mut String) {
        let watched = self.watched[usize::try_from(row).unwrap()];
        let paid = watched.is_some_and(|charge| self.paid_at[usize::try_from(charge).unwrap()] <= now);
        samples::write_charge(json, row, paid, self.created(row));
    }

    fn charge(&self, row: u64) -> Charge {
        let mut json = String::new();
        samples::write_charge(&mut json, row, false, self.created(row));
        serde_json::from_str(&json).unwrap()
    }

    fn respond(&self, exchange: &Exchange, now: u64) -> HttpResponse {
        let uri = exchange.request.uri();
        let mut body = String::new();
        if let Some(query) = uri.query() {
            let number =
                |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<u64>().ok());
            let size = number("size=").unwrap().min(self.setup.page);
            let first = number("page=").unwrap() * size;
            body.push('[');
            for row in first.min(self.rows)..(first + size).min(self.rows) {
                let _ = write!(body, "{}", if row == first { "" } else { "," });
                self.row(row, now, &mut body);
            }
            body.push(']');
        } else {
            self.row(samples::row_of(uri.path()), now, &mut body);
        }
        HttpResponse::new(body.into_bytes())
    }
}

/// Returns a watcher of these charges that was not polled yet.
pub fn watcher(setup: Setup) -> Watcher {
    let client = CoreClient::new(samples::endpoint(true), RetryPolicy::default(), 7);
    let mut watcher = client.watcher().max_in_flight(setup.in_flight);
    if let Some(interval) = setup.request_interval {
        watcher = watcher.request_interval(interval);
    }
    let service = Service::new(setup);
    for row in (0..service.rows).rev().filter(|row| service.watched[usize::try_from(*row).unwrap()].is_some())
    {
        watcher.add(&service.charge(row));
    }
    watcher
}

fn at(millis: u64) -> Now {
    Now::new(Duration::from_millis(millis), UnixMillis::from_millis(START + millis))
}

/// Runs a watch. Only the round trips and the waits of the watcher take time.
pub fn run(setup: Setup) -> Figures {
    let (service, mut watcher) = (Service::new(setup), watcher(setup));
    let round_trip = u64::try_from(setup.round_trip.as_millis()).unwrap();
    let length = u64::try_from(setup.length.as_millis()).unwrap();
    let mut figures = Figures::default();
    let mut idle: Vec<usize> = (0..usize::try_from(setup.in_flight).unwrap()).collect();
    // The exchanges in flight: when they end, their order, and their lane.
    let mut in_flight = BinaryHeap::new();
    let mut exchanges: Vec<Option<Exchange>> = idle.iter().map(|_| None).collect();
    let mut time = 0;
    while time < length && !watcher.is_empty() {
        let mut wait = u64::MAX;
        let mut index = 0;
        while let Some(lane) = idle.get(index).copied() {
            let mut machine = watcher.lane(lane);
            let began = Instant::now();
            let step = machine.poll(at(time));
            figures.polls.push(began.elapsed());
            match step {
                Step::Send(exchange) => {
                    figures.requests += 1;
                    exchanges[lane] = Some(exchange);
                    in_flight.push(Reverse((time + round_trip, figures.requests, lane)));
                    idle.swap_remove(index);
                }
                Step::Wait(time) => {
                    wait = wait.min(u64::try_from(time.as_millis()).unwrap().max(1));
                    index += 1;
                }
                Step::Done(Ok(Some(Event::Paid(paid)))) => {
                    let row = samples::row_of(paid.id().as_str());
                    let charge = service.watched[usize::try_from(row).unwrap()].unwrap();
                    figures.notices.push(time - service.paid_at[usize::try_from(charge).unwrap()]);
                }
                Step::Done(Ok(None)) => break,
                Step::Done(other) => panic!("{other:?}"),
            }
        }
        let next_reply = in_flight.peek().map_or(u64::MAX, |Reverse((end, _, _))| *end);
        time = time.saturating_add(wait).min(next_reply);
        while let Some(Reverse((_, _, lane))) =
            in_flight.peek().copied().filter(|Reverse((end, _, _))| *end <= time)
        {
            in_flight.pop();
            // The service responds in the middle of the exchange.
            let response = service.respond(&exchanges[lane].take().unwrap(), time - round_trip / 2);
            let began = Instant::now();
            watcher.lane(lane).handle(Ok(response), at(time));
            figures.handled.push(began.elapsed());
            idle.push(lane);
        }
    }
    figures.lasted = Duration::from_millis(time.min(length));
    figures.notices.sort_unstable();
    figures
}
