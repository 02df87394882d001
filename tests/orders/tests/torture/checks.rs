//! What must be true at the end, by the ledger of the host.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use strike_async::{Client, UnixMillis};
use strike_orders::{Cursor, Desk, End, OrderFilter, OrderState};
use strike_orders_tests::completions::{Completion, Completions};
use strike_orders_tests::host::Host;
use strike_orders_tests::record::Record;
use strike_orders_tests::shop::Shop;
use strike_sandbox::{ChargeRecord, ChargeState};
use tokio::time::{Instant, interval};

/// How long the desks may take to complete everything, after the last kill.
const SETTLES_WITHIN: Duration = Duration::from_secs(180);

/// How long nothing may change afterwards: longer than a lease, and than the last check of an
/// expired invoice.
const QUIET: Duration = Duration::from_secs(25);

/// Figures of a run that has settled.
#[derive(Debug)]
pub struct Settled {
    paid: usize,
    paid_again: usize,
    expired: usize,
    /// Charges at the host that no payer saw.
    orphans: usize,
    /// Charges that the host showed as paid only after their expiry.
    late: usize,
}

/// Waits until each payment and each expiry was told, and checks that none was told twice.
pub async fn settle(completions: &Completions, host: &Host, record: &Record, shop: &Shop) -> Settled {
    let (mut seconds, end) = (interval(Duration::from_secs(1)), Instant::now() + SETTLES_WITHIN);
    let mut quiet_since = None;
    loop {
        seconds.tick().await;
        record.check();
        let rows = completions.read().await.unwrap();
        let truth = Truth::new(host, record);
        let wrong = truth.wrong(&rows);
        assert!(wrong.is_empty(), "{} violations: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
        let missing = truth.missing(&rows);
        if missing.is_empty() {
            if quiet_since.get_or_insert_with(Instant::now).elapsed() > QUIET {
                return truth.settled(&rows);
            }
        } else {
            quiet_since = None;
            let some = &missing[..missing.len().min(10)];
            let late = format!("{} events are missing: {some:#?}", missing.len());
            assert!(Instant::now() < end, "{late}\nthe processes wrote:\n{}", shop.last_errors());
        }
    }
}

/// What the host and the payers know.
struct Truth {
    /// All charges of the host, by id.
    ledger: BTreeMap<String, ChargeRecord>,
    /// The charges that payers saw, by order.
    shown: BTreeMap<String, Vec<String>>,
    order_of: BTreeMap<String, String>,
}

impl Truth {
    fn new(host: &Host, record: &Record) -> Self {
        let ledger = host.ledger().into_iter().map(|charge| (charge.id().to_string(), charge)).collect();
        let (mut shown, mut order_of) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
        for ((name, _), charge) in record.all_shown() {
            shown.entry(name.clone()).or_default().push(charge.clone());
            order_of.insert(charge, name);
        }
        Self { ledger, shown, order_of }
    }

    fn is_paid(&self, charge: &str) -> bool {
        self.ledger[charge].state() == ChargeState::Paid
    }

    fn payments(&self, order: &str) -> usize {
        self.shown[order].iter().filter(|charge| self.is_paid(charge)).count()
    }

    /// Returns what should never have been told.
    fn wrong(&self, rows: &[Completion]) -> Vec<String> {
        let mut wrong = Vec::new();
        let (mut told, mut completed) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let is_payment = row.kind.starts_with("paid");
            if is_payment && !self.ledger.get(&row.charge).is_some_and(|it| it.state() == ChargeState::Paid) {
                wrong.push(format!("completed, but not paid: {row:?}"));
            }
            if is_payment && self.order_of.get(&row.charge) != Some(&row.name) {
                wrong.push(format!("a payment of another order: {row:?}"));
            }
            if row.kind == "paid" && !completed.insert(&row.name) {
                wrong.push(format!("completed twice: {row:?}"));
            }
            if !told.insert((&row.charge, is_payment)) {
                wrong.push(format!("told twice: {row:?}"));
            }
            if row.kind == "failed" {
                wrong.push(format!("failed without a reason: {row:?}"));
            }
            if row.kind == "expired"
                && self.ledger.get(&row.charge).is_some_and(|it| it.state() == ChargeState::Pending)
            {
                wrong.push(format!("expired too early: {row:?}"));
            }
        }
        wrong
    }

    /// Returns what was not told yet.
    fn missing(&self, rows: &[Completion]) -> Vec<String> {
        let told: BTreeSet<_> = rows.iter().map(|row| (row.charge.as_str(), row.kind.as_str())).collect();
        let completed: BTreeSet<_> =
            rows.iter().filter(|row| row.kind == "paid").map(|row| row.name.as_str()).collect();
        let mut missing = Vec::new();
        for (order, charges) in &self.shown {
            let payments = self.payments(order);
            if payments > 0 && !completed.contains(order.as_str()) {
                missing.push(format!("{order} is paid, but not completed"));
            }
            for charge in charges {
                let is_told = |kind| told.contains(&(charge.as_str(), kind));
                match self.ledger[charge].state() {
                    ChargeState::Paid if !is_told("paid") && !is_told("paid_again") => {
                        missing.push(format!("the payment of {charge} of {order} was not told"));
                    }
                    ChargeState::Expired if payments == 0 && !is_told("expired") => {
                        missing.push(format!("the expiry of {charge} of {order} was not told"));
                    }
                    _ => {}
                }
            }
        }
        missing
    }

    fn settled(&self, rows: &[Completion]) -> Settled {
        let count = |kind| rows.iter().filter(|row| row.kind == kind).count();
        let expired: BTreeSet<_> =
            rows.iter().filter(|row| row.kind == "expired").map(|row| &row.charge).collect();
        let late = |row: &&Completion| row.kind.starts_with("paid") && expired.contains(&row.charge);
        Settled {
            paid: count("paid"),
            paid_again: count("paid_again"),
            expired: count("expired"),
            orphans: self.ledger.keys().filter(|charge| !self.order_of.contains_key(*charge)).count(),
            late: rows.iter().filter(late).count(),
        }
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paid, paid_again, expired, orphans, late } = self;
        write!(
            f,
            "{paid} orders completed once, {paid_again} paid again, {expired} invoices expired, \
             {late} paid after that was told; {orphans} charges at the host that no payer saw"
        )
    }
}

/// Opens a desk that only reads.
pub async fn reader(url: &str, host: &Host) -> Desk {
    Desk::connect(url, Client::new(host.endpoint()).unwrap()).await.unwrap()
}

/// Checks what the desk returns about the same orders.
pub async fn reading(desk: &Desk, completions: &Completions, host: &Host, record: &Record) {
    let mut told = completions.read().await.unwrap();
    let mut ends = Vec::new();
    let mut stream = desk.ends(Cursor::start());
    while ends.len() < told.len() {
        let End { order, kind, .. } = stream.next().await.unwrap();
        let (name, charge) = (order.name().to_owned(), order.charge().id().to_string());
        ends.push(Completion { name, charge, kind: kind.as_str().to_owned() });
    }
    ends.sort();
    told.sort();
    assert!(ends == told, "the stream of ends differs from what the handlers were told");

    let truth = Truth::new(host, record);
    let paid: BTreeSet<_> = truth.shown.keys().filter(|order| truth.payments(order) > 0).cloned().collect();
    let mut listed = BTreeSet::new();
    let mut filter = OrderFilter::all().state(OrderState::Paid).page_size(100);
    loop {
        let page = desk.orders(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter = filter.after(last);
        listed.extend(page.iter().map(|order| order.name().to_owned()));
    }
    assert_eq!(listed, paid, "the orders in the state paid");
    let totals =
        desk.totals(UnixMillis::from_millis(0), UnixMillis::from_millis(host.now() + 1)).await.unwrap();
    assert_eq!(totals.iter().map(|day| day.orders).sum::<u64>(), paid.len() as u64, "{totals:?}");
}
