//! Property test: the invariants of a mirror over random histories.

use proptest::prelude::*;
use serde_json::json;
use strike_core::mirror::{Change, Mirror, NextRequest, Query, State};
use strike_core::{Charge, CreateOnceOptions, Error, OrderKey};

use super::{WANTS, draft, failure, known, paid_charge, pending, reach, restored, start, unknown};
use crate::support::{START, charge, respond};

/// A step of a history. Outcomes refer to the last request.
#[derive(Debug, Clone)]
enum Act {
    Ask(usize),
    Created { paid: bool, updated: u64 },
    Seen { id: usize, hash: usize, paid: bool, updated: u64 },
    Refused,
    Unknown,
    Abandon,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let updated = 0_u64..4;
    prop_oneof![
        4 => (0_usize..4).prop_map(Act::Ask),
        1 => (any::<bool>(), updated.clone()).prop_map(|(paid, updated)| Act::Created { paid, updated }),
        3 => (0_usize..3, 0_usize..3, any::<bool>(), updated)
            .prop_map(|(id, hash, paid, updated)| Act::Seen { id, hash, paid, updated }),
        1 => Just(Act::Refused),
        1 => Just(Act::Unknown),
        1 => Just(Act::Abandon),
        1 => Just(Act::Restart),
    ]
}

/// Returns a charge from a response. Indexes 0 and 1 are the expected id and hash.
fn seen(id: usize, hash: usize, paid: bool, updated: u64) -> Charge {
    charge(&[
        ("id", json!(["ch_1", "ch_1", "ch_2"][id])),
        ("payment_hash", json!([&"ab", &"ab", &"cd"][hash].repeat(32))),
        ("paid", json!(paid)),
        ("updated", json!(START + updated)),
    ])
}

thread_local! {
    static REFUSED: Error = failure(true, respond(401, ""));
    static UNKNOWN: Error = unknown();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The five invariants that the module documents, over any order of requests and restarts.
    #[test]
    fn invariants_hold_over_random_histories(which in 0_usize..4, acts in proptest::collection::vec(act(), 0..40)) {
        let mut mirror = [draft(), known(), pending(), Mirror::of(paid_charge())][which].clone();
        let mut handed_out = None;
        // How often each key was posted without a search before.
        let mut blind = std::collections::BTreeMap::new();
        let mut next_key = 100;
        for act in acts {
            let before = mirror.clone();
            let (state, id) = (before.state(), before.id().cloned());
            let mut rejected = false;
            let mut abandoned = false;
            match &act {
                Act::Ask(want) => {
                    let ask = mirror.ask(WANTS[*want]);
                    if let Some(NextRequest::Once(_, once)) = &ask {
                        // The mirror is in doubt from the moment a create is returned.
                        prop_assert_eq!(mirror.state(), State::InDoubt);
                        prop_assert!(matches!(state, State::Draft | State::InDoubt));
                        if *once == CreateOnceOptions::fresh(once.key()) {
                            *blind.entry(once.key()).or_insert(0) += 1;
                        } else if state == State::InDoubt {
                            prop_assert_eq!(*once, CreateOnceOptions::recover(once.key()).since(reach()));
                        } else {
                            prop_assert_eq!(*once, CreateOnceOptions::with_key(once.key()).since(reach()));
                        }
                    } else {
                        prop_assert_eq!(&mirror, &before, "only a create changes the state");
                    }
                    if state == State::Paid {
                        prop_assert_eq!(&ask, &None);
                    }
                    handed_out = ask.or(handed_out);
                }
                Act::Created { paid, updated } => {
                    if let Some(ask @ NextRequest::Once(..)) = &handed_out {
                        let _ = mirror.learn(ask, Ok(&seen(0, 0, *paid, *updated)));
                    }
                }
                Act::Seen { id, hash, paid, updated } => {
                    if let Some(ask @ NextRequest::Get(_)) = &handed_out {
                        let _ = mirror.learn(ask, Ok(&seen(*id, *hash, *paid, *updated)));
                    }
                }
                Act::Refused | Act::Unknown => {
                    if let Some(ask) = handed_out.take() {
                        let error = if matches!(act, Act::Refused) { &REFUSED } else { &UNKNOWN };
                        let change = error.with(|error| mirror.learn(&ask, Err(error))).unwrap();
                        rejected = change == Change::Refused;
                        if rejected {
                            prop_assert!(matches!(act, Act::Refused), "expected a definite rejection");
                            // Nothing was created, so the key counts as unused again.
                            if let NextRequest::Once(_, once) = ask {
                                blind.remove(&once.key());
                            }
                        }
                    }
                }
                Act::Abandon => {
                    next_key += 1;
                    mirror.abandon(OrderKey::from_entropy(next_key), start());
                    abandoned = state == State::InDoubt;
                }
                Act::Restart => {
                    mirror = restored(&mirror);
                    prop_assert_eq!(mirror.state(), state);
                    prop_assert_eq!(mirror.charge(), before.charge());
                    if state != State::Draft {
                        prop_assert_eq!(&mirror, &before);
                    }
                    handed_out = None;
                }
            }
            if state == State::Paid {
                prop_assert_eq!(&mirror, &before, "a paid mirror changed");
            }
            if id.is_some() {
                prop_assert_eq!(mirror.id(), id.as_ref(), "the id changed");
            }
            if let (Some(old), Some(new)) = (before.charge(), mirror.charge()) {
                prop_assert!(new.updated() >= old.updated() || new.is_paid(), "an older response replaced a newer one");
                prop_assert_eq!(old.payment_hash(), new.payment_hash());
                prop_assert!(new.is_paid() || !old.is_paid());
            }
            if mirror.state() == State::Draft && state != State::Draft {
                prop_assert!(rejected || abandoned, "draft without a rejection or abandon");
            }
            // A saved mirror keeps the state, and never posts without a search.
            let mut saved = restored(&mirror);
            prop_assert_eq!(saved.state(), mirror.state());
            if let Some(NextRequest::Once(_, once)) = saved.ask(Query::Id) {
                prop_assert_ne!(once, CreateOnceOptions::fresh(once.key()));
            }
            prop_assert!(blind.values().all(|times| *times <= 1), "{:?}", blind);
        }
    }
}
