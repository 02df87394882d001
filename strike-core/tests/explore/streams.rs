//! Explores pagers and watchers.

use strike_core::machine::{Machine, Pager, Step};
use strike_core::{Charge, CoreClient, Event, Now, Reply, Watcher};

use super::{DEEP, Rules, USUAL, charge, policy, shared_endpoint};
use crate::play::explore;

fn is_some_paid(charge: &Option<Charge>) -> bool {
    charge.as_ref().is_some_and(Charge::is_paid)
}

#[test]
fn pager_keeps_the_machine_contract() {
    explore("pager", 5, USUAL, |play| {
        let mut pager = CoreClient::new(shared_endpoint(), policy(), 1).pager();
        play.run(&mut pager.next(), is_some_paid);
    });
}

/// A stream whose machine is dropped after every step.
struct Dropped<S>(S);

impl Machine for Dropped<Pager> {
    type Output = Option<Charge>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        self.0.next().poll(now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.next().handle(reply, now);
    }
}

impl Machine for Dropped<Watcher> {
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        self.0.next().poll(now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.next().handle(reply, now);
    }
}

#[test]
fn pager_dropped_after_every_step_keeps_the_machine_contract() {
    explore("pager, dropped at each step", 4, Rules { ends: false, ..USUAL }, |play| {
        play.run(&mut Dropped(CoreClient::new(shared_endpoint(), policy(), 1).pager()), is_some_paid);
    });
}

fn watcher(charges: &[&str]) -> Watcher {
    let mut watcher = CoreClient::new(shared_endpoint(), policy(), 1).watcher();
    for id in charges {
        watcher.add(&charge(id));
    }
    watcher
}

fn is_paid_event(event: &Option<Event>) -> bool {
    matches!(event, Some(Event::Paid(_)))
}

#[test]
fn watcher_of_one_charge_keeps_the_machine_contract() {
    for (name, depth, rules) in [("watcher of one", 4, USUAL), ("watcher of one, deep", 8, DEEP)] {
        explore(name, depth, Rules { stores_times: true, ..rules }, |play| {
            play.run(&mut watcher(&["ch_1"]).next(), is_paid_event);
        });
    }
}

#[test]
fn watcher_of_two_charges_keeps_the_machine_contract() {
    for (name, depth, rules) in [("watcher of two", 4, USUAL), ("watcher of two, deep", 8, DEEP)] {
        explore(name, depth, Rules { stores_times: true, ..rules }, |play| {
            play.run(&mut watcher(&["ch_1", "ch_2"]).next(), is_paid_event);
        });
    }
}

#[test]
fn watcher_dropped_after_every_step_keeps_the_machine_contract() {
    let rules = Rules { stores_times: true, ends: false, ..USUAL };
    explore("watcher of two, dropped at each step", 4, rules, |play| {
        let mut watcher = watcher(&["ch_1", "ch_2"]);
        watcher.check_soon(charge("ch_2").id());
        play.run(&mut Dropped(watcher), is_paid_event);
    });
}
