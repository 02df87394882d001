//! Random sequences of orders, payments, expiries, renewals, hints, stops and crashes on two
//! instances, and rules that hold after each.
//!
//! `STRIKE_SEQUENCES` sets how many sequences run, and `STRIKE_SEQUENCES_SEED` the first seed.

use std::collections::{BTreeMap, BTreeSet};

use strike_async::{ChargeId, NewCharge};
use strike_orders::{Order, OrderState};

use crate::world::{Database, Instance, Till, Trouble, World, millis, notification_of, seconds, until};

const ORDERS: u64 = 5;
const STEPS: usize = 30;

/// What the payers and the shop have seen.
struct Run {
    world: World,
    rng: fastrand::Rng,
    instances: [Instance; 2],
    /// The invoice of each order and attempt that a payer saw.
    shown: BTreeMap<(String, u32), Order>,
    paid: BTreeSet<ChargeId>,
    hidden: BTreeSet<ChargeId>,
}

impl Run {
    async fn new(db: Database, seed: u64) -> Self {
        let world = World::new(db).await;
        let instances = world.two_instances().await;
        let rng = fastrand::Rng::with_seed(seed);
        let run = Self {
            world,
            rng,
            instances,
            shown: BTreeMap::new(),
            paid: BTreeSet::new(),
            hidden: BTreeSet::new(),
        };
        run.start(0);
        run.start(1);
        run
    }

    /// Runs an instance. Some of its first handlers fail.
    fn start(&self, instance: usize) {
        let mut rng = fastrand::Rng::with_seed(self.rng.clone().u64(..));
        let trouble = |kind: u8| match kind {
            0 => Trouble::Error("an error".to_owned()),
            _ => Trouble::Panic("a panic".to_owned()),
        };
        let troubles: Vec<_> = (0..rng.usize(0..2)).map(|_| trouble(rng.u8(0..2))).collect();
        drop(self.instances[instance].run(&Till::with(troubles)));
    }

    async fn step(&mut self) {
        let instance = self.rng.usize(0..2);
        let order = self.rng.u64(0..ORDERS);
        match self.rng.u8(0..16) {
            0..5 => self.obtain(instance, order, true).await,
            5..7 => self.obtain(instance, order, false).await,
            7..9 => self.pay(false),
            9 => self.pay(true),
            10 => self.show(),
            11 => self.world.advance(seconds(60 * self.rng.u64(1..30))),
            12 => self.hint(instance).await,
            13 => self.restart(instance).await,
            14 => self.crash(instance).await,
            _ => {
                let orders = self.rng.u64(0..ORDERS);
                tokio::join!(self.call(0, orders), self.call(1, orders));
            }
        }
    }

    fn ordered(order: u64) -> NewCharge {
        NewCharge::satoshis(1000 + order, "tea").expiry_sec(600)
    }

    /// Places or renews an order, and pays attention to what is shown.
    async fn obtain(&mut self, instance: usize, order: u64, is_new: bool) {
        let (name, ordered) = (format!("order-{order}"), Self::ordered(order));
        let instance = &self.instances[instance];
        let result =
            if is_new { instance.place(&name, ordered).await } else { instance.renew(&name, ordered).await };
        if let Ok(order) = result {
            self.saw(order);
        }
    }

    /// Places an order while another call does the same.
    async fn call(&self, instance: usize, order: u64) {
        let name = format!("order-{order}");
        drop(self.instances[instance].place(&name, Self::ordered(order)).await);
    }

    fn saw(&mut self, order: Order) {
        let key = (order.name().to_owned(), order.attempt());
        let first = self.shown.entry(key).or_insert_with(|| order.clone());
        assert_eq!(first.payment_request(), order.payment_request(), "two invoices were shown for {order:?}");
    }

    /// Pays an invoice that a payer saw, if it can be paid.
    fn pay(&mut self, is_late: bool) {
        let Some(order) = self.rng.choice(self.shown.values()) else { return };
        let id = order.charge().id().clone();
        if self.world.host.sandbox.pay(&id).is_ok() {
            if is_late {
                self.world.host.hide(&id);
                self.hidden.insert(id.clone());
            }
            self.paid.insert(id);
        }
    }

    /// The host shows a late payment.
    fn show(&mut self) {
        if let Some(id) = self.hidden.pop_first() {
            self.world.host.show(&id);
        }
    }

    async fn hint(&mut self, instance: usize) {
        let Some(order) = self.rng.choice(self.shown.values()) else { return };
        self.hint_of(instance, order.charge().id()).await;
    }

    async fn hint_of(&self, instance: usize, id: &ChargeId) {
        let hint = notification_of(id);
        self.instances[instance].on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    }

    async fn restart(&mut self, instance: usize) {
        self.instances[instance].desk.stop();
        self.replace(instance).await;
    }

    /// Crashes an instance in the middle of a place.
    async fn crash(&mut self, instance: usize) {
        let order = self.rng.u64(0..ORDERS);
        let name = format!("order-{order}");
        let call = self.instances[instance].place(&name, Self::ordered(order));
        for _ in 0..self.rng.u8(0..20) {
            tokio::task::yield_now().await;
        }
        drop(call);
        self.replace(instance).await;
    }

    async fn replace(&mut self, instance: usize) {
        self.instances[instance] = self.world.instance().await;
        self.start(instance);
    }

    /// Lets everything end: all payments show, and every invoice expires.
    async fn settle(&mut self) {
        while !self.hidden.is_empty() {
            self.show();
        }
        let places = "SELECT count(*) FROM strike_charges WHERE state = 'creating'";
        until("all creates to be finished", async || self.world.db.number(places).await == 0).await;
        self.world.advance(seconds(7200));
        for id in &self.paid {
            self.hint_of(0, id).await;
        }
        let open =
            "SELECT count(*) FROM strike_charges WHERE state IN ('creating', 'pending') OR found IS NOT NULL";
        until("all charges to end", async || self.world.db.number(open).await == 0).await;
        let paid = "SELECT count(*) FROM strike_charges WHERE state = 'paid'";
        let wanted = i64::try_from(self.paid.len()).unwrap();
        until("all payments to be found", async || self.world.db.number(paid).await == wanted).await;
    }

    async fn check(&mut self) {
        let sales = self.world.db.sales().await;
        let unique: BTreeSet<_> = sales.iter().collect();
        assert_eq!(unique.len(), sales.len(), "an end was told twice: {sales:?}");
        let mut payments = Vec::new();
        for ((name, attempt), order) in &self.shown {
            let is_paid = self.paid.contains(order.charge().id());
            let sale = format!("{name} {attempt}");
            let told = sales.iter().filter(|told| told.ends_with(&sale) && told.starts_with("paid")).count();
            assert_eq!(told, usize::from(is_paid), "{sale} in {sales:?}");
            if is_paid {
                payments.push(name.clone());
            }
        }
        let told = sales.iter().filter(|told| told.starts_with("paid")).count();
        assert_eq!(told, self.paid.len(), "an unpaid charge was told as paid: {sales:?}");
        for order in 0..ORDERS {
            let name = format!("order-{order}");
            let is_paid = payments.contains(&name);
            let completed = sales.iter().filter(|told| told.starts_with(&format!("paid {name} "))).count();
            assert_eq!(completed, usize::from(is_paid), "{name} in {sales:?}");
            if let Some(order) = self.instances[0].order(&name).await {
                assert_eq!(order.state() == OrderState::Paid, is_paid, "{order:?}");
            }
        }
    }
}

async fn sequence_keeps_the_rules(db: Database, seed: u64) {
    println!("seed {seed}");
    let mut run = Run::new(db, seed).await;
    for _ in 0..STEPS {
        run.step().await;
        if run.rng.u8(0..4) == 0 {
            tokio::time::sleep(millis(run.rng.u64(0..60))).await;
        }
    }
    run.settle().await;
    run.check().await;
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let first = number("STRIKE_SEQUENCES_SEED", 1);
    first..first + number("STRIKE_SEQUENCES", 4)
}

#[tokio::test]
async fn random_sequences_keep_the_rules() {
    for seed in seeds() {
        sequence_keeps_the_rules(Database::sqlite(), seed).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL; run .ci/postgres"]
async fn random_sequences_keep_the_rules_on_postgres() {
    for seed in seeds() {
        sequence_keeps_the_rules(Database::postgres(), seed).await;
    }
}
