//! Pairs of contenders in one process: blocks of calls in the order A, B, B, A, so that a change of
//! the machine's speed affects both.

use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::cost::cpu_time;

/// How long one block of calls takes.
const BLOCK: Duration = Duration::from_millis(250);

/// The median ratios of the first contender to the second.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// Requests per second.
    pub throughput: f64,
    /// CPU time of a request.
    pub cpu: f64,
    /// Requests per second of the first one.
    pub rate: f64,
}

/// Measures this many rounds of ABBA.
#[must_use]
pub fn compare(first: &Contender, second: &Contender, in_flight: usize, rounds: usize) -> Ratio {
    let pairs = [first, second].map(|contender| pairs_in_block(contender, in_flight));
    let (mut throughput, mut cpu, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let block = |index: usize| measure([first, second][index], pairs[index], in_flight);
        let [a, b, b2, a2] = [block(0), block(1), block(1), block(0)];
        throughput.push((b.0 + b2.0) / (a.0 + a2.0));
        cpu.push((a.1 + a2.1) / (b.1 + b2.1));
        rates.push(2.0 / (a.0 + a2.0));
    }
    Ratio { throughput: median(throughput), cpu: median(cpu), rate: median(rates) }
}

/// Finds how many pairs of calls take the time of a block. The first call opens the connections.
fn pairs_in_block(contender: &Contender, in_flight: usize) -> usize {
    let mut pairs = in_flight.max(16);
    loop {
        let start = Instant::now();
        contender.pairs(pairs, in_flight);
        if start.elapsed() >= BLOCK / 2 {
            return 2 * pairs;
        }
        pairs *= 2;
    }
}

/// Returns the time and the CPU time of a request, in seconds.
fn measure(contender: &Contender, pairs: usize, in_flight: usize) -> (f64, f64) {
    let (start, cpu) = (Instant::now(), cpu_time());
    contender.pairs(pairs, in_flight);
    let requests = 2.0 * f64::from(u32::try_from(pairs.div_ceil(in_flight) * in_flight).unwrap());
    (start.elapsed().as_secs_f64() / requests, (cpu_time() - cpu).as_secs_f64() / requests)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
