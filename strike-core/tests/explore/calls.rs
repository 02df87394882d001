//! Explores single calls, waits, and fetches of a mirror.

use strike_core::mirror::{Change, Mirror, Query, State};
use strike_core::{Charge, CoreClient, Create, Get, List, UnixMillis, Wait};

use super::{DEEP, USUAL, charge, key, order, policy, shared_endpoint};
use crate::play::explore;
use crate::support::START;

#[test]
fn get_keeps_the_machine_contract() {
    explore("get", 5, USUAL, |play| {
        let get = Get::new("ch_1".parse().unwrap());
        play.run(&mut CoreClient::new(shared_endpoint(), policy(), 1).call(get), Charge::is_paid);
    });
}

#[test]
fn list_keeps_the_machine_contract() {
    explore("list", 5, USUAL, |play| {
        let mut call = CoreClient::new(shared_endpoint(), policy(), 1).call(List::page(0));
        play.run(&mut call, |page| page.charges().any(Charge::is_paid));
    });
}

#[test]
fn create_keeps_the_machine_contract() {
    explore("create", 6, USUAL, |play| {
        play.run(
            &mut CoreClient::new(shared_endpoint(), policy(), 1).call(Create::new(order())),
            Charge::is_paid,
        );
    });
}

#[test]
fn wait_paid_keeps_the_machine_contract() {
    for (name, depth, rules) in [("wait until paid", 4, USUAL), ("wait until paid, deep", 8, DEEP)] {
        explore(name, depth, rules, |play| {
            let mut wait =
                CoreClient::new(shared_endpoint(), policy(), 1).wait(charge("ch_1"), Wait::until_expiry());
            play.run(&mut wait, strike_core::WaitOutcome::is_paid);
        });
    }
}

#[test]
fn fetch_keeps_the_machine_contract() {
    let machines = CoreClient::new(shared_endpoint(), policy(), 1);
    let now = UnixMillis::from_millis(START);
    for (name, depth, mirror, want) in [
        ("fetch of a draft", 4, Mirror::draft(order(), key(), now), Query::Id),
        ("fetch of a known charge", 5, Mirror::known("ch_1".parse().unwrap()), Query::Charge),
        ("fetch of a pending charge", 5, Mirror::of(charge("ch_1")), Query::Paid),
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
