//! Measures watches of many charges, in virtual time: how soon a payment is noticed, the requests,
//! the CPU time of the watcher, and its memory. It prints the tables of docs/performance.md.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

use std::alloc::System;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use strike_perf::watched::{Figures, Setup, run, watcher};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One in ten of 100,000 rows is watched. A payer takes 25 s on average.
const SCATTERED: Setup = Setup {
    watched: 10_000,
    one_in: 10,
    page: 30,
    in_flight: 8,
    round_trip: Duration::from_millis(20),
    paid_after: Some(Duration::from_secs(25)),
    request_interval: None,
    length: Duration::from_secs(3600),
};
const ADJACENT: Setup = Setup { one_in: 1, ..SCATTERED };

fn main() {
    if let Some(arguments) =
        Option::from(std::env::args().skip(1).collect::<Vec<_>>()).filter(|a: &Vec<_>| !a.is_empty())
    {
        let number = |at: usize| arguments[at].parse::<u64>().unwrap();
        let setup = Setup {
            watched: usize::try_from(number(0)).unwrap(),
            one_in: number(1),
            page: number(2),
            in_flight: u32::try_from(number(3)).unwrap(),
            round_trip: Duration::from_millis(number(4)),
            paid_after: Some(Duration::from_secs(number(5))),
            request_interval: arguments.get(6).map(|ms| Duration::from_millis(ms.parse().unwrap())),
            ..SCATTERED
        };
        println!("{setup:?}\n{}", notices(&run(setup)));
        return;
    }
    notice_table();
    cpu_table();
}

fn notices(figures: &Figures) -> String {
    let paid = figures.notices.len();
    let part = |of: usize| figures.notices[(paid * of / 100).min(paid - 1)] as f64 / 1000.0;
    format!("{:.1} s | {:.1} s | {:.2}", part(50), part(99), figures.requests as f64 / paid as f64)
}

fn notice_table() {
    println!(
        "| watched charges | requests in flight | median | 99th percentile | requests for each payment |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, setup) in [
        ("10,000 scattered, pages of 30", SCATTERED),
        ("10,000 adjacent, pages of 30", ADJACENT),
        ("10,000 adjacent, pages of 100", Setup { page: 100, ..ADJACENT }),
    ] {
        for in_flight in [1, 2, 4, 8, 16, 32, 64] {
            println!("| {name} | {in_flight} | {} |", notices(&run(Setup { in_flight, ..setup })));
        }
    }
    for watched in [10, 100, 1_000, 10_000, 100_000] {
        for (name, setup) in [("scattered", SCATTERED), ("adjacent", ADJACENT)] {
            println!("| {watched} {name}, pages of 30 | 8 | {} |", notices(&run(Setup { watched, ..setup })));
        }
    }
}

fn cpu_table() {
    println!(
        "\n| watched charges, adjacent | slowest poll | mean poll | polls | CPU, polls only | CPU, with parsing | bytes a charge |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for watched in [10, 100, 1_000, 10_000, 100_000] {
        let length = Duration::from_secs(600);
        let setup = Setup { watched, page: 100, paid_after: None, length, ..ADJACENT };
        // The steps are the same each time. The shortest time of each was not interrupted.
        let mut runs = [(); 3].map(|()| run(setup)).into_iter();
        let first = runs.next().unwrap();
        let shortest = |mut times: Vec<Duration>, others: Vec<Duration>| {
            times.iter_mut().zip(others).for_each(|(time, other)| *time = other.min(*time));
            times
        };
        let (mut polls, mut handled) = (first.polls, first.handled);
        for other in runs {
            polls = shortest(polls, other.polls);
            handled = shortest(handled, other.handled);
        }
        let (poll, handle) = (polls.iter().sum::<Duration>(), handled.iter().sum::<Duration>());
        let share = |time: Duration| 100.0 * time.as_secs_f64() / first.lasted.as_secs_f64();
        println!(
            "| {watched} | {:.2?} | {:.2?} | {} | {:.2} % | {:.2} % | {} |",
            polls.iter().max().unwrap(),
            poll / u32::try_from(polls.len()).unwrap(),
            polls.len(),
            share(poll),
            share(poll + handle),
            bytes(setup),
        );
    }
}

/// Returns the bytes that a watched charge takes after the first polls.
fn bytes(setup: Setup) -> usize {
    let region = Region::new(ALLOCATOR);
    let watcher = watcher(setup);
    let change = region.change();
    assert_eq!(watcher.len(), setup.watched);
    (change.bytes_allocated - change.bytes_deallocated) / setup.watched
}
