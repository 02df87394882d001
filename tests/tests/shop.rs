//! Simulates a shop with random orders and random faults, and checks that no order is lost, doubled
//! or given away.
//!
//! The simulation runs core's machines with virtual time and a seed, for any number of orders. With
//! phoenixd and LNbits, it runs a fifth of them:
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
    pub(crate) mod completing;
    pub(crate) mod costs;
    pub(crate) mod crash;
    pub(crate) mod creating;
    pub(crate) mod customers;
    pub(crate) mod final_checks;
    pub(crate) mod host;
    pub(crate) mod invoice;
    pub(crate) mod net;
    pub(crate) mod phoenixd;
    pub(crate) mod plan;
    pub(crate) mod rules;
    pub(crate) mod service;
    #[expect(clippy::module_inception, reason = "the module with the shop of the simulation")]
    pub(crate) mod shop;
    pub(crate) mod tally;
    pub(crate) mod watching;
    pub(crate) mod webhooks;
    pub(crate) mod world;
}

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use shop::tally::Tally;
use shop::world::World;
use strike_tests::Dialect;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Runs the simulation with this seed.
fn run(dialect: Dialect, seed: u64) -> Result<Tally, String> {
    let mut world = World::new(dialect, seed);
    match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(()) => Ok(world.into_tally()),
        Err(panic) => Err(panic_text(&*panic)),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
fn orders_are_never_lost_or_doubled_or_completed_unpaid() {
    simulate(Dialect::Strike);
}

#[test]
fn orders_are_never_lost_or_doubled_or_completed_unpaid_over_phoenixd() {
    simulate(Dialect::Phoenixd);
}

#[test]
fn orders_are_never_lost_or_doubled_or_completed_unpaid_over_lnbits() {
    simulate(Dialect::Lnbits);
}

/// Runs simulations with the same seeds, and so with the same plans, in each dialect.
fn simulate(dialect: Dialect) {
    let default = if cfg!(debug_assertions) { 1_000 } else { 100_000 };
    let wanted = setting("STRIKE_SIM_ORDERS").unwrap_or(default);
    // Their rows take longer to write and to read.
    let wanted = if dialect == Dialect::Strike { wanted } else { wanted.div_ceil(5) };
    let seed = setting("STRIKE_SIM_SEED").unwrap_or(1);
    let began = Instant::now();
    let (next, orders) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while orders.load(Ordering::Relaxed) < wanted {
                    let world = seed.wrapping_add(next.fetch_add(1, Ordering::Relaxed));
                    let tally = run(dialect, world).unwrap_or_else(|violation| {
                        panic!("{violation}\nreplay it with STRIKE_SIM_SEED={world} STRIKE_SIM_ORDERS=1 cargo test --release -p strike-tests --test shop")
                    });
                    orders.fetch_add(tally.get("orders"), Ordering::Relaxed);
                    total.lock().unwrap().add(&tally);
                }
            });
        }
    });
    let worlds = next.into_inner();
    println!(
        "{dialect}, seed {seed}, {worlds} simulations, {:.1?}: {}",
        began.elapsed(),
        total.into_inner().unwrap()
    );
}

#[test]
fn same_seed_gives_the_same_simulation() {
    for dialect in Dialect::ALL {
        for seed in 0..if cfg!(debug_assertions) { 4 } else { 40 } {
            assert_eq!(run(dialect, seed), run(dialect, seed), "{dialect}, seed {seed}");
        }
    }
}
