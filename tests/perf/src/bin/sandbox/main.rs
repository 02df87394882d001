//! Measures the sandbox: beside a bare hyper server, with many charges, with a data file, in memory.
//!
//! Run it with `cargo run --profile perf -p strike-perf --features sandbox --bin sandbox`. Append a
//! number for that many charges in the tables of many charges; the default is 100,000.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod bare;
mod client;
mod data;
mod memory;
mod pairs;

use strike_sandbox::Sandbox;

fn main() {
    let charges = std::env::args().nth(1).map_or(100_000, |charges| charges.parse().unwrap());
    println!("| figure | today | bar |\n| --- | --- | --- |");
    let before = memory::resident();
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).start().unwrap();
    let mut count = 1_000;
    while count <= charges {
        memory::grow(&sandbox, count, before);
        if count == 1_000 || count * 10 > charges {
            pairs::measure(&sandbox);
        }
        count *= 10;
    }
    drop(sandbox);
    memory::measure();
    data::measure(charges);
}

/// Prints a row of the table.
fn row(figure: &str, today: &str, bar: &str) {
    println!("| {figure} | {today} | {bar} |");
}

/// Returns the middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
