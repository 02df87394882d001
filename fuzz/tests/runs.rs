//! Every target with its seeds, with mutations of them and with noise: a fixed number of runs, always the same ones.
//!
//! `STRIKE_FUZZ_RUNS=200000 cargo test --release -p strike-fuzz -- --nocapture` runs longer; `STRIKE_FUZZ_SEED=2` runs others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "it says how much it ran")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use fastrand::Rng;
use strike_fuzz::{TARGETS, Target};

/// A number from the environment.
fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A few changes to some bytes, most of them small; `others` are there to be crossed with.
fn mutate(data: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut Rng) {
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..=data.len());
        let end = (at + rng.usize(0..8)).min(data.len());
        let noise: Vec<u8> = (0..rng.usize(0..6)).map(|_| rng.u8(..)).collect();
        match rng.u8(0..7) {
            0 => drop(data.splice(at..end, noise)),
            1 => drop(data.splice(at..at, noise)),
            2 => drop(data.drain(at..end)),
            3 if at < data.len() => data[at] ^= 1 << rng.u8(0..8),
            4 => {
                let again = data[at..end].to_vec();
                drop(data.splice(at..at, again));
            }
            5 => {
                let other = &others[rng.usize(0..others.len())];
                let from = rng.usize(0..=other.len());
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                // A small number, as decisions are.
                if let Some(byte) = data.get_mut(at) {
                    *byte = rng.u8(0..16);
                }
            }
        }
    }
}

fn run(target: &Target, data: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(data))) {
        println!("{} fails with b\"{}\"", target.name, data.escape_ascii());
        resume_unwind(panic);
    }
}

#[test]
fn all_targets_accept_seeds_and_mutations() {
    let runs = number("STRIKE_FUZZ_RUNS", 2_000);
    for target in TARGETS {
        let seeds = seeds(&target);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        seeds.iter().for_each(|seed| run(&target, seed));
        let mut rng = Rng::with_seed(number("STRIKE_FUZZ_SEED", 1));
        for _ in 0..runs {
            let mut data = if rng.u8(0..8) == 0 {
                (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect()
            } else {
                seeds[rng.usize(0..seeds.len())].clone()
            };
            mutate(&mut data, &seeds, &mut rng);
            run(&target, &data);
        }
        println!("{}: {} seeds, {runs} mutations of them", target.name, seeds.len());
    }
}
