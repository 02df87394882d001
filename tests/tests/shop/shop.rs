//! The shop: what it remembers, what it keeps, and which machines it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use strike_core::machine::{Call, CreateOnce, Machine, Step, WaitPaid};
use strike_core::mirror::Mirror;
use strike_core::mirror::NextRequest;
use strike_core::webhook::CompletedCharges;
use strike_core::{Charge, ChargeId, CreateOutcome, Event, Get, NewCharge, Now, Reply, WaitOutcome, Watcher};

/// How an order is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// With a key of its name.
    Name { repost: bool },
    /// As a lazy charge that the shop keeps.
    Mirror,
}

/// An order, as the customer placed it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) wanted: NewCharge,
    pub(crate) by: By,
    /// Whether it is followed by the watcher, or by a wait of its own.
    pub(crate) watched: bool,
    /// The shop's wall clock when it came.
    pub(crate) came: u64,
    /// Rows of the host that the customer was shown.
    pub(crate) shown: BTreeSet<usize>,
}

/// What the database holds of an order.
#[derive(Debug, Clone, Default)]
pub(crate) enum Row {
    #[default]
    Absent,
    Mirror(String),
    Charge(String),
    Over,
}

/// What survives a crash.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) rows: Vec<Row>,
    /// The watcher's state, and which charges are in it by our own books.
    pub(crate) watched: Option<(String, BTreeSet<ChargeId>)>,
    pub(crate) completed: BTreeSet<usize>,
    pub(crate) guarded: BTreeSet<ChargeId>,
}

/// A store that cannot fail, for the guard.
#[derive(Debug)]
pub(crate) struct Store<'a>(pub(crate) &'a mut BTreeSet<ChargeId>);

impl CompletedCharges for Store<'_> {
    type Error = Infallible;

    fn contains(&mut self, id: &ChargeId) -> Result<bool, Infallible> {
        Ok(self.0.contains(id))
    }

    fn insert(&mut self, id: &ChargeId) -> Result<(), Infallible> {
        self.0.insert(id.clone());
        Ok(())
    }
}

/// What the running program knows, and a crash forgets.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) mirrors: BTreeMap<usize, Mirror>,
    /// How often the mirror's create was asked about in vain.
    pub(crate) tries: BTreeMap<usize, u32>,
    pub(crate) charges: BTreeMap<ChargeId, (usize, Charge)>,
    /// What the watcher watches, by our own books.
    pub(crate) live: BTreeSet<ChargeId>,
    pub(crate) jobs: BTreeMap<u64, Job>,
    pub(crate) watch_job: Option<u64>,
}

/// A machine that is being driven.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) order: usize,
    /// Which wake-up or reply is the next: others come too late.
    pub(crate) token: u64,
    pub(crate) in_flight: bool,
    /// The key's trace, for a create.
    pub(crate) trace: usize,
    /// The creates that it sent.
    pub(crate) sent: Vec<usize>,
    /// The create that is under way.
    pub(crate) post: Option<usize>,
    /// The creates whose charges the list showed when the last look began.
    pub(crate) saw: BTreeSet<usize>,
    /// When a create of this machine became doubtful, and whether nothing failed since.
    pub(crate) doubt: Option<(u64, bool)>,
    /// Whether the exchange under way has a fault.
    pub(crate) faulty: bool,
    pub(crate) steps: u32,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Create(Box<CreateOnce>, Option<NextRequest>),
    Wait(Box<WaitPaid>),
    Confirm(Box<Call<Get>>),
    Watch,
}

/// What a machine ended with.
#[derive(Debug)]
pub(crate) enum Out {
    Made(CreateOutcome),
    Waited(WaitOutcome),
    Confirmed(Charge),
    Event(Option<Event>),
}

fn lift<T>(step: Step<T>, out: impl FnOnce(T) -> Out) -> Step<Out> {
    match step {
        Step::Send(exchange) => Step::Send(exchange),
        Step::Wait(wait) => Step::Wait(wait),
        Step::Done(result) => Step::Done(result.map(out)),
    }
}

impl Job {
    pub(crate) fn new(kind: Kind, order: usize, trace: usize) -> Self {
        Self {
            kind,
            order,
            token: 0,
            in_flight: false,
            trace,
            sent: Vec::new(),
            post: None,
            saw: BTreeSet::new(),
            doubt: None,
            faulty: false,
            steps: 0,
        }
    }

    pub(crate) fn poll(&mut self, watcher: &mut Watcher, now: Now) -> Step<Out> {
        match &mut self.kind {
            Kind::Create(machine, _) => lift(machine.poll(now), Out::Made),
            Kind::Wait(machine) => lift(machine.poll(now), Out::Waited),
            Kind::Confirm(machine) => lift(machine.poll(now), Out::Confirmed),
            Kind::Watch => lift(watcher.next().poll(now), Out::Event),
        }
    }

    pub(crate) fn handle(&mut self, watcher: &mut Watcher, reply: Reply, now: Now) {
        match &mut self.kind {
            Kind::Create(machine, _) => machine.handle(reply, now),
            Kind::Wait(machine) => machine.handle(reply, now),
            Kind::Confirm(machine) => machine.handle(reply, now),
            Kind::Watch => watcher.next().handle(reply, now),
        }
    }
}
