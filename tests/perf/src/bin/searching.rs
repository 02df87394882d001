//! Measures what `create_once` reads before each create, in virtual time, and the CPU time and
//! memory of `list_all`. It prints the tables of docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::alloc::System;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use strike_core::machine::{CreateOnce, Machine, Step};
use strike_core::{
    CoreClient, CreateOnceOptions, Exchange, HttpResponse, Now, OrderKey, RetryPolicy, UnixMillis,
};
use strike_perf::samples;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// When the account begins, in milliseconds since 1970: Tuesday, 14 November 2023, 22:00:00 UTC.
const START: u64 = 1_699_999_200_000;
const HOUR: u64 = 3_600_000;

/// From a request to its response.
const ROUND_TRIP: u64 = 20;

/// How many clients look for the first time.
const FIRST_LOOKS: usize = 9;

/// An account whose charges are made in this program only.
struct Account {
    /// The creation time and the `customer_id` of each charge, oldest first.
    rows: Vec<(u64, String)>,
    now: u64,
    /// The largest page.
    cap: usize,
    reads: u64,
    bytes: u64,
    /// The CPU time of the machines that were at once, in milliseconds.
    cpu: Vec<f64>,
}

impl Account {
    fn new(per_hour: u64, cap: usize) -> Self {
        let rows = (0..3 * per_hour)
            .map(|row| {
                let key = OrderKey::named(&format!("earlier-{row}"));
                (START + row * HOUR / per_hour, key.customer_id(""))
            })
            .collect();
        Self { rows, now: START + 3 * HOUR, cap, reads: 0, bytes: 0, cpu: Vec::new() }
    }

    fn write(&self, row: usize, json: &mut String) {
        let (created, customer_id) = &self.rows[row];
        samples::write_charge(json, row as u64, false, *created);
        json.pop();
        write!(json, r#","customer_id":"{customer_id}"}}"#).unwrap();
    }

    fn respond(&mut self, exchange: &Exchange) -> HttpResponse {
        let mut body = String::new();
        if let Some(query) = exchange.request.uri().query() {
            let number =
                |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<usize>().ok());
            let size = number("size=").unwrap().min(self.cap);
            let newer = number("page=").unwrap() * size;
            body.push('[');
            for row in (0..self.rows.len()).rev().skip(newer).take(size) {
                body.push_str(if body.len() == 1 { "" } else { "," });
                self.write(row, &mut body);
            }
            body.push(']');
            self.reads += 1;
            self.bytes += body.len() as u64;
        } else {
            let form = String::from_utf8(exchange.request.body().clone()).unwrap();
            let customer_id = form.split('&').find_map(|pair| pair.strip_prefix("customer_id=")).unwrap();
            self.rows.push((self.now, customer_id.to_owned()));
            self.write(self.rows.len() - 1, &mut body);
        }
        let seconds = (self.now - START) / 1000;
        let hours = 22 + seconds / 3600;
        let day = [("Tue", 14), ("Wed", 15), ("Thu", 16)][usize::try_from(hours / 24).unwrap()];
        let (hour, minute, second) = (hours % 24, seconds / 60 % 60, seconds % 60);
        let date = format!("{}, {} Nov 2023 {hour:02}:{minute:02}:{second:02} GMT", day.0, day.1);
        let mut response = HttpResponse::new(body.into_bytes());
        response.headers_mut().insert("date", date.parse().unwrap());
        response
    }

    fn clocks(&self) -> Now {
        Now::new(Duration::from_millis(self.now - START), UnixMillis::from_millis(self.now))
    }

    /// Makes so many new orders at once.
    fn create(&mut self, client: &CoreClient, at_once: usize) {
        let (mut running, mut orders): (Vec<(u64, Option<Exchange>, CreateOnce)>, _) = (Vec::new(), 0);
        let mut cpu = Duration::ZERO;
        while orders < at_once {
            orders += 1;
            let name = format!("order-{}-{orders}", self.now);
            let once = CreateOnceOptions::named(&name).since(UnixMillis::from_millis(self.now));
            running.push((self.now, None, client.create_once(samples::order(), once)));
        }
        while let Some(index) = (0..running.len()).min_by_key(|index| running[*index].0) {
            self.now = running[index].0;
            let reply = running[index].1.take().map(|exchange| self.respond(&exchange));
            let now = self.clocks();
            let (time, sent, machine) = &mut running[index];
            let start = Instant::now();
            if let Some(reply) = reply {
                machine.handle(Ok(reply), now);
            }
            let step = machine.poll(now);
            cpu += start.elapsed();
            match step {
                Step::Send(exchange) => {
                    *sent = Some(exchange);
                    *time += ROUND_TRIP;
                }
                Step::Wait(wait) => *time += u64::try_from(wait.as_millis()).unwrap().max(1),
                Step::Done(result) => {
                    result.unwrap();
                    drop(running.swap_remove(index));
                }
            }
        }
        self.cpu.push(cpu.as_secs_f64() * 1000.0 / at_once as f64);
    }

    /// Returns requests, bytes and CPU time for each of so many creates, and starts again. The CPU time
    /// is the median, since other programs interrupt this one.
    fn figures(&mut self, creates: usize) -> String {
        let each = |sum: f64| sum / creates as f64;
        let requests = each(self.reads as f64);
        let kilobytes = each(self.bytes as f64 / 1000.0);
        let cpu = median(&mut self.cpu);
        (self.reads, self.bytes) = (0, 0);
        self.cpu.clear();
        format!("{requests:.2} | {kilobytes:.0} kB | {cpu:.2} ms")
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn client() -> CoreClient {
    CoreClient::new(samples::endpoint(false), RetryPolicy::default(), 7)
}

fn searches() {
    println!("| charges an hour | rows of a page | at once | look | requests | bytes | CPU |");
    println!("| ---: | ---: | ---: | --- | ---: | ---: | ---: |");
    for (per_hour, cap) in [(100, 1000), (1_000, 1000), (10_000, 1000), (10_000, 250)] {
        for at_once in [1, 8] {
            let (mut account, mut shop) = (Account::new(per_hour, cap), client());
            for _ in 0..FIRST_LOOKS {
                shop = client();
                account.create(&shop, at_once);
            }
            let figures = account.figures(FIRST_LOOKS * at_once);
            println!("| {per_hour} | {cap} | {at_once} | first | {figures} |");
            let following = 200 / at_once;
            for _ in 0..following {
                account.now += HOUR / per_hour * at_once as u64;
                account.create(&shop, at_once);
            }
            let figures = account.figures(following * at_once);
            println!("| {per_hour} | {cap} | {at_once} | following | {figures} |");
        }
    }
}

/// Reads a list of so many charges, and prints the CPU time of a charge and the memory.
fn list_all(charges: u64) {
    let mut account = Account::new(1, 30);
    account.rows = (0..charges).map(|row| (START + row, String::new())).collect();
    let client = client();
    let mut pager = client.pager();
    let live = || {
        let stats = ALLOCATOR.stats();
        stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated)
    };
    let (before, mut peak, mut pages, mut cpu) = (live(), 0, Vec::new(), Duration::ZERO);
    'charges: loop {
        let mut next = pager.next();
        loop {
            let start = Instant::now();
            let step = next.poll(account.clocks());
            cpu += start.elapsed();
            peak = peak.max(live().saturating_sub(before));
            match step {
                Step::Send(exchange) => {
                    pages.push(cpu.as_secs_f64() * 1e6 / 30.0);
                    cpu = Duration::ZERO;
                    let response = account.respond(&exchange);
                    let start = Instant::now();
                    next.handle(Ok(response), account.clocks());
                    cpu += start.elapsed();
                }
                Step::Wait(_) => {}
                Step::Done(Ok(Some(_))) => break,
                Step::Done(Ok(None)) => break 'charges,
                Step::Done(Err(error)) => std::panic::panic_any(error),
            }
        }
    }
    println!("| {charges} | {:.2} us | {:.2} MB |", median(&mut pages), peak as f64 / 1e6);
}

fn main() {
    searches();
    println!("\n| charges in the list | CPU for each | peak memory |");
    println!("| ---: | ---: | ---: |");
    [1_000, 10_000, 100_000].into_iter().for_each(list_all);
}
