//! The customers: each places an order, perhaps on several instances at once, and pays or does not.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use strike_orders_tests::commands::{Action, Outcome, Shown, Wanted};
use strike_orders_tests::host::{self, Host};
use strike_orders_tests::late_host::LATE;
use strike_orders_tests::record::Record;
use strike_orders_tests::shop::Shop;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

/// How long a customer tries to order. Longer than it should take, since a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// What one customer will do. It depends only on the seed.
#[derive(Debug, Clone)]
pub struct Plan {
    wanted: Wanted,
    /// When the customer comes.
    start: Duration,
    /// To how many instances the order goes at the same moment.
    doors: u32,
    behavior: Behavior,
    /// Whether the page is loaded again later.
    reloads: bool,
    rng: fastrand::Rng,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behavior {
    /// Pays soon after the order.
    Pays,
    /// Pays in the last second and a half before the expiry, or too late.
    PaysNearExpiry,
    /// Pays near the expiry, renews the order if the payment is not seen then, and pays again when
    /// the host shows the first payment.
    PaysTwice,
    /// Lets the invoice expire, orders a new one, and pays that.
    Renews,
    /// Lets the invoice expire.
    Leaves,
    /// Does not pay. The invoice is still valid at the end of the test.
    Waits,
}

impl Plan {
    pub fn new(seed: u64, number: u64, window: Duration) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let behavior = match rng.u32(0..100) {
            0..60 => Behavior::Pays,
            60..72 => Behavior::PaysNearExpiry,
            72..80 => Behavior::PaysTwice,
            80..90 => Behavior::Renews,
            90..98 => Behavior::Leaves,
            _ => Behavior::Waits,
        };
        let is_long = matches!(behavior, Behavior::Pays | Behavior::Waits);
        let wanted = Wanted {
            name: format!("order-{number}"),
            satoshi: rng.u64(1..100_000),
            lifetime: if is_long { 3600 } else { rng.u32(8..16) },
        };
        let start = window.mul_f64(rng.f64());
        let doors = if rng.u32(0..4) == 0 { rng.u32(2..=4) } else { 1 };
        Self { wanted, start, doors, behavior, reloads: rng.u32(0..10) == 0, rng }
    }
}

/// Serves all customers, of whom only some place their order at the same moment.
pub async fn serve_all(
    plans: Vec<Plan>,
    shop: &Shop,
    host: &Arc<Host>,
    record: &Arc<Record>,
    at_once: usize,
) {
    let door = Arc::new(Semaphore::new(at_once));
    let mut plans = plans;
    // The semaphore is fair, so the order of the tasks is the order of the customers.
    plans.sort_by_key(|plan| plan.start);
    let tasks = plans.into_iter().map(|plan| {
        let visit = Visit { plan, shop: shop.clone(), host: Arc::clone(host), record: Arc::clone(record) };
        tokio::spawn(visit.run(Arc::clone(&door)))
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

struct Visit {
    plan: Plan,
    shop: Shop,
    host: Arc<Host>,
    record: Arc<Record>,
}

impl Visit {
    async fn run(mut self, door: Arc<Semaphore>) {
        sleep(self.plan.start).await;
        let entered = door.acquire().await.unwrap();
        let shown = self.place().await.expect("a new order is not paid");
        self.record.count("orders served");
        drop(entered);
        match self.plan.behavior {
            Behavior::Pays => {
                self.wait_up_to(Duration::from_secs(4)).await;
                self.pay(&shown);
            }
            Behavior::PaysNearExpiry => self.pay_near_expiry(&shown).await,
            Behavior::PaysTwice => {
                self.pay_near_expiry(&shown).await;
                self.renew_and_pay(&shown).await;
            }
            Behavior::Renews => self.renew_and_pay(&shown).await,
            Behavior::Leaves | Behavior::Waits => {}
        }
        if self.plan.reloads {
            self.wait_up_to(Duration::from_secs(6)).await;
            self.place().await;
        }
    }

    /// Orders at one or more instances, until each has shown the invoice. Returns `None` if the order
    /// is paid.
    async fn place(&mut self) -> Option<Shown> {
        let doors = (0..self.plan.doors).map(|_| self.plan.rng.fork()).collect::<Vec<_>>();
        let action = Action::Place(self.plan.wanted.clone());
        let all = join_all(doors.into_iter().map(|rng| self.until_shown(rng, action.clone()))).await;
        all.into_iter().flatten().next()
    }

    /// Repeats an action until an invoice is shown. Returns `None` if the order is paid.
    async fn until_shown(&self, mut rng: fastrand::Rng, action: Action) -> Option<Shown> {
        let end = Instant::now() + PATIENCE;
        loop {
            let outcome = timeout(Duration::from_secs(20), self.shop.ask(&mut rng, action.clone())).await;
            let failure = match outcome {
                Ok(Ok(Outcome::Shown(shown))) => return Some(shown),
                Ok(Ok(Outcome::AlreadyPaid)) => return None,
                Ok(Ok(other)) => format!("{other:?}"),
                Ok(Err(gone)) => format!("{gone:?}"),
                Err(late) => format!("{late}"),
            };
            self.record.count("commands repeated");
            let name = &self.plan.wanted.name;
            let late = format!("{name}: {failure} after {PATIENCE:?}");
            assert!(Instant::now() < end, "{late}; the processes wrote:\n{}", self.shop.last_errors());
            sleep(Duration::from_millis(rng.u64(20..500))).await;
        }
    }

    async fn wait_up_to(&mut self, longest: Duration) {
        sleep(longest.mul_f64(self.plan.rng.f64())).await;
    }

    async fn pay_near_expiry(&mut self, shown: &Shown) {
        let before = self.plan.rng.u64(0..1500);
        sleep(self.time_until(shown.expires_at.saturating_sub(before))).await;
        self.pay(shown);
    }

    /// Waits until the order has another invoice or is paid, and pays the other invoice.
    async fn renew_and_pay(&mut self, first: &Shown) {
        sleep(self.time_until(first.expires_at)).await;
        let end = Instant::now() + PATIENCE;
        loop {
            // Until the instances know that the invoice has expired, they show it again.
            let action = Action::Renew(self.plan.wanted.clone());
            let Some(shown) = self.until_shown(self.plan.rng.clone(), action).await else { return };
            if shown.attempt > first.attempt {
                self.record.count("orders renewed");
                if self.plan.behavior == Behavior::PaysTwice {
                    let appears = first.expires_at + u64::try_from(LATE.as_millis()).unwrap();
                    let later = self.plan.rng.u64(0..1000);
                    sleep(self.time_until(appears + later)).await;
                    self.notify(first);
                }
                self.pay(&shown);
                return;
            }
            assert!(Instant::now() < end, "{}: the invoice did not expire", first.name);
            self.wait_up_to(Duration::from_secs(2)).await;
        }
    }

    fn time_until(&self, time: u64) -> Duration {
        Duration::from_millis(time.saturating_sub(self.host.now()))
    }

    /// Pays. The host sends webhooks then.
    fn pay(&mut self, shown: &Shown) {
        if !self.host.pay(&shown.charge) {
            self.record.count("payments too late");
            return;
        }
        self.record.count("payments");
        self.notify(shown);
    }

    /// Sends webhooks to any instance: none, one or more, and in any order.
    fn notify(&mut self, shown: &Shown) {
        let body = host::webhook(&shown.charge);
        for _ in 0..self.plan.rng.u32(0..4) {
            let (shop, body, mut rng) = (self.shop.clone(), body.clone(), self.plan.rng.fork());
            let record = Arc::clone(&self.record);
            tokio::spawn(async move {
                sleep(Duration::from_millis(rng.u64(0..3000))).await;
                match shop.ask(&mut rng, Action::Webhook(body)).await {
                    Ok(Outcome::Hinted) => record.count("webhooks handled"),
                    _ => record.count("webhooks lost"),
                }
            });
        }
    }
}
