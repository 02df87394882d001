//! How the shop waits for payments, and completes paid orders.

use strike_core::mirror::{Change, NextRequest, State};
use strike_core::webhook::{Completion, CompletionGuard};
use strike_core::{Charge, Event, Wait};

use super::shop::{Job, Kind, Row, Store};
use super::webhooks::Arrived;
use super::world::World;

impl World {
    /// Shows the invoice to the customer, and waits for the payment.
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
            if self.plan.restore_only {
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

    pub(super) fn wake_watcher(&mut self) {
        match self.memory.watch_job {
            Some(name) => self.wake(name, 0),
            None => self.memory.watch_job = Some(self.start(Job::new(Kind::Watch, usize::MAX, usize::MAX))),
        }
    }

    pub(super) fn watched(&mut self, event: Event) {
        let id = match &event {
            Event::Paid(charge) => charge.id().clone(),
            Event::Expired(id) | Event::Failed(id, _) => id.clone(),
        };
        assert!(self.memory.live.remove(&id), "rule 4: event for {id}, which is not watched: {event:?}");
        // After a restart, the order may not have its charge yet. It gets it from its key later.
        let Some((order, charge)) = self.memory.charges.get(&id).cloned() else { return };
        match event {
            Event::Paid(charge) => self.complete(order, &charge),
            Event::Expired(_) => self.close(order, "expired"),
            Event::Failed(..) => {
                self.tally.count("failed events");
                self.follow(order, charge);
            }
        }
    }

    pub(super) fn close(&mut self, order: usize, how: &'static str) {
        if !matches!(self.database.rows[order], Row::Over) {
            self.tally.count(how);
            self.database.rows[order] = Row::Over;
        }
    }

    pub(super) fn complete(&mut self, order: usize, charge: &Charge) {
        let row = self.host.row(charge.id()).expect("rule 3: completed for a charge that does not exist");
        assert!(self.host.actual()[row].paid, "rule 3: order {order} completed, but not paid");
        assert!(
            self.orders[order].shown.contains(&row),
            "rule 3: order {order} completed for another customer's charge"
        );
        if let Some(mirror) = self.memory.mirrors.get_mut(&order) {
            let change = mirror.learn(&NextRequest::Get(charge.id().clone()), Ok(charge)).unwrap();
            assert!(matches!(change, Change::Paid | Change::Nothing), "{change:?}");
            assert_eq!(mirror.state(), State::Paid);
        }
        if self.database.completed.insert(order) {
            self.tally.count("paid");
        }
        self.database.rows[order] = Row::Over;
    }

    pub(super) fn webhook(&mut self, arrived: &Arrived) {
        let hint = match self.machines.endpoint().read_webhook(&arrived.headers, &arrived.body) {
            Ok(hint) => hint,
            Err(error) => {
                self.tally.count("rejected webhooks");
                self.assert_no_secret(&format!("{error} {error:?}"));
                return;
            }
        };
        self.tally.count("webhooks");
        let known = self.memory.charges.contains_key(hint.id());
        if self.rng.bool() {
            self.watcher.check_soon(hint.id());
            if !self.watcher.is_empty() {
                self.wake_watcher();
            }
        } else if known || self.rng.u8(0..3) == 0 {
            let machine = self.machines.call(hint.confirm());
            self.start(Job::new(Kind::Confirm(Box::new(machine)), usize::MAX, usize::MAX));
        }
    }

    pub(super) fn confirmed(&mut self, charge: &Charge) {
        let Some(order) = self.memory.charges.get(charge.id()).map(|(order, _)| *order) else { return };
        let mut guarded = core::mem::take(&mut self.database.guarded);
        let done = charge.to_paid().map(|paid| {
            CompletionGuard::new(Store(&mut guarded)).complete(&paid, |charge| {
                self.complete(order, charge);
                Ok::<(), core::convert::Infallible>(())
            })
        });
        self.database.guarded = guarded;
        if done == Some(Ok(Completion::Now)) {
            self.tally.count("completed by webhook");
            if self.rng.bool() {
                let was = self.watcher.remove(charge.id());
                assert_eq!(was, self.memory.live.remove(charge.id()));
            }
        }
    }

    pub(super) fn save_watched(&mut self) {
        let state = self.watcher.snapshot();
        assert_eq!(state.len(), self.memory.live.len(), "rule 4: the state differs from what is watched");
        self.database.watched = Some((serde_json::to_string(&state).unwrap(), self.memory.live.clone()));
    }
}
