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
    notice_table();
    cpu_table();
}

fn notices(figures: &Figures) -> String {
    let paid = figures.notices.len();
    let part = |of: usize| figures.notices[(paid * of / 100).min(paid - 1)] as f64 / 1000.0;
    format!("{:.1} s | {:.1} s | {:.2}", part(50), part(99), figures.requests as f64 / paid as f64)
}

fn notice_table() {
    let rows = [
        ("10,000 of 100,000, pages of 30", SCATTERED, "5 s, 25 s"),
        ("10,000 adjacent, pages of 30", ADJACENT, "3.5 s, 0.50 requests"),
        ("10,000 adjacent, pages of 100", Setup { page: 100, ..ADJACENT }, "2.0 s, 0.18 requests"),
    ];
    println!("| watched | median | 99th percentile | requests for each payment | bar |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for (name, setup, bar) in rows {
        println!("| {name} | {} | {bar} |", notices(&run(setup)));
    }

    println!(
        "\n| 10,000 of 100,000, in flight | interval | median | 99th percentile | requests for each payment |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for in_flight in [1, 2, 4, 8] {
        println!("| {in_flight} | 3 ms | {} |", notices(&run(Setup { in_flight, ..SCATTERED })));
    }
    for in_flight in [8, 16, 32, 64] {
        let setup = Setup { in_flight, request_interval: Some(Duration::ZERO), ..SCATTERED };
        println!("| {in_flight} | none | {} |", notices(&run(setup)));
    }

    println!(
        "\n| watched, pages of 30 | one in ten: median | 99th percentile | requests | adjacent: median | 99th percentile | requests |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for watched in [10, 100, 1_000, 10_000, 100_000] {
        let [scattered, adjacent] =
            [SCATTERED, ADJACENT].map(|setup| notices(&run(Setup { watched, ..setup })));
        println!("| {watched} | {scattered} | {adjacent} |");
    }
}

fn cpu_table() {
    println!("\n| pending, pages of 100 | slowest poll | mean poll | CPU of a core | bytes a charge |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for watched in [10, 100, 1_000, 10_000, 100_000] {
        let length = Duration::from_secs(600);
        let setup = Setup { watched, page: 100, paid_after: None, length, ..ADJACENT };
        // The steps are the same each time. The shortest time of each was not interrupted.
        let mut runs = [(); 5].map(|()| run(setup)).into_iter();
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
        let share = 100.0 * (poll + handle).as_secs_f64() / first.lasted.as_secs_f64();
        println!(
            "| {watched} | {:.0?} | {:.0?} | {share:.2} % | {} |",
            polls.iter().max().unwrap(),
            poll / u32::try_from(polls.len()).unwrap(),
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
