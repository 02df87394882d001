//! Runs every fuzz target with its seeds, mutations of the seeds and random bytes.
//!
//! The inputs are the same in every run. `STRIKE_FUZZ_SEED=2` selects others, and
//! `STRIKE_FUZZ_RUNS=200000 cargo test --release -p strike-fuzz -- --nocapture` runs more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "prints the number of runs")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use fastrand::Rng;
use strike_fuzz::{TARGETS, Target};

/// Returns a number from the environment, or the default.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Makes up to five changes to the bytes, some of which copy parts of `others`.
fn mutate(data: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut Rng) {
    for _ in 0..rng.usize(1..6) {
        let start = rng.usize(0..=data.len());
        let end = (start + rng.usize(0..8)).min(data.len());
        let random_bytes: Vec<u8> = (0..rng.usize(0..6)).map(|_| rng.u8(..)).collect();
        match rng.u8(0..7) {
            0 => drop(data.splice(start..end, random_bytes)),
            1 => drop(data.splice(start..start, random_bytes)),
            2 => drop(data.drain(start..end)),
            3 if start < data.len() => data[start] ^= 1 << rng.u8(0..8),
            4 => {
                let again = data[start..end].to_vec();
                drop(data.splice(start..start, again));
            }
            5 => {
                let other = &others[rng.usize(0..others.len())];
                let from = rng.usize(0..=other.len());
                data.truncate(start);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                // Small numbers select the branches in most targets.
                if let Some(byte) = data.get_mut(start) {
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
