//! Tests of saved state and restarts.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use strike_core::WatcherSnapshot;
use strike_core::machine::{Machine, Step};

use super::{describe, insert, next, read, seconds, watcher};
use crate::support;
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual};

#[test]
fn restart_loses_no_event() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    for _ in 0..3 {
        watched.add(&insert(&mut host, 600));
    }
    for id in ["ch_1", "ch_2", "ch_3"] {
        host.pay(id, START);
    }
    let first = next(&mut watched, &mut world, &mut host);
    assert_eq!(world.sends(), 1, "one page shows all three charges");
    // The state is saved as JSON and restored.
    let saved = serde_json::to_string(&watched.snapshot()).unwrap();
    let state: WatcherSnapshot = serde_json::from_str(&saved).unwrap();
    assert!(!state.is_empty());
    assert_eq!((state.len(), &state), (2, &watched.snapshot()));
    let mut restarted = watcher();
    restarted.restore(state);
    let mut events =
        vec![first, next(&mut restarted, &mut world, &mut host), next(&mut restarted, &mut world, &mut host)];
    events.sort();
    assert_eq!(events, ["ch_1 paid", "ch_2 paid", "ch_3 paid"]);
    assert_eq!(next(&mut restarted, &mut world, &mut host), "nothing");
}

#[test]
fn charge_added_as_paid_survives_a_restart() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    insert(&mut host, 600);
    host.pay("ch_1", START);
    let mut watched = watcher();
    watched.add(&read(&host, "ch_1"));
    let mut restarted = watcher();
    restarted.restore(watched.snapshot());
    assert_eq!(next(&mut restarted, &mut world, &mut host), "ch_1 paid");
}

#[test]
fn saved_state_format_does_not_change() {
    let mut watched = watcher();
    watched.add(&support::charge(&[]));
    // The digest is the first four bytes of the SHA-256 of hash, amounts and texts. The invoice is
    // unreadable, so `until` is the default of a week.
    let saved = json!({
        "id": "ch_1", "created": 1_700_000_000_000_u64, "until": 1_700_604_860_000_u64, "digest": 3_876_468_656_u32
    });
    assert_eq!(
        serde_json::to_value(watched.snapshot()).unwrap(),
        json!({ "version": 1, "pending": [saved] })
    );
}

#[derive(Debug, Clone)]
enum Act {
    /// Waits for the next event with these faults.
    Next(Vec<Fault>),
    Pay(usize),
    Restart,
    Drop,
}

fn act() -> impl Strategy<Value = Act> {
    let fault = prop_oneof![
        Just(Fault::Fine),
        Just(Fault::Refused),
        Just(Fault::ReplyLost),
        Just(Fault::SilentAfter),
        Just(Fault::Before(503)),
    ];
    prop_oneof![
        2 => proptest::collection::vec(fault, 0..4).prop_map(Act::Next),
        2 => (0_usize..8).prop_map(Act::Pay),
        1 => Just(Act::Restart),
        1 => Just(Act::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// With failures, restarts and dropped machines, each charge has exactly one event if the state
    /// is saved after each event. The event is `Paid` exactly if the host says so.
    #[test]
    fn every_charge_has_one_event_over_random_histories(charges in 1_usize..8, acts in proptest::collection::vec(act(), 0..20)) {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 600));
        }
        let mut events: BTreeMap<String, String> = BTreeMap::new();
        let mut note = |event: String, host: &Host| {
            // An error of the watcher itself is not the event of a charge.
            if let Some((id, end)) = event.split_once(' ').filter(|(id, _)| id.starts_with("ch_")) {
                let before = events.insert(id.to_owned(), end.to_owned());
                assert_eq!(before, None, "{id} had two events");
                assert_eq!(end == "paid", read(host, id).is_paid(), "{id} {end}");
            }
            events.len()
        };
        for act in acts {
            match act {
                Act::Next(faults) => {
                    host.lists = faults.iter().copied().collect();
                    host.gets = faults.into();
                    let event = next(&mut watched, &mut world, &mut host);
                    let reported = note(if event == "nothing" { String::new() } else { event }, &host);
                    prop_assert_eq!(reported + watched.len(), charges);
                }
                // A payer can pay only until the invoice expires.
                Act::Pay(n) if world.now.monotonic < seconds(590) => {
                    host.pay(&format!("ch_{}", n % charges + 1), START);
                }
                Act::Pay(_) => {}
                Act::Restart => {
                    let state = serde_json::to_string(&watched.snapshot()).unwrap();
                    watched = watcher();
                    watched.restore(serde_json::from_str(&state).unwrap());
                }
                Act::Drop => {
                    for _ in 0..3 {
                        match watched.next().poll(world.now) {
                            Step::Send(_) => {}
                            Step::Wait(wait) => world.advance(wait),
                            Step::Done(result) => drop(note(describe(result), &host)),
                        }
                    }
                }
            }
        }
        while !watched.is_empty() {
            let event = next(&mut watched, &mut world, &mut host);
            note(event, &host);
        }
        prop_assert_eq!(note(String::new(), &host), charges);
    }
}
