//! Explores single calls, waits, and fetches of a mirror.

use strike_core::mirror::{Change, Mirror, State, Want};
use strike_core::{Call, Charge, Create, Get, List, Machines, UnixMillis, Wait, WaitPaid};

use super::{DEEP, USUAL, charge, key, order, policy, shared_endpoint};
use crate::play::explore;
use crate::support::START;

#[test]
fn get_keeps_the_machine_contract() {
    explore("get", 5, USUAL, |play| {
        let get = Get::new("ch_1".parse().unwrap());
        play.run(&mut Call::new(get, &shared_endpoint(), policy(), 1), Charge::paid);
    });
}

#[test]
fn list_keeps_the_machine_contract() {
    explore("list", 5, USUAL, |play| {
        let mut call = Call::new(List::page(0), &shared_endpoint(), policy(), 1);
        play.run(&mut call, |page| page.charges().any(Charge::paid));
    });
}

#[test]
fn create_keeps_the_machine_contract() {
    explore("create", 6, USUAL, |play| {
        play.run(&mut Call::new(Create::new(order()), &shared_endpoint(), policy(), 1), Charge::paid);
    });
}

#[test]
fn wait_paid_keeps_the_machine_contract() {
    for (name, depth, rules) in [("wait until paid", 4, USUAL), ("wait until paid, deep", 8, DEEP)] {
        explore(name, depth, rules, |play| {
            let mut wait =
                WaitPaid::new(charge("ch_1"), Wait::until_expiry(), &shared_endpoint(), policy(), 1);
            play.run(&mut wait, strike_core::Waited::is_paid);
        });
    }
}

#[test]
fn fetch_keeps_the_machine_contract() {
    let machines = Machines::new(shared_endpoint(), policy(), 1);
    let now = UnixMillis::from_millis(START);
    for (name, depth, mirror, want) in [
        ("fetch of a draft", 4, Mirror::draft(order(), key(), now), Want::Id),
        ("fetch of a known charge", 5, Mirror::known("ch_1".parse().unwrap()), Want::Charge),
        ("fetch of a pending charge", 5, Mirror::of(charge("ch_1")), Want::Paid),
    ] {
        explore(name, depth, USUAL, |play| {
            let mut mirror = mirror.clone();
            play.run(&mut mirror.fetch(want, &machines), |change| *change == Change::Paid);
            assert!(play.replied_paid || mirror.state() != State::Paid);
            assert!(
                play.creates == 0 || mirror.state() != State::Draft,
                "a mirror with a possible charge is in the draft state"
            );
        });
    }
}
