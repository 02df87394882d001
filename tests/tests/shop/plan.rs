//! The random settings of a simulation.

use std::time::Duration;

use strike_core::{CoreClient, Network, NewCharge, RetryPolicy, Schedule, Watcher, WebhookSecret};
use strike_tests::lnbits::LnbitsQuirks;
use strike_tests::secrets::KEY;
use strike_tests::{Dialect, ORIGIN};

use super::host::Host;
use super::service::Service;
use super::webhooks::SECRET;

/// The start of every simulation, in Unix milliseconds.
pub(crate) const START: u64 = 1_700_000_000_000;

const MINUTE: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dialect: Dialect,
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
    pub(crate) pace: u64,
    cap: usize,
    lag: u64,
    dates: bool,
    real: bool,
    policy: RetryPolicy,
    /// Whether LNbits is one of the old versions that ignore filters they do not know.
    old_lnbits: bool,
}

fn one_of<T: Copy>(rng: &mut fastrand::Rng, of: &[T]) -> T {
    of[rng.usize(0..of.len())]
}

impl Plan {
    /// Draws a plan. The same seed gives the same plan in every dialect, except for the clocks:
    /// phoenixd sends no `Date`, so the shop's clock must not jump.
    pub(crate) fn draw(dialect: Dialect, rng: &mut fastrand::Rng) -> Self {
        let real = rng.u8(0..16) == 0;
        let orders = match rng.u8(0..60) {
            _ if real => rng.usize(1..=12),
            0 => rng.usize(100..=250),
            1..16 => rng.usize(1..=3),
            _ => rng.usize(4..=40),
        };
        let sends_dates = dialect != Dialect::Phoenixd;
        let jumps = rng.u8(0..4) == 0 && sends_dates;
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
        let old_lnbits = rng.u8(0..4) == 0;
        Self {
            dialect,
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
            dates: (jumps || rng.u8(0..8) != 0) && sends_dates,
            real,
            policy,
            old_lnbits,
        }
    }

    pub(crate) fn host(&self, rng: &mut fastrand::Rng) -> Host {
        let quirks = LnbitsQuirks {
            ignores_external_id: self.old_lnbits,
            no_date: !self.dates,
            list_lag: Duration::from_millis(if self.real { 0 } else { self.lag }),
            fee_msat: 7000,
            ..LnbitsQuirks::default()
        };
        if self.real {
            Host::real(self.dialect, rng.u64(..), self.cap, START, quirks)
        } else {
            Host::simulated(self.dialect, Service::new(self.cap, self.lag, self.dates), quirks)
        }
    }

    pub(crate) fn machines(&self, seed: u64) -> CoreClient {
        let builder = self.dialect.builder(ORIGIN, KEY, Network::Testnet).unwrap();
        let secret = WebhookSecret::new(SECRET).unwrap();
        CoreClient::new(builder.webhook_secret(secret).build().unwrap(), self.policy, seed)
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

/// Draws a random order that the backend accepts.
pub(crate) fn order(dialect: Dialect, rng: &mut fastrand::Rng, number: usize) -> NewCharge {
    const WORDS: [&str; 6] = ["tea", "", "a & b = \"c\"", "Zürich → Kyōto 🍵", "50% off\\", "two\nlines"];
    let description = match rng.u8(0..4) {
        0 => format!("{} {number}", one_of(rng, &WORDS)),
        1 => "x".repeat(rng.usize(0..=256)),
        _ => one_of(rng, &WORDS).to_owned(),
    };
    let description = match dialect {
        Dialect::Strike => description,
        Dialect::Phoenixd => description.chars().take(64).collect(),
        Dialect::Lnbits if description.is_empty() => "tea".to_owned(),
        Dialect::Lnbits => description,
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
