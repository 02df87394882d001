//! Measures the requests and the memory for watching many charges: `cargo run --release --example
//! watch_many`.
//!
//! It runs in memory with virtual time: an hour takes a few seconds. `watch_many 2000` watches 2000
//! charges.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    ApiKey, Charge, CoreClient, Create, Endpoint, Event, HttpResponse, NewCharge, Now, RetryPolicy, Schedule,
    UnixMillis,
};
use strike_sandbox::Sandbox;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const HOUR: Duration = Duration::from_secs(3600);
const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

fn main() -> Result<(), Box<dyn Error>> {
    let default = if cfg!(debug_assertions) { 500 } else { 10_000 };
    let pending = std::env::args().nth(1).map_or(Ok(default), |number| number.parse())?;

    println!("{pending} pending charges for one hour, one in five is paid:\n");
    println!("| method | requests | pages | single gets | found paid |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let paid_after = payments(pending);
    println!(
        "| one get per charge per round | {0} | 0 | {0} | {1} |",
        one_by_one(&paid_after),
        paid_after.len()
    );
    for size in [30, 250, 1000] {
        let counts = watch(pending, size, &paid_after)?;
        let Counts { pages, gets, paid } = counts;
        println!("| watcher, pages of {size} | {} | {pages} | {gets} | {paid} |", pages + gets);
    }

    println!("\n| pending | bytes per charge | additional peak during a round |");
    println!("| ---: | ---: | ---: |");
    for many in [pending, 10 * pending] {
        let (per_charge, round) = memory(many)?;
        println!("| {many} | {per_charge} | {} kB |", round / 1000);
    }
    Ok(())
}

/// When each of the paid charges is paid: every fifth charge, at a random time within the hour.
fn payments(pending: usize) -> BTreeMap<usize, Duration> {
    let mut rng = fastrand::Rng::with_seed(7);
    (0..pending).step_by(5).map(|row| (row, Duration::from_millis(rng.u64(0..3_500_000)))).collect()
}

/// Counts the gets if each charge is read by itself, on the same schedule.
fn one_by_one(paid_after: &BTreeMap<usize, Duration>) -> u64 {
    let reads = |until: Duration| {
        let schedule = Schedule::default();
        let (mut reads, mut wait) = (0, schedule.first_wait());
        let mut time = wait;
        while time <= HOUR {
            reads += 1;
            if time >= until {
                break;
            }
            wait = schedule.next_wait(wait);
            time += wait;
        }
        reads
    };
    let paid: u64 = paid_after.values().map(|after| reads(*after)).sum();
    // Four in five charges stay pending.
    paid + 4 * u64::try_from(paid_after.len()).unwrap_or_default() * reads(Duration::MAX)
}

struct Counts {
    pages: u64,
    gets: u64,
    paid: usize,
}

/// Watches the charges for an hour.
fn watch(
    pending: usize,
    size: u32,
    paid_after: &BTreeMap<usize, Duration>,
) -> Result<Counts, Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(7).clock_at(START).build();
    let endpoint = sandbox.endpoint()?;
    let machines = CoreClient::new(endpoint, RetryPolicy::default(), 7);
    let mut watcher = machines.watcher().page_size(size);
    let mut payments = Vec::new();
    for row in 0..pending {
        // The charges are created one after the other.
        sandbox.advance(Duration::from_millis(300));
        let create = Create::new(NewCharge::satoshis(4200, "tea").expiry_sec(86_400));
        let response = sandbox.respond(&create.request(machines.endpoint())?);
        let now = Now::new(Duration::ZERO, sandbox.now());
        let charge = create.parse(machines.endpoint(), &response, now)?;
        watcher.add(&charge);
        payments.extend(paid_after.get(&row).map(|after| (*after, charge.id().clone())));
    }
    payments.sort();
    let mut payments = payments.into_iter().peekable();

    let mut counts = Counts { pages: 0, gets: 0, paid: 0 };
    let mut time = Duration::ZERO;
    while time < HOUR {
        while let Some((_, id)) = payments.next_if(|(after, _)| *after <= time) {
            sandbox.pay(&id)?;
        }
        let now = Now::new(time, sandbox.now());
        match watcher.next().poll(now) {
            Step::Send(exchange) => {
                let list = exchange.request.uri().query().is_some();
                *if list { &mut counts.pages } else { &mut counts.gets } += 1;
                watcher.next().handle(sandbox.reply(exchange), now);
            }
            Step::Wait(wait) => {
                // The wait ends at the next payment.
                let due = payments.peek().map_or(HOUR, |(after, _)| *after).saturating_sub(time);
                let wait = wait.min(due.max(Duration::from_millis(1)));
                time += wait;
                sandbox.advance(wait);
            }
            Step::Done(Ok(Some(Event::Paid(_)))) => counts.paid += 1,
            Step::Done(other) => return Err(format!("the watcher returned {other:?}").into()),
        }
    }
    Ok(counts)
}

/// Measures the bytes per pending charge, and the additional peak during one round. Most of the
/// peak is the page that is being read.
fn memory(pending: usize) -> Result<(usize, usize), Box<dyn Error>> {
    let endpoint =
        Endpoint::new("http://127.0.0.1/", ApiKey::new("sk_demo")?, strike_core::Network::Testnet)?;
    let mut watcher = CoreClient::new(endpoint, RetryPolicy::default(), 7).watcher();
    let before = MEMORY.current_usage();
    for row in 0..pending {
        watcher.add(&serde_json::from_str::<Charge>(&json(row))?);
    }
    let mut time = Duration::ZERO;
    let mut rows_read = 0;
    let mut requests = 0;
    let mut per_charge = 0;
    while rows_read < pending {
        let now = Now::new(time, START.saturating_add(time));
        match watcher.next().poll(now) {
            Step::Send(exchange) => {
                let query = exchange.request.uri().query().unwrap_or_default();
                let number = |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
                let (page, size): (usize, usize) =
                    (number("page=").unwrap_or_default(), number("size=").unwrap_or_default());
                let end = pending.saturating_sub(page * size);
                let rows = end.saturating_sub(size)..end;
                rows_read += rows.len();
                requests += 1;
                let list: Vec<String> = rows.rev().map(json).collect();
                let body = format!("[{}]", list.join(","));
                drop(list);
                if requests == 1 {
                    MEMORY.reset_peak_usage();
                }
                watcher.next().handle(Ok(HttpResponse::new(body.into_bytes())), now);
            }
            Step::Wait(wait) => {
                if requests == 0 {
                    per_charge = MEMORY.current_usage() - before;
                }
                time += wait;
            }
            Step::Done(other) => return Err(format!("the watcher returned {other:?}").into()),
        }
    }
    let round = MEMORY.peak_usage().saturating_sub(before + per_charge);
    Ok((per_charge / pending, round))
}

/// The JSON of a pending charge. The newest charge has the highest number.
fn json(row: usize) -> String {
    let created = START.as_millis() - 100_000_000 + 300 * row as u64;
    let mut json = String::with_capacity(700);
    let _ = write!(
        json,
        r#"{{"id":"ch_{:029}","object":"charge","amount":4200,"currency":"btc","amount_satoshi":4200,"payment_hash":"{:064x}","payment_request":"{:0300}","description":"tea","paid":false,"created":{created},"updated":{created}}}"#,
        row.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        row,
        row
    );
    json
}
