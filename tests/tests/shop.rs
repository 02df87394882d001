//! A shop with random orders, and everything that goes wrong between it and the host: the promises hold all the same.
//!
//! Virtual time, one seed, core's machines alone. As many orders as one likes:
//!
//! ```sh
//! STRIKE_SIM_ORDERS=1000000 cargo test --release -p strike-tests --test shop -- --nocapture
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod shop {
    pub(crate) mod crash;
    pub(crate) mod customers;
    pub(crate) mod ending;
    pub(crate) mod following;
    pub(crate) mod host;
    pub(crate) mod invoice;
    pub(crate) mod keeper;
    pub(crate) mod laws;
    pub(crate) mod net;
    pub(crate) mod plan;
    pub(crate) mod service;
    #[expect(clippy::module_inception, reason = "it is the shop of the shop")]
    pub(crate) mod shop;
    pub(crate) mod tally;
    pub(crate) mod watching;
    pub(crate) mod world;
}

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use shop::tally::Tally;
use shop::world::World;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Runs the world of that seed.
fn run(seed: u64) -> Result<Tally, String> {
    let mut world = World::new(seed);
    match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(()) => Ok(world.into_tally()),
        Err(panic) => Err(words(&*panic)),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
fn no_order_is_lost_doubled_or_given_away() {
    let usual = if cfg!(debug_assertions) { 1_000 } else { 100_000 };
    let wanted = setting("STRIKE_SIM_ORDERS").unwrap_or(usual);
    let seed = setting("STRIKE_SIM_SEED").unwrap_or(1);
    let began = Instant::now();
    let (next, orders) = (AtomicU64::new(0), AtomicU64::new(0));
    let whole = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while orders.load(Ordering::Relaxed) < wanted {
                    let world = seed.wrapping_add(next.fetch_add(1, Ordering::Relaxed));
                    let tally = run(world).unwrap_or_else(|broken| {
                        panic!("{broken}\nreplay it with STRIKE_SIM_SEED={world} STRIKE_SIM_ORDERS=1 cargo test --release -p strike-tests --test shop")
                    });
                    orders.fetch_add(tally.get("orders"), Ordering::Relaxed);
                    whole.lock().unwrap().add(&tally);
                }
            });
        }
    });
    let worlds = next.into_inner();
    println!("seed {seed}, {worlds} worlds, {:.1?}: {}", began.elapsed(), whole.into_inner().unwrap());
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 0..if cfg!(debug_assertions) { 4 } else { 40 } {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
