//! The random settings of a simulation.

use std::time::Duration;

use strike_core::{ApiKey, CoreClient, Endpoint, Network, NewCharge, RetryPolicy, Schedule, Watcher};

use super::host::Host;

/// The start of every simulation, in Unix milliseconds.
pub(crate) const START: u64 = 1_700_000_000_000;

const MINUTE: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) orders: usize,
    /// How many charges other customers create during the simulation.
    pub(crate) others: usize,
    /// The time span in which orders are placed, in milliseconds.
    pub(crate) spread: u64,
    /// When faults stop, in milliseconds.
    pub(crate) calm_at: u64,
    /// The rate of exchanges with a fault, per thousand.
    pub(crate) faults: u32,
    /// The rate of steps in which the program crashes, per ten thousand.
    pub(crate) crashes: u32,
    /// Whether the wall clock jumps. If so, every response has a `Date`.
    pub(crate) jumps: bool,
    /// Whether the shop restores watched charges only from the watcher's stored state.
    pub(crate) restore_only: bool,
    /// Whether the shop uses `CreateOnceOptions::since`.
    pub(crate) since: bool,
    /// Whether the program may be down for hours.
    pub(crate) long_downs: bool,
    pub(crate) grace: u64,
    schedule: Schedule,
    page_size: u32,
    pace: u64,
    cap: usize,
    lag: u64,
    dates: bool,
    real: bool,
    policy: RetryPolicy,
}

fn one_of<T: Copy>(rng: &mut fastrand::Rng, of: &[T]) -> T {
    of[rng.usize(0..of.len())]
}

impl Plan {
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> Self {
        let real = rng.u8(0..16) == 0;
        let orders = match rng.u8(0..60) {
            _ if real => rng.usize(1..=12),
            0 => rng.usize(100..=250),
            1..16 => rng.usize(1..=3),
            _ => rng.usize(4..=40),
        };
        let jumps = rng.u8(0..4) == 0;
        let since = rng.bool();
        let spread = one_of(rng, &[1, MINUTE, 10 * MINUTE, 30 * MINUTE]);
        let policy = one_of(
            rng,
            &[
                RetryPolicy::default(),
                RetryPolicy::never(),
                RetryPolicy::default().attempts(5).timeout(Duration::from_secs(5)),
            ],
        );
        let longest = Duration::from_secs(one_of(rng, &[20, 60, 60, 300]));
        Self {
            orders,
            others: if rng.bool() { rng.usize(0..=orders.min(40)) } else { 0 },
            spread,
            calm_at: spread + one_of(rng, &[0, 5 * MINUTE, 20 * MINUTE, 40 * MINUTE]),
            faults: one_of(rng, &[0, 20, 100, 200, 400]),
            crashes: one_of(rng, &[0, 0, 10, 40, 100]),
            jumps,
            restore_only: rng.bool(),
            since,
            long_downs: since && !jumps && rng.u8(0..4) == 0,
            grace: one_of(rng, &[10_000, 60_000, 60_000, 120_000]),
            schedule: Schedule::new(Duration::from_secs(1), one_of(rng, &[100, 125, 200]), longest),
            page_size: one_of(rng, &[10, 30, 250, 250, 1000]),
            pace: one_of(rng, &[0, 20, 20, 500]),
            cap: one_of(rng, &[3, 7, 30, 100, 1000]),
            lag: if rng.u8(0..4) == 0 { rng.u64(1..1500) } else { 0 },
            dates: jumps || rng.u8(0..8) != 0,
            real,
            policy,
        }
    }

    pub(crate) fn host(&self, rng: &mut fastrand::Rng) -> Host {
        if self.real {
            Host::real(rng.u64(..), self.cap, START)
        } else {
            Host::simulated(self.cap, self.lag, self.dates)
        }
    }

    pub(crate) fn machines(&self, seed: u64) -> CoreClient {
        let key = ApiKey::new("sk_demo").unwrap();
        let endpoint = Endpoint::new("http://127.0.0.1/api/v1/", key, Network::Testnet).unwrap();
        CoreClient::new(endpoint, self.policy, seed)
    }

    pub(crate) fn watcher(&self, machines: &CoreClient) -> Watcher {
        machines
            .watcher()
            .schedule(self.schedule)
            .grace(Duration::from_millis(self.grace))
            .page_size(self.page_size)
            .request_interval(Duration::from_millis(self.pace))
    }
}

/// Draws a random order.
pub(crate) fn order(rng: &mut fastrand::Rng, number: usize) -> NewCharge {
    const WORDS: [&str; 6] = ["tea", "", "a & b = \"c\"", "Zürich → Kyōto 🍵", "50% off\\", "two\nlines"];
    let description = match rng.u8(0..4) {
        0 => format!("{} {number}", one_of(rng, &WORDS)),
        1 => "x".repeat(rng.usize(0..=256)),
        _ => one_of(rng, &WORDS).to_owned(),
    };
    let amount = if rng.bool() { rng.u64(1..=4_294_967) } else { rng.u64(1..=10) };
    let mut order = NewCharge::satoshis(amount, description);
    if rng.bool() {
        order = order.customer_id(format!("table {number}"));
    }
    match rng.u8(0..40) {
        0 => order,
        1 => order.expiry_sec(rng.u32(1..10_800)),
        2..10 => order.expiry_sec(rng.u32(1..=30)),
        _ => order.expiry_sec(rng.u32(30..900)),
    }
}
