//! How the shop creates charges, and how it handles the results.

use strike_core::mirror::Mirror;
use strike_core::mirror::{Change, NextRequest, Query, State};
use strike_core::{Charge, CreateOnceOptions, Error, ErrorKind, OrderKey, UnixMillis, WaitOutcome};

use super::shop::{By, Job, Kind, Out, Row};
use super::world::{Event, World};

impl World {
    /// Begins an order. Called when it is placed, after a restart, and for retries.
    pub(super) fn begin(&mut self, order: usize) {
        if self.orders[order].placed == 0 {
            self.orders[order].placed = self.wall();
        }
        match (self.database.rows[order].clone(), self.orders[order].by) {
            (Row::Over, _) => {}
            (Row::Charge(kept), _) => self.follow(order, serde_json::from_str(&kept).unwrap()),
            (Row::Absent, By::Name { repost }) => self.create_named(order, repost),
            (Row::Absent, By::Mirror) => {
                let key = OrderKey::from_entropy(self.rng.u128(..));
                let wanted = self.orders[order].wanted.clone();
                let mirror = Mirror::draft(wanted, key, UnixMillis::from_millis(self.wall()));
                // The draft is stored before its create is sent. Otherwise a crash would lose its
                // key.
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
            traces.push(super::rules::Trace::of(order));
            traces.len() - 1
        })
    }

    fn create_named(&mut self, order: usize, repost: bool) {
        let mut once = CreateOnceOptions::named(&format!("order-{order}")).repost(repost);
        if self.plan.since {
            let early = if self.plan.jumps { 7_200_000 } else { 5000 };
            once = once.since(UnixMillis::from_millis(self.orders[order].placed - early));
        }
        let trace = self.trace(once.key(), order);
        let machine = self.machines.create_once(self.orders[order].wanted.clone(), once);
        self.start(Job::new(Kind::Create(Box::new(machine), None), order, trace));
    }

    fn fetch(&mut self, order: usize) {
        let Some(mirror) = self.memory.mirrors.get_mut(&order) else { return };
        let unknown = mirror.state() == State::InDoubt;
        let Some(ask) = mirror.ask(Query::Charge) else {
            let charge = mirror.require_charge().unwrap().clone();
            self.follow(order, charge);
            return;
        };
        let NextRequest::Once(wanted, once) = &ask else { panic!("a get without an id: {ask:?}") };
        let machine = self.machines.create_once(wanted.clone(), *once);
        let trace = self.trace(once.key(), order);
        // The state may be stored at any time.
        if self.rng.bool() {
            self.save_mirror(order);
        }
        let mut job = Job::new(Kind::Create(Box::new(machine), Some(ask)), order, trace);
        job.doubt = unknown.then_some((self.time, true));
        self.start(job);
    }

    /// Handles the result of a machine.
    pub(super) fn ended(&mut self, name: u64, job: Job, result: Result<Out, Error>) {
        let order = job.order;
        match (&job.kind, result) {
            (Kind::Create(_, ask), Ok(Out::Made(created))) => {
                let charge = created.into_charge();
                self.created(order, &job, ask.as_ref(), charge);
            }
            (Kind::Create(_, ask), Err(error)) => self.create_failed(order, &job, ask.as_ref(), &error),
            (Kind::Wait(_), Ok(Out::Waited(waited))) => match waited {
                WaitOutcome::Paid(charge) => self.complete(order, &charge),
                WaitOutcome::Expired(_) => self.close(order, "expired"),
                WaitOutcome::Payable(charge) => {
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
                assert!(self.memory.live.is_empty(), "rule 4: still watched: {:?}", self.memory.live);
                assert!(self.watcher.is_empty(), "rule 4: the watcher ended with pending charges");
            }
            (Kind::Watch, result) => {
                let mut delay = 0;
                match result {
                    Ok(Out::Event(Some(event))) => self.watched(event),
                    Err(error) => {
                        assert!(*error.kind() != ErrorKind::AlreadyFinished, "rule 4: {error}");
                        self.tally.count("errors of next");
                        delay = 1000;
                    }
                    Ok(out) => panic!("a watcher returned {out:?}"),
                }
                if self.plan.restore_only || self.rng.u8(0..4) == 0 {
                    self.save_watched();
                }
                self.memory.jobs.insert(name, job);
                self.wake(name, delay);
            }
            (kind, result) => panic!("{kind:?} returned {result:?}"),
        }
    }

    fn created(&mut self, order: usize, job: &Job, ask: Option<&NextRequest>, charge: Charge) {
        let row = self.host.row(charge.id()).expect("the server should have the charge");
        assert_eq!(charge.payment_request(), self.host.actual()[row].request, "another payment request");
        assert_eq!(charge.amount(), self.orders[order].wanted.amount());
        assert_eq!(charge.description(), self.orders[order].wanted.description());
        assert_eq!(charge.customer_id(), self.orders[order].wanted.get_customer_id());
        self.traces[job.trace].returns(row, &job.listed_before);
        // The program may crash before it stores anything.
        if self.has_faults() && self.rng.u32(0..1000) < self.plan.crashes {
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

    fn create_failed(&mut self, order: usize, job: &Job, ask: Option<&NextRequest>, error: &Error) {
        let disputed = matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "date");
        if disputed {
            // The clocks differ too much. The order keeps its charge, and no customer sees a second
            // one.
            self.tally.count("disputed expiries");
            if let Some(ask) = ask {
                let mirror = self.memory.mirrors.get_mut(&order).unwrap();
                assert_eq!(mirror.learn(ask, Err(error)).unwrap(), Change::Learned);
                let charge = mirror.require_charge().unwrap().clone();
                self.save_mirror(order);
                self.follow(order, charge);
                return;
            }
        }
        let bad = matches!(error.kind(), ErrorKind::Mismatch(_) | ErrorKind::InvalidInput(_));
        assert!(disputed || !bad, "{error}");
        let unknown = *error.kind() == ErrorKind::OutcomeUnknown;
        self.tally.count(if unknown { "unknown outcomes" } else { "creates that failed" });
        if unknown && job.doubt.is_some_and(|(_, clean)| clean) {
            // A charge that is listed within two seconds is found by the second read. A second
            // create is followed by only one read, without a delay.
            let reposted = matches!(self.orders[order].by, By::Name { repost: true });
            let posts = self.traces[job.trace].posts.iter().enumerate();
            let found = posts
                .filter(|(at, _)| !reposted || !job.sent.iter().skip(1).any(|sent| sent == at))
                .find(|(_, post)| {
                    post.row.is_some()
                        && post.reported.is_some_and(|heard| post.arrived + self.host.lag() <= heard + 2000)
                });
            assert!(
                found.is_none(),
                "rule 1: order {order} is unknown although its charge is listed: {found:?}"
            );
        }
        let Some(ask) = ask else {
            let delay = self.rng.u64(1000..120_000);
            self.after(delay, Event::RetryCreate(order, self.started));
            return;
        };
        let mirror = self.memory.mirrors.get_mut(&order).unwrap();
        let change = mirror.learn(ask, Err(error)).unwrap();
        match change {
            Change::Refused => assert_eq!(mirror.state(), State::Draft),
            Change::InDoubt => assert_eq!(mirror.state(), State::InDoubt),
            _ => panic!("unexpected change of a mirror by an error: {change:?}"),
        }
        // A rejected create was not processed.
        if change == Change::Refused {
            let done = job.sent.iter().find(|post| self.traces[job.trace].posts[**post].row.is_some());
            assert!(done.is_none(), "rule 1: order {order} was rejected, but created: {job:?}");
        }
        let tries = self.memory.tries.entry(order).or_default();
        *tries += 1;
        if mirror.state() == State::InDoubt && *tries > 3 && !self.has_faults() {
            if self.rng.bool() {
                self.tally.count("unknown at the end");
                self.database.rows[order] = Row::Over;
                return;
            }
            // No customer saw the charge that may exist, since the shop stores a charge before it
            // shows it.
            let key = OrderKey::from_entropy(self.rng.u128(..));
            let now = UnixMillis::from_millis(self.wall());
            self.memory.mirrors.get_mut(&order).unwrap().abandon(key, now);
            self.memory.tries.insert(order, 0);
            self.tally.count("abandoned keys");
            self.save_mirror(order);
        } else if self.rng.bool() {
            self.save_mirror(order);
        }
        // The next attempt uses the mirror in memory or, after a crash, in the database.
        let delay = self.rng.u64(1000..120_000);
        self.after(delay, Event::RetryCreate(order, self.started));
    }

    /// Retries a create, unless the program was restarted meanwhile and has begun the order again.
    pub(super) fn retry_create(&mut self, order: usize, started: u64) {
        if self.down || self.started != started {
            return;
        }
        match self.orders[order].by {
            By::Mirror => self.fetch(order),
            By::Name { .. } => self.begin(order),
        }
    }
}
