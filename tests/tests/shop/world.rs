//! One simulation: a server, a shop, its customers, and virtual time, which jumps from event to
//! event.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use strike_core::http::Method;
use strike_core::machine::{Operation, Step};
use strike_core::{
    CoreClient, Create, Delivery, Exchange, HttpRequest, NewCharge, Now, OrderKey, Reply, TransportError,
    TransportErrorKind, UnixMillis, Watcher,
};

use strike_tests::lnbits::PREIMAGE;
use strike_tests::{Dialect, secrets};

use super::host::Host;
use super::net::{self, Altered, Outcome};
use super::plan::{self, Plan, START};
use super::rules::Trace;
use super::shop::{By, Database, Job, Kind, Memory, Order};
use super::tally::Tally;
use super::webhooks::{self, Arrived};

/// The limit of steps of one machine, to stop a machine that never ends.
const MAX_STEPS: u32 = 200_000;

#[derive(Debug)]
pub(super) enum Event {
    Order(usize),
    /// Retries a create, unless the program was restarted after this start time.
    RetryCreate(usize, u64),
    OtherCustomer,
    Poll {
        job: u64,
        token: u64,
    },
    RequestArrives(Box<Arriving>),
    ResponseArrives {
        job: u64,
        token: u64,
        reply: Reply,
    },
    /// The response is lost, and the machine is polled without one.
    ResponseLost {
        job: u64,
        token: u64,
    },
    PayerPays {
        row: usize,
        began: u64,
    },
    /// LNbits gets its node's event of a payment late.
    NodeReportsLate(usize),
    Webhook(Arrived),
    ForgedWebhook,
    ClockJumps,
    SaveWatcher,
    Restart,
}

#[derive(Debug)]
pub(super) struct Arriving {
    request: HttpRequest,
    /// The job and token that get the response, the delay, and how the response is altered.
    back: Option<(u64, u64, u64, Altered)>,
    /// The trace of the order key and the index of the create, if the request is a create.
    post: Option<(usize, usize)>,
    /// The job, if the request reads the first page of the list before a create.
    first_read: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(super) plan: Plan,
    pub(super) rng: fastrand::Rng,
    pub(super) host: Host,
    pub(super) machines: CoreClient,
    pub(super) watcher: Watcher,
    pub(super) orders: Vec<Order>,
    pub(super) database: Database,
    pub(super) memory: Memory,
    pub(super) traces: Vec<Trace>,
    pub(super) keys: BTreeMap<OrderKey, usize>,
    pub(super) tally: Tally,
    /// The time in milliseconds since the start of the simulation.
    pub(super) time: u64,
    /// When the program was last started.
    pub(super) started: u64,
    /// How far the shop's wall clock is ahead of the server's.
    ahead: i64,
    pub(super) down: bool,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    next: u64,
}

impl World {
    pub(crate) fn new(dialect: Dialect, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let plan = Plan::draw(dialect, &mut rng);
        let host = plan.host(&mut rng);
        let machines = plan.machines(rng.u64(..));
        let watcher = plan.watcher(&machines);
        let mut world = Self {
            plan,
            rng,
            host,
            machines,
            watcher,
            orders: Vec::new(),
            database: Database::default(),
            memory: Memory::default(),
            traces: Vec::new(),
            keys: BTreeMap::new(),
            tally: Tally::default(),
            time: 0,
            started: 0,
            ahead: 0,
            down: false,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next: 0,
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        for number in 0..self.plan.orders {
            let wanted = plan::order(self.plan.dialect, &mut self.rng, number);
            let by = if self.rng.bool() { By::Mirror } else { By::Name { repost: self.rng.u8(0..3) == 0 } };
            let watched = self.rng.u8(0..5) != 0;
            self.orders.push(Order { wanted, by, watched, placed: 0, shown: [].into() });
            self.database.rows.push(Default::default());
            let at = self.rng.u64(0..self.plan.spread);
            self.at(at, Event::Order(number));
        }
        for _ in 0..self.plan.others {
            let at = self.rng.u64(0..self.plan.calm_at + 1);
            self.at(at, Event::OtherCustomer);
        }
        let some = self.plan.orders.div_ceil(4);
        for _ in 0..some {
            let at = self.rng.u64(0..self.plan.calm_at + 600_000);
            self.at(at, Event::ForgedWebhook);
            let at = self.rng.u64(0..self.plan.calm_at + 1);
            self.at(at, Event::SaveWatcher);
        }
        if self.plan.jumps {
            for _ in 0..self.rng.u8(1..6) {
                let at = self.rng.u64(0..self.plan.calm_at + 600_000);
                self.at(at, Event::ClockJumps);
            }
        }
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Runs until there are no more events, and checks the rules.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((time, event))) = self.queue.pop() {
            self.time = self.time.max(time);
            if let Some(event) = self.events.remove(&event) {
                self.handle_event(event);
            }
        }
        self.check();
    }

    pub(super) fn at(&mut self, time: u64, what: Event) {
        self.queue.push(Reverse((time, self.next)));
        self.events.insert(self.next, what);
        self.next += 1;
    }

    pub(super) fn after(&mut self, wait: u64, what: Event) {
        self.at(self.time + wait, what);
    }

    pub(super) fn now(&self) -> Now {
        Now::new(Duration::from_millis(self.time - self.started), UnixMillis::from_millis(self.wall()))
    }

    pub(super) fn wall(&self) -> u64 {
        (START + self.time).saturating_add_signed(self.ahead)
    }

    pub(super) fn has_faults(&self) -> bool {
        self.time < self.plan.calm_at
    }

    fn handle_event(&mut self, what: Event) {
        match what {
            Event::Order(order) if self.down => self.after(5000, Event::Order(order)),
            Event::Order(order) => self.begin(order),
            Event::RetryCreate(order, started) => self.retry_create(order, started),
            Event::OtherCustomer => {
                let order = NewCharge::satoshis(5, "another customer").expiry_sec(600);
                let request = Create::new(order).request(self.machines.endpoint()).unwrap();
                let (_, row) = self.host.respond(&request, START + self.time);
                self.make_foreign(row.unwrap());
            }
            Event::Poll { job, token } => self.step(job, token),
            Event::RequestArrives(arriving) => self.arrive(*arriving),
            Event::ResponseArrives { job, token, reply } => self.receive(job, token, reply),
            Event::ResponseLost { job, token } => {
                self.record_outcome(job, token, true);
                self.step(job, token);
            }
            Event::PayerPays { row, began } => self.pay(row, began),
            Event::NodeReportsLate(row) => self.late_event(row),
            Event::Webhook(arrived) if !self.down => self.webhook(&arrived),
            Event::Webhook(_) => self.tally.count("webhooks while down"),
            Event::ForgedWebhook => self.forge_webhook(),
            Event::ClockJumps => {
                self.ahead = self.rng.i64(-1_800_000..1_800_000);
                self.tally.count("clock jumps");
            }
            Event::SaveWatcher => {
                if !self.down {
                    self.save_watched();
                }
            }
            Event::Restart => self.restart(),
        }
    }

    /// Checks a text that a program could write to its log.
    pub(super) fn assert_no_secret(&self, text: &str) {
        for secret in [secrets::KEY, PREIMAGE, webhooks::SECRET] {
            assert!(!text.contains(secret), "rule 5: a text contains {secret}: {text}");
        }
    }

    /// Starts a machine.
    pub(super) fn start(&mut self, job: Job) -> u64 {
        let name = self.next;
        self.next += 1;
        self.memory.jobs.insert(name, job);
        self.wake(name, 0);
        name
    }

    /// Polls a machine after a delay, and cancels any earlier wake-up. Does nothing if its request
    /// is in flight.
    pub(super) fn wake(&mut self, job: u64, wait: u64) {
        let Some(state) = self.memory.jobs.get_mut(&job).filter(|state| !state.in_flight) else { return };
        state.token += 1;
        let token = state.token;
        self.after(wait, Event::Poll { job, token });
    }

    /// Polls a machine, unless the wake-up was cancelled.
    fn step(&mut self, name: u64, token: u64) {
        if self.memory.jobs.get(&name).is_none_or(|job| job.token != token) {
            return;
        }
        if self.has_faults() && self.rng.u32(0..10_000) < self.plan.crashes {
            self.crash();
            return;
        }
        let now = self.now();
        let Some(mut job) = self.memory.jobs.remove(&name) else { return };
        job.steps += 1;
        assert!(job.steps < MAX_STEPS, "rule 4: a machine does not end: {job:?}");
        job.in_flight = false;
        match job.poll(&mut self.watcher, now) {
            Step::Send(exchange) => self.send(name, job, exchange),
            Step::Wait(wait) => {
                let mut wait = u64::try_from(wait.as_micros().div_ceil(1000)).unwrap();
                // A machine may be polled too early.
                if self.rng.u8(0..16) == 0 {
                    wait /= 2;
                }
                self.memory.jobs.insert(name, job);
                self.wake(name, wait);
            }
            Step::Done(result) => {
                if let Err(error) = &result {
                    let leaked = secrets::leaked_text(error);
                    assert!(leaked.is_none(), "rule 5: an error contains the key: {leaked:?}");
                    self.assert_no_secret(&format!("{error} {error:?}"));
                }
                if !matches!(job.kind, Kind::Watch) {
                    self.after_done(&mut job, now);
                }
                self.ended(name, job, result);
            }
        }
    }

    /// Checks that a finished machine returns `Finished`.
    fn after_done(&mut self, job: &mut Job, now: Now) {
        let second_poll = job.poll(&mut self.watcher, now);
        let finished = matches!(&second_poll, Step::Done(Err(error)) if *error.kind() == strike_core::ErrorKind::AlreadyFinished);
        assert!(finished, "rule 4: a machine continues after its end: {second_poll:?}");
    }

    fn send(&mut self, name: u64, mut job: Job, exchange: Exchange) {
        self.tally.count("requests");
        let request = exchange.request;
        let list = request.method() == Method::GET && self.plan.dialect.is_list(request.uri().path());
        let first = list && is_first_read(request.uri().query().unwrap_or_default());
        let first_read = matches!(job.kind, Kind::Create(..)) && first;
        let mut post = None;
        if request.method() == Method::POST {
            self.tally.count("creates posted");
            let trace = &mut self.traces[job.trace];
            trace.posts.push(Default::default());
            job.post = Some(trace.posts.len() - 1);
            job.sent.push(trace.posts.len() - 1);
            post = Some((job.trace, trace.posts.len() - 1));
        }
        let faults = if self.has_faults() { self.plan.faults } else { 0 };
        let exchange_plan =
            net::plan_exchange(&mut self.rng, faults, list, START + self.time, &mut self.tally);
        job.faulty = !matches!(exchange_plan.outcome, Outcome::Response(_, Altered::Not));
        job.in_flight = true;
        job.token += 1;
        let token = job.token;
        self.memory.jobs.insert(name, job);
        let mut back = None;
        match exchange_plan.outcome {
            Outcome::Response(after, altered) => back = Some((name, token, after, altered)),
            Outcome::This(after, reply) => {
                self.after(after, Event::ResponseArrives { job: name, token, reply })
            }
            Outcome::Nothing(after) => self.after(after, Event::ResponseLost { job: name, token }),
        }
        if let Some(after) = exchange_plan.arrives {
            let first_read = first_read.then_some(name);
            self.after(after, Event::RequestArrives(Box::new(Arriving { request, back, post, first_read })));
        }
    }

    fn arrive(&mut self, arriving: Arriving) {
        let Arriving { request, back, post, first_read } = arriving;
        if let Some(name) = first_read
            && let Some(job) = self.memory.jobs.get_mut(&name)
        {
            job.listed_before = self.traces[job.trace].listed(&self.host, START + self.time);
        }
        let (mut response, row) = self.host.respond(&request, START + self.time);
        if let Some((trace, post)) = post {
            let post = &mut self.traces[trace].posts[post];
            (post.row, post.arrived) = (row, self.time);
        }
        if let Some((job, token, after, altered)) = back {
            net::alter(&mut response, altered, &mut self.rng);
            self.after(after, Event::ResponseArrives { job, token, reply: Ok(response) });
        }
    }

    fn receive(&mut self, name: u64, token: u64, reply: Reply) {
        if !self.record_outcome(name, token, false) {
            return;
        }
        let now = self.now();
        if let Some(job) = self.memory.jobs.get_mut(&name) {
            job.handle(&mut self.watcher, reply, now);
            // A machine ignores a response to which it has no request.
            let stray = TransportError::new(TransportErrorKind::Other, Delivery::MaybeSent);
            job.handle(&mut self.watcher, Err(stray), now);
            if self.rng.u8(0..32) == 0 {
                let text = format!("{:?}", self.memory.jobs[&name]);
                self.assert_no_secret(&text);
            }
        }
        self.step(name, token);
    }

    /// Records that a machine gets the outcome of its exchange. Returns false if the machine no
    /// longer exists.
    fn record_outcome(&mut self, name: u64, token: u64, lost: bool) -> bool {
        let Some(job) = self.memory.jobs.get_mut(&name).filter(|job| job.token == token) else {
            return false;
        };
        if let Some(post) = job.post.take() {
            self.traces[job.trace].posts[post].reported = Some(self.time);
            if job.faulty || lost {
                job.doubt.get_or_insert((self.time, true));
            }
        } else if job.faulty || lost {
            job.doubt = job.doubt.map(|(since, _)| (since, false));
        }
        true
    }
}

/// Returns true if a request begins to look for the charges of an order: it reads the first page, or
/// finds the first attempt. The first digit of `externalId` is the attempt.
fn is_first_read(query: &str) -> bool {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    let find = value("externalId").map(|id| id.starts_with('1'));
    find.or(value("external_id").map(|_| true))
        .unwrap_or_else(|| value("page") == Some("0") || value("offset") == Some("0"))
}
