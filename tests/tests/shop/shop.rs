//! The shop: its orders, its database, its memory, and the machines it runs.

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
    /// With `create_once`, and a key from the order's name.
    Name { repost: bool },
    /// As a lazy charge that is stored in the database.
    Mirror,
}

/// An order of a customer.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) wanted: NewCharge,
    pub(crate) by: By,
    /// Whether the watcher watches it. Otherwise a wait of its own does.
    pub(crate) watched: bool,
    /// When it was placed, by the shop's wall clock. 0 if it was not placed yet.
    pub(crate) placed: u64,
    /// The charges that the customer was shown, as rows of the server.
    pub(crate) shown: BTreeSet<usize>,
}

/// The stored state of an order.
#[derive(Debug, Clone, Default)]
pub(crate) enum Row {
    #[default]
    Absent,
    Mirror(String),
    Charge(String),
    Over,
}

/// The state that survives a crash.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) rows: Vec<Row>,
    /// The stored state of the watcher, and the ids that it should contain.
    pub(crate) watched: Option<(String, BTreeSet<ChargeId>)>,
    pub(crate) completed: BTreeSet<usize>,
    pub(crate) guarded: BTreeSet<ChargeId>,
}

/// A store for the webhook guard that cannot fail.
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

/// The state that a crash destroys.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) mirrors: BTreeMap<usize, Mirror>,
    /// The number of failed creates of a mirror.
    pub(crate) tries: BTreeMap<usize, u32>,
    pub(crate) charges: BTreeMap<ChargeId, (usize, Charge)>,
    /// The ids that the watcher should contain.
    pub(crate) live: BTreeSet<ChargeId>,
    pub(crate) jobs: BTreeMap<u64, Job>,
    pub(crate) watch_job: Option<u64>,
}

/// A machine and its state in the simulation.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) order: usize,
    /// The token of the next wake-up or response. Events with other tokens are ignored.
    pub(crate) token: u64,
    pub(crate) in_flight: bool,
    /// The trace of the order key, if the machine creates.
    pub(crate) trace: usize,
    /// The creates that it has sent.
    pub(crate) sent: Vec<usize>,
    /// The create that is in flight.
    pub(crate) post: Option<usize>,
    /// The creates whose charges were in the list when the machine last began to read it.
    pub(crate) listed_before: BTreeSet<usize>,
    /// When a create of this machine first had an unknown outcome, and whether no exchange failed
    /// since then.
    pub(crate) doubt: Option<(u64, bool)>,
    /// Whether the exchange in flight has a fault.
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

/// The result of a machine.
#[derive(Debug)]
pub(crate) enum Out {
    Made(CreateOutcome),
    Waited(WaitOutcome),
    Confirmed(Charge),
    Event(Option<Event>),
}

fn map_result<T>(step: Step<T>, out: impl FnOnce(T) -> Out) -> Step<Out> {
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
            listed_before: BTreeSet::new(),
            doubt: None,
            faulty: false,
            steps: 0,
        }
    }

    pub(crate) fn poll(&mut self, watcher: &mut Watcher, now: Now) -> Step<Out> {
        match &mut self.kind {
            Kind::Create(machine, _) => map_result(machine.poll(now), Out::Made),
            Kind::Wait(machine) => map_result(machine.poll(now), Out::Waited),
            Kind::Confirm(machine) => map_result(machine.poll(now), Out::Confirmed),
            Kind::Watch => map_result(watcher.next().poll(now), Out::Event),
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
