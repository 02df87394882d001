//! What the shop does: creates, shows, follows and completes, and begins again after a crash.

use strike_core::mirror::{Ask, Change, State, Want};
use strike_core::webhook::{self, Completion, Guard};
use strike_core::{
    Charge, Error, ErrorKind, Event, Made, Mirror, Once, OrderKey, UnixMillis, Wait, Waited, Watched,
};

use super::plan::START;
use super::shop::{By, Job, Kind, Memory, Out, Row, Store};
use super::world::{Happens, World};

impl World {
    /// An order comes, or is found after a restart, or is tried again.
    pub(super) fn begin(&mut self, order: usize) {
        if self.orders[order].came == 0 {
            self.orders[order].came = self.wall();
        }
        match (self.database.rows[order].clone(), self.orders[order].by) {
            (Row::Over, _) => {}
            (Row::Charge(kept), _) => self.follow(order, serde_json::from_str(&kept).unwrap()),
            (Row::Absent, By::Name { repost }) => self.create_named(order, repost),
            (Row::Absent, By::Mirror) => {
                let key = OrderKey::drawn(self.rng.u128(..));
                let wanted = self.orders[order].wanted.clone();
                let mirror = Mirror::draft(wanted, key, UnixMillis::from_millis(self.wall()));
                // A draft whose key was never kept must be kept before it is sent: else the key is lost in a crash.
                self.memory.mirrors.insert(order, mirror);
                self.save_mirror(order);
                self.fetch(order);
            }
            (Row::Mirror(kept), _) => {
                self.memory.mirrors.insert(order, serde_json::from_str(&kept).unwrap());
                self.fetch(order);
            }
        }
    }

    fn save_mirror(&mut self, order: usize) {
        self.database.rows[order] = Row::Mirror(serde_json::to_string(&self.memory.mirrors[&order]).unwrap());
    }

    fn trace(&mut self, key: OrderKey, order: usize) -> usize {
        let traces = &mut self.traces;
        *self.keys.entry(key).or_insert_with(|| {
            traces.push(super::laws::Trace::of(order));
            traces.len() - 1
        })
    }

    fn create_named(&mut self, order: usize, repost: bool) {
        let mut once = Once::named(&format!("order-{order}")).repost(repost);
        if self.plan.since {
            let early = if self.plan.jumps { 7_200_000 } else { 5000 };
            once = once.since(UnixMillis::from_millis(self.orders[order].came - early));
        }
        let trace = self.trace(once.key(), order);
        let machine = self.machines.create_once(self.orders[order].wanted.clone(), once);
        self.start(Job::new(Kind::Create(Box::new(machine), None), order, trace));
    }

    fn fetch(&mut self, order: usize) {
        let Some(mirror) = self.memory.mirrors.get_mut(&order) else { return };
        let doubtful = mirror.state() == State::InDoubt;
        let Some(ask) = mirror.ask(Want::Charge) else {
            let charge = mirror.require_charge().unwrap().clone();
            self.follow(order, charge);
            return;
        };
        let Ask::Once(wanted, once) = &ask else { panic!("a get without an id: {ask:?}") };
        let machine = self.machines.create_once(wanted.clone(), *once);
        let trace = self.trace(once.key(), order);
        // A state that is kept at any moment is true.
        if self.rng.bool() {
            self.save_mirror(order);
        }
        let mut job = Job::new(Kind::Create(Box::new(machine), Some(ask)), order, trace);
        job.doubt = doubtful.then_some((self.time, true));
        self.start(job);
    }

    /// A machine has ended.
    pub(super) fn ended(&mut self, name: u64, job: Job, result: Result<Out, Error>) {
        let order = job.order;
        match (&job.kind, result) {
            (Kind::Create(_, ask), Ok(Out::Made(made))) => {
                self.tally.count(if matches!(made, Made::Created(_)) { "created" } else { "adopted" });
                self.made(order, &job, ask.as_ref(), made.into_charge());
            }
            (Kind::Create(_, ask), Err(error)) => self.not_made(order, &job, ask.as_ref(), &error),
            (Kind::Wait(_), Ok(Out::Waited(waited))) => match waited {
                Waited::Paid(charge) => self.complete(order, &charge),
                Waited::Expired(_) => self.over(order, "expired"),
                Waited::StillPayable(charge) => {
                    self.orders[order].watched = true;
                    self.follow(order, charge);
                }
            },
            (Kind::Wait(_), Err(error)) => {
                assert!(!matches!(error.kind(), ErrorKind::Mismatch(_)), "order {order}: {error}");
                let kept = self.memory.charges.values().find(|(of, _)| *of == order);
                let charge = kept.map(|(_, charge)| charge.clone()).unwrap();
                self.tally.count("waits that failed");
                self.orders[order].watched = true;
                self.follow(order, charge);
            }
            (Kind::Confirm(_), Ok(Out::Confirmed(charge))) => self.confirmed(&charge),
            (Kind::Confirm(_), Err(_)) => {}
            (Kind::Watch, Ok(Out::Event(None))) => {
                self.memory.watch_job = None;
                assert!(self.memory.live.is_empty(), "law 4: never ended: {:?}", self.memory.live);
                assert!(self.watcher.is_empty(), "law 4: the watcher ended with charges");
            }
            (Kind::Watch, result) => {
                let mut rest = 0;
                match result {
                    Ok(Out::Event(Some(event))) => self.watched(event),
                    Err(error) => {
                        assert!(*error.kind() != ErrorKind::Finished, "law 4: {error}");
                        self.tally.count("errors of next");
                        rest = 1000;
                    }
                    Ok(out) => panic!("a watcher gave {out:?}"),
                }
                if self.plan.trusting || self.rng.u8(0..4) == 0 {
                    self.save_watched();
                }
                self.memory.jobs.insert(name, job);
                self.wake(name, rest);
            }
            (kind, result) => panic!("{kind:?} gave {result:?}"),
        }
    }

    fn made(&mut self, order: usize, job: &Job, ask: Option<&Ask>, charge: Charge) {
        let row = self.host.row(charge.id()).expect("a charge that the host does not have");
        assert_eq!(charge.payment_request(), self.host.truths()[row].request, "another payment request");
        assert_eq!(charge.amount_satoshi(), self.orders[order].wanted.amount());
        assert_eq!(charge.description(), self.orders[order].wanted.description());
        assert_eq!(charge.own_reference(), self.orders[order].wanted.customer_reference());
        self.traces[job.trace].returns(row, &job.saw);
        // It may crash before anything is kept.
        if self.is_stormy() && self.rng.u32(0..1000) < self.plan.crashes {
            self.crash();
            return;
        }
        if let Some(ask) = ask {
            let mirror = self.memory.mirrors.get_mut(&order).unwrap();
            let change = mirror.learn(ask, Ok(&charge)).unwrap();
            assert!(matches!(change, Change::Learned | Change::Paid), "{change:?}");
            self.save_mirror(order);
        } else if self.rng.u8(0..10) < 7 {
            self.database.rows[order] = Row::Charge(serde_json::to_string(&charge).unwrap());
        }
        self.follow(order, charge);
    }

    fn not_made(&mut self, order: usize, job: &Job, ask: Option<&Ask>, error: &Error) {
        assert!(!matches!(error.kind(), ErrorKind::Mismatch(_) | ErrorKind::InvalidInput(_)), "{error}");
        let unknown = *error.kind() == ErrorKind::OutcomeUnknown;
        self.tally.count(if unknown { "outcomes unknown" } else { "creates that failed" });
        if unknown && job.doubt.is_some_and(|(_, clean)| clean) {
            // What lands within the two seconds before the second look is found. A second create has one look, at once.
            let again = matches!(self.orders[order].by, By::Name { repost: true });
            let posts = self.traces[job.trace].posts.iter().enumerate();
            let found = posts
                .filter(|(at, _)| !again || !job.sent.iter().skip(1).any(|sent| sent == at))
                .find(|(_, post)| {
                    post.row.is_some()
                        && post.reported.is_some_and(|heard| post.arrived + self.host.lag() <= heard + 2000)
                });
            assert!(found.is_none(), "law 1: order {order} stays in doubt although it landed: {found:?}");
        }
        let Some(ask) = ask else {
            let rest = self.rng.u64(1000..120_000);
            self.after(rest, Happens::Again(order, self.started));
            return;
        };
        let mirror = self.memory.mirrors.get_mut(&order).unwrap();
        let change = mirror.learn(ask, Err(error)).unwrap();
        match change {
            Change::Refused => assert_eq!(mirror.state(), State::Draft),
            Change::InDoubt => assert_eq!(mirror.state(), State::InDoubt),
            _ => panic!("an error changed a mirror: {change:?}"),
        }
        // Not a byte of a refused create was acted upon.
        if change == Change::Refused {
            let done = job.sent.iter().find(|post| self.traces[job.trace].posts[**post].row.is_some());
            assert!(done.is_none(), "law 1: order {order} was refused, and created: {job:?}");
        }
        let tries = self.memory.tries.entry(order).or_default();
        *tries += 1;
        if mirror.state() == State::InDoubt && *tries > 3 && !self.is_stormy() {
            if self.rng.bool() {
                self.tally.count("in doubt at the end");
                self.database.rows[order] = Row::Over;
                return;
            }
            // Nobody was shown the charge that may exist: the shop keeps what it has before it shows it.
            let key = OrderKey::drawn(self.rng.u128(..));
            let now = UnixMillis::from_millis(self.wall());
            self.memory.mirrors.get_mut(&order).unwrap().abandon(key, now);
            self.memory.tries.insert(order, 0);
            self.tally.count("abandoned keys");
            self.save_mirror(order);
        } else if self.rng.bool() {
            self.save_mirror(order);
        }
        // The next try takes what memory holds; after a crash, what the database does.
        let rest = self.rng.u64(1000..120_000);
        self.after(rest, Happens::Again(order, self.started));
    }

    /// Tries a create again, unless the program was restarted meanwhile and has begun it anew.
    pub(super) fn again(&mut self, order: usize, started: u64) {
        if self.down || self.started != started {
            return;
        }
        match self.orders[order].by {
            By::Mirror => self.fetch(order),
            By::Name { .. } => self.begin(order),
        }
    }

    /// Shows the invoice, and waits for the payment.
    pub(super) fn follow(&mut self, order: usize, charge: Charge) {
        let row = self.host.row(charge.id()).unwrap();
        if self.orders[order].shown.insert(row) {
            self.customer(row);
        }
        self.memory.charges.insert(charge.id().clone(), (order, charge.clone()));
        if self.orders[order].watched {
            self.memory.live.insert(charge.id().clone());
            self.watcher.add(&charge);
            assert_eq!(self.watcher.len(), self.memory.live.len());
            if self.plan.trusting {
                self.save_watched();
            }
            self.wake_watcher();
        } else {
            let wait = match self.rng.u8(0..4) {
                0 => Wait::at_most(std::time::Duration::from_secs(self.rng.u64(1..600))),
                _ => Wait::until_expiry(),
            };
            let wait = wait.grace(std::time::Duration::from_millis(self.plan.grace));
            let machine = self.machines.wait(charge, wait);
            self.start(Job::new(Kind::Wait(Box::new(machine)), order, usize::MAX));
        }
    }

    fn wake_watcher(&mut self) {
        match self.memory.watch_job {
            Some(name) => self.wake(name, 0),
            None => self.memory.watch_job = Some(self.start(Job::new(Kind::Watch, usize::MAX, usize::MAX))),
        }
    }

    fn watched(&mut self, event: Event) {
        let id = match &event {
            Event::Paid(charge) => charge.id().clone(),
            Event::Expired(id) | Event::Failed(id, _) => id.clone(),
        };
        assert!(self.memory.live.remove(&id), "law 4: {id} ended, and was not watched: {event:?}");
        // After a restart, the order may not know its charge yet; it will come to it by its key.
        let Some((order, charge)) = self.memory.charges.get(&id).cloned() else { return };
        match event {
            Event::Paid(charge) => self.complete(order, &charge),
            Event::Expired(_) => self.over(order, "expired"),
            Event::Failed(..) => {
                self.tally.count("failed events");
                self.follow(order, charge);
            }
        }
    }

    fn over(&mut self, order: usize, how: &'static str) {
        if !matches!(self.database.rows[order], Row::Over) {
            self.tally.count(how);
            self.database.rows[order] = Row::Over;
        }
    }

    fn complete(&mut self, order: usize, charge: &Charge) {
        let row = self.host.row(charge.id()).expect("law 3: completed for a charge that does not exist");
        assert!(self.host.truths()[row].paid, "law 3: order {order} completed, and not paid");
        assert!(
            self.orders[order].shown.contains(&row),
            "law 3: order {order} completed for another's charge"
        );
        if let Some(mirror) = self.memory.mirrors.get_mut(&order) {
            let change = mirror.learn(&Ask::Get(charge.id().clone()), Ok(charge)).unwrap();
            assert!(matches!(change, Change::Paid | Change::Nothing), "{change:?}");
            assert_eq!(mirror.state(), State::Paid);
        }
        if self.database.completed.insert(order) {
            self.tally.count("paid");
        }
        self.database.rows[order] = Row::Over;
    }

    /// Says to somebody on the internet that something was paid.
    pub(super) fn forge(&mut self) {
        let known = self.host.truths().len();
        let id = match self.rng.u8(0..3) {
            0 if known > 0 => self.host.truths()[self.rng.usize(0..known)].id.as_str().to_owned(),
            1 => "../charges?page=0".to_owned(),
            _ => super::service::Service::id(self.rng.usize(1_000_000..2_000_000)),
        };
        self.tally.count("webhooks forged");
        let body = event(&id);
        self.after(0, Happens::Webhook(body));
    }

    pub(super) fn webhook(&mut self, body: &[u8]) {
        let Ok(hint) = webhook::parse(body) else { return };
        self.tally.count("webhooks");
        let known = self.memory.charges.contains_key(hint.id());
        if self.rng.bool() {
            self.watcher.hint(hint.id());
            if !self.watcher.is_empty() {
                self.wake_watcher();
            }
        } else if known || self.rng.u8(0..3) == 0 {
            let machine = self.machines.call(hint.confirm());
            self.start(Job::new(Kind::Confirm(Box::new(machine)), usize::MAX, usize::MAX));
        }
    }

    fn confirmed(&mut self, charge: &Charge) {
        let Some(order) = self.memory.charges.get(charge.id()).map(|(order, _)| *order) else { return };
        let mut guarded = core::mem::take(&mut self.database.guarded);
        let done = Guard::new(Store(&mut guarded)).complete(charge, |charge| {
            self.complete(order, charge);
            Ok::<(), core::convert::Infallible>(())
        });
        self.database.guarded = guarded;
        if done == Ok(Completion::Now) {
            self.tally.count("completed by webhook");
            if self.rng.bool() {
                let was = self.watcher.remove(charge.id());
                assert_eq!(was, self.memory.live.remove(charge.id()));
            }
        }
    }

    pub(super) fn save_watched(&mut self) {
        let state = self.watcher.state();
        assert_eq!(state.len(), self.memory.live.len(), "law 4: the state is not what is watched");
        self.database.watched = Some((serde_json::to_string(&state).unwrap(), self.memory.live.clone()));
    }

    pub(super) fn crash(&mut self) {
        self.tally.count("restarts");
        self.memory = Memory::default();
        self.watcher = self.plan.watcher(&self.machines);
        self.down = true;
        let most = if self.plan.long_downs { 4 * 3_600_000 } else { 300_000 };
        let down = self.rng.u64(100..most);
        self.after(down, Happens::Restart);
    }

    pub(super) fn restart(&mut self) {
        self.down = false;
        self.started = self.time;
        self.machines = self.plan.machines(self.rng.u64(..));
        self.watcher = self.plan.watcher(&self.machines);
        for post in self.traces.iter_mut().flat_map(|trace| &mut trace.posts) {
            post.reported.get_or_insert(self.time);
        }
        if let Some((kept, live)) = &self.database.watched {
            let watched: Watched = serde_json::from_str(kept).unwrap();
            assert_eq!(watched.len(), live.len());
            self.watcher.restore(watched);
            self.memory.live = live.clone();
        }
        for order in 0..self.orders.len() {
            if self.orders[order].came > 0 {
                self.resume(order);
            }
        }
        if !self.watcher.is_empty() {
            self.wake_watcher();
        }
    }

    /// Goes on with an order that came before the crash.
    fn resume(&mut self, order: usize) {
        let charge: Option<Charge> = match &self.database.rows[order] {
            Row::Charge(kept) => Some(serde_json::from_str(kept).unwrap()),
            Row::Mirror(kept) => serde_json::from_str::<Mirror>(kept).unwrap().charge().cloned(),
            Row::Absent | Row::Over => None,
        };
        match charge {
            Some(charge) if self.plan.trusting && self.orders[order].watched => {
                // What was watched is in the watcher's state, and nowhere else.
                if let Row::Mirror(kept) = &self.database.rows[order] {
                    self.memory.mirrors.insert(order, serde_json::from_str(kept).unwrap());
                }
                self.memory.charges.insert(charge.id().clone(), (order, charge));
            }
            _ => self.begin(order),
        }
    }

    /// Whether and when a customer pays what he was shown.
    fn customer(&mut self, row: usize) {
        let left = self.host.expires(row).saturating_sub(START + self.time);
        let after = match self.rng.u8(0..10) {
            0 | 1 => return,
            // At once, while the shop still looks.
            2 | 3 => self.rng.u64(0..500),
            // In the last second.
            4 => left.saturating_sub(self.rng.u64(1..1000)),
            // Too late.
            5 => left + self.rng.u64(0..600_000),
            _ => self.rng.u64(0..left + 1),
        };
        let began = START + self.time + after;
        // A payment can be under way for a while, within the grace.
        let way = match self.rng.u8(0..4) {
            0 if !self.host.is_real() => self.rng.u64(0..self.plan.grace),
            _ => 0,
        };
        self.after(after + way, Happens::Pays { row, began });
    }

    pub(super) fn pay(&mut self, row: usize, began: u64) {
        if !self.host.pay(row, began, START + self.time) {
            self.tally.count("payments refused");
            return;
        }
        let body = event(self.host.truths()[row].id.as_str());
        let times = self.rng.u8(0..3);
        if times == 0 {
            self.tally.count("webhooks lost");
        }
        for _ in 0..times {
            let after = if self.rng.bool() { self.rng.u64(0..500) } else { self.rng.u64(0..120_000) };
            self.after(after, Happens::Webhook(body.clone()));
        }
    }

    /// Holds everything against the laws, when nothing happens any more.
    pub(super) fn check(&mut self) {
        assert!(
            !self.down && self.memory.jobs.is_empty(),
            "law 4: machines are left: {:?}",
            self.memory.jobs
        );
        for trace in &self.traces {
            if let Err(broken) = trace.check(&self.host) {
                panic!("order {}: {broken}", trace.order);
            }
        }
        let mut excused = vec![false; self.orders.len()];
        for trace in self.traces.iter().filter(|trace| trace.is_excused(&self.host)) {
            excused[trace.order] = true;
        }
        for (number, order) in self.orders.iter().enumerate() {
            self.tally.count("orders");
            if excused[number] {
                self.tally.count("beyond law 1's condition");
            }
            assert!(
                matches!(self.database.rows[number], Row::Over),
                "law 4: order {number} is left half-way: {:?}",
                self.database.rows[number]
            );
            let paid = order.shown.iter().any(|row| self.host.truths()[*row].paid);
            let completed = self.database.completed.contains(&number);
            assert!(
                completed || !paid || (excused[number] && order.shown.len() > 1),
                "law 2: order {number} was paid, and not completed"
            );
            assert!(paid || !completed, "law 3: order {number} was completed, and not paid");
            if order.shown.len() > 1 {
                self.tally.count("shown two invoices");
            }
        }
    }
}

fn event(id: &str) -> Vec<u8> {
    format!(r#"{{"object":"event","data":{{"id":"{id}","object":"charge","paid":true}}}}"#).into_bytes()
}
