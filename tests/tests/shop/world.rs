//! One world: a host, a shop, its customers, and time, which jumps from event to event.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use strike_core::http::Method;
use strike_core::machine::{Operation, Step};
use strike_core::{
    CoreClient, Create, Delivery, Exchange, HttpRequest, NewCharge, Now, OrderKey, Reply, TransportError,
    TransportErrorKind, UnixMillis, Watcher,
};

use super::host::Host;
use super::laws::Trace;
use super::net::{self, Heard, Spoilt};
use super::plan::{self, Plan, START};
use super::shop::{By, Database, Job, Kind, Memory, Order};
use super::tally::Tally;

/// The most steps of one machine before it counts as one that never ends.
const MOST_STEPS: u32 = 200_000;

#[derive(Debug)]
pub(super) enum Happens {
    Order(usize),
    /// A create is tried again, by the program that was started then.
    Again(usize, u64),
    Other,
    Poll {
        job: u64,
        token: u64,
    },
    Arrives(Box<Arriving>),
    Hears {
        job: u64,
        token: u64,
        reply: Reply,
    },
    /// The reply is lost: the machine is polled instead.
    Lost {
        job: u64,
        token: u64,
    },
    Pays {
        row: usize,
        began: u64,
    },
    Webhook(Vec<u8>),
    Forged,
    Jump,
    Save,
    Restart,
}

#[derive(Debug)]
pub(super) struct Arriving {
    request: HttpRequest,
    /// Who hears the answer, and when.
    back: Option<(u64, u64, u64, Spoilt)>,
    /// The key's trace and the create, if it is one.
    post: Option<(usize, usize)>,
    /// The job, if it is the first page of a look.
    look: Option<u64>,
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
    /// Milliseconds since the world began.
    pub(super) time: u64,
    /// When the program was started last.
    pub(super) started: u64,
    /// How far the shop's wall clock is ahead.
    ahead: i64,
    pub(super) down: bool,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Happens>,
    next: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let plan = Plan::draw(&mut rng);
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
            let wanted = plan::order(&mut self.rng, number);
            let by = if self.rng.bool() { By::Mirror } else { By::Name { repost: self.rng.u8(0..3) == 0 } };
            let watched = self.rng.u8(0..5) != 0;
            self.orders.push(Order { wanted, by, watched, came: 0, shown: [].into() });
            self.database.rows.push(Default::default());
            let at = self.rng.u64(0..self.plan.spread);
            self.at(at, Happens::Order(number));
        }
        for _ in 0..self.plan.others {
            let at = self.rng.u64(0..self.plan.calm_at + 1);
            self.at(at, Happens::Other);
        }
        let sometimes = self.plan.orders.div_ceil(4);
        for _ in 0..sometimes {
            let at = self.rng.u64(0..self.plan.calm_at + 600_000);
            self.at(at, Happens::Forged);
            let at = self.rng.u64(0..self.plan.calm_at + 1);
            self.at(at, Happens::Save);
        }
        if self.plan.jumps {
            for _ in 0..self.rng.u8(1..6) {
                let at = self.rng.u64(0..self.plan.calm_at + 600_000);
                self.at(at, Happens::Jump);
            }
        }
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Runs until nothing is left to happen, and holds what came of it against the laws.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((time, event))) = self.queue.pop() {
            self.time = self.time.max(time);
            if let Some(event) = self.events.remove(&event) {
                self.happen(event);
            }
        }
        self.check();
    }

    pub(super) fn at(&mut self, time: u64, what: Happens) {
        self.queue.push(Reverse((time, self.next)));
        self.events.insert(self.next, what);
        self.next += 1;
    }

    pub(super) fn after(&mut self, wait: u64, what: Happens) {
        self.at(self.time + wait, what);
    }

    pub(super) fn now(&self) -> Now {
        Now::new(Duration::from_millis(self.time - self.started), UnixMillis::from_millis(self.wall()))
    }

    pub(super) fn wall(&self) -> u64 {
        (START + self.time).saturating_add_signed(self.ahead)
    }

    pub(super) fn is_stormy(&self) -> bool {
        self.time < self.plan.calm_at
    }

    fn happen(&mut self, what: Happens) {
        match what {
            Happens::Order(order) if self.down => self.after(5000, Happens::Order(order)),
            Happens::Order(order) => self.begin(order),
            Happens::Again(order, started) => self.again(order, started),
            Happens::Other => {
                let order = NewCharge::satoshis(5, "somebody else's").expiry_sec(600);
                let request = Create::new(order).request(self.machines.endpoint()).unwrap();
                self.host.respond(&request, START + self.time);
            }
            Happens::Poll { job, token } => self.step(job, token),
            Happens::Arrives(arriving) => self.arrive(*arriving),
            Happens::Hears { job, token, reply } => self.hear(job, token, reply),
            Happens::Lost { job, token } => {
                self.heard(job, token, true);
                self.step(job, token);
            }
            Happens::Pays { row, began } => self.pay(row, began),
            Happens::Webhook(body) if !self.down => self.webhook(&body),
            Happens::Webhook(_) => self.tally.count("webhooks while down"),
            Happens::Forged => self.forge(),
            Happens::Jump => {
                self.ahead = self.rng.i64(-1_800_000..1_800_000);
                self.tally.count("clock jumps");
            }
            Happens::Save => {
                if !self.down {
                    self.save_watched();
                }
            }
            Happens::Restart => self.restart(),
        }
    }

    /// Gives a new machine its first step.
    pub(super) fn start(&mut self, job: Job) -> u64 {
        let name = self.next;
        self.next += 1;
        self.memory.jobs.insert(name, job);
        self.wake(name, 0);
        name
    }

    /// Has a machine polled after that long, and forgets any other wake-up. One whose request is under way is left alone.
    pub(super) fn wake(&mut self, job: u64, wait: u64) {
        let Some(state) = self.memory.jobs.get_mut(&job).filter(|state| !state.in_flight) else { return };
        state.token += 1;
        let token = state.token;
        self.after(wait, Happens::Poll { job, token });
    }

    /// Polls a machine, unless it was woken for something that is past.
    fn step(&mut self, name: u64, token: u64) {
        if self.memory.jobs.get(&name).is_none_or(|job| job.token != token) {
            return;
        }
        if self.is_stormy() && self.rng.u32(0..10_000) < self.plan.crashes {
            self.crash();
            return;
        }
        let now = self.now();
        let Some(mut job) = self.memory.jobs.remove(&name) else { return };
        job.steps += 1;
        assert!(job.steps < MOST_STEPS, "law 4: a machine does not end: {job:?}");
        job.in_flight = false;
        match job.poll(&mut self.watcher, now) {
            Step::Send(exchange) => self.send(name, job, exchange),
            Step::Wait(wait) => {
                let mut wait = u64::try_from(wait.as_micros().div_ceil(1000)).unwrap();
                // Polling early is harmless.
                if self.rng.u8(0..16) == 0 {
                    wait /= 2;
                }
                self.memory.jobs.insert(name, job);
                self.wake(name, wait);
            }
            Step::Done(result) => {
                if !matches!(job.kind, Kind::Watch) {
                    self.after_done(&mut job, now);
                }
                self.ended(name, job, result);
            }
        }
    }

    /// After `Done` comes `AlreadyFinished`.
    fn after_done(&mut self, job: &mut Job, now: Now) {
        let again = job.poll(&mut self.watcher, now);
        let finished = matches!(&again, Step::Done(Err(error)) if *error.kind() == strike_core::ErrorKind::AlreadyFinished);
        assert!(finished, "law 4: a machine that ended goes on: {again:?}");
    }

    fn send(&mut self, name: u64, mut job: Job, exchange: Exchange) {
        self.tally.count("requests");
        let request = exchange.request;
        let list = request.method() == Method::GET && request.uri().path().ends_with("/charges");
        let first = list && request.uri().query().is_some_and(|query| query.starts_with("page=0&"));
        let look = matches!(job.kind, Kind::Create(..)) && first;
        let mut post = None;
        if request.method() == Method::POST {
            self.tally.count("creates posted");
            let trace = &mut self.traces[job.trace];
            trace.posts.push(Default::default());
            job.post = Some(trace.posts.len() - 1);
            job.sent.push(trace.posts.len() - 1);
            post = Some((job.trace, trace.posts.len() - 1));
        }
        let faults = if self.is_stormy() { self.plan.faults } else { 0 };
        let fate = net::fate(&mut self.rng, faults, list, START + self.time, &mut self.tally);
        job.faulty = !matches!(fate.heard, Heard::Answer(_, Spoilt::Not));
        job.in_flight = true;
        job.token += 1;
        let token = job.token;
        self.memory.jobs.insert(name, job);
        let mut back = None;
        match fate.heard {
            Heard::Answer(after, spoilt) => back = Some((name, token, after, spoilt)),
            Heard::This(after, reply) => self.after(after, Happens::Hears { job: name, token, reply }),
            Heard::Nothing(after) => self.after(after, Happens::Lost { job: name, token }),
        }
        if let Some(after) = fate.arrives {
            let look = look.then_some(name);
            self.after(after, Happens::Arrives(Box::new(Arriving { request, back, post, look })));
        }
    }

    fn arrive(&mut self, arriving: Arriving) {
        let Arriving { request, back, post, look } = arriving;
        if let Some(name) = look
            && let Some(job) = self.memory.jobs.get_mut(&name)
        {
            job.saw = self.traces[job.trace].listed(&self.host, START + self.time);
        }
        let (mut response, row) = self.host.respond(&request, START + self.time);
        if let Some((trace, post)) = post {
            let post = &mut self.traces[trace].posts[post];
            (post.row, post.arrived) = (row, self.time);
        }
        if let Some((job, token, after, spoilt)) = back {
            net::spoil(&mut response, spoilt, &mut self.rng);
            self.after(after, Happens::Hears { job, token, reply: Ok(response) });
        }
    }

    fn hear(&mut self, name: u64, token: u64, reply: Reply) {
        if !self.heard(name, token, false) {
            return;
        }
        let now = self.now();
        if let Some(job) = self.memory.jobs.get_mut(&name) {
            job.handle(&mut self.watcher, reply, now);
            // A reply that nobody asked for is ignored.
            let stray = TransportError::new(TransportErrorKind::Other, Delivery::MaybeSent);
            job.handle(&mut self.watcher, Err(stray), now);
        }
        self.step(name, token);
    }

    /// Notes that a machine hears what came of its exchange; false if the machine is gone.
    fn heard(&mut self, name: u64, token: u64, lost: bool) -> bool {
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
