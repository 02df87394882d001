//! Machines, through any replies and any clocks.

use std::collections::BTreeSet;
use std::time::Duration;

use strike_core::mirror::{Change, Mirror, Query, State};
use strike_core::{
    Charge, CoreClient, Create, CreateOnceOptions, CreateOutcome, Event, Get, List, NewCharge, RetryPolicy,
    Wait, WaitOutcome,
};

use crate::play::{Play, START, key, row};
use crate::secret::{assert_fit_for_a_log, endpoint};

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn policy(play: &mut Play<'_>) -> RetryPolicy {
    RetryPolicy::default().attempts(u32::try_from(1 + play.tape().below(5)).unwrap_or(1))
}

fn charge(id: &str) -> Charge {
    serde_json::from_str(&row(id, false)).unwrap()
}

/// One operation.
pub(crate) fn call(data: &[u8]) {
    let mut play = Play::new(data);
    let (at, policy) = (endpoint(false), policy(&mut play));
    match play.tape().below(3) {
        0 => {
            if let Ok(charge) =
                play.run(&mut CoreClient::new(at.clone(), policy, 7).call(Create::new(order())))
            {
                assert!(play.said_paid || !charge.is_paid());
                assert_eq!(charge.amount(), order().amount());
            }
        }
        1 => {
            if let Ok(charge) =
                play.run(&mut CoreClient::new(at.clone(), policy, 7).call(Get::new("ch_1".parse().unwrap())))
            {
                assert!(play.said_paid || !charge.is_paid());
                assert_eq!(charge.id().as_str(), "ch_1");
            }
        }
        _ => {
            if let Ok(page) = play.run(&mut CoreClient::new(at.clone(), policy, 7).call(List::page(0))) {
                assert!(play.said_paid || page.charges().all(|charge| !charge.is_paid()));
            }
        }
    }
}

/// A create, once per key.
pub(crate) fn create_once(data: &[u8]) {
    let mut play = Play::new(data);
    let policy = policy(&mut play);
    let once = match play.tape().below(3) {
        0 => CreateOnceOptions::with_key(key()),
        1 => CreateOnceOptions::fresh(key()),
        _ => CreateOnceOptions::recover(key()),
    };
    play.repost = play.tape().below(2) == 1;
    let mut machine =
        CoreClient::new(endpoint(false).clone(), policy, 7).create_once(order(), once.repost(play.repost));
    if let Ok(made) = play.run(&mut machine) {
        let charge = made.charge();
        assert!(play.said_paid || !charge.is_paid());
        assert_eq!(charge.is_paid(), matches!(made, CreateOutcome::Paid(_)));
        assert_eq!(charge.amount(), order().amount());
        assert_eq!(charge.description(), "tea");
    }
}

/// A wait for one charge.
pub(crate) fn wait_paid(data: &[u8]) {
    let mut play = Play::new(data);
    let policy = policy(&mut play);
    let wait = match play.tape().below(3) {
        0 => Wait::until_expiry(),
        1 => Wait::at_most(Duration::ZERO),
        _ => Wait::at_most(Duration::from_secs(u64::from(play.tape().number()))),
    };
    let known = charge("ch_1");
    match play.run(&mut CoreClient::new(endpoint(false).clone(), policy, 7).wait(known.clone(), wait)) {
        Ok(WaitOutcome::Paid(charge)) => {
            assert!(play.said_paid && charge.is_paid());
            assert_eq!((charge.id(), charge.payment_hash()), (known.id(), known.payment_hash()));
        }
        Ok(WaitOutcome::Payable(charge) | WaitOutcome::Expired(charge)) => {
            assert!(!charge.is_paid());
            assert_eq!(charge.id(), known.id());
        }
        Err(_) => {}
    }
}

/// A lazy charge that is fetched again and again, and kept in between.
pub(crate) fn mirror(data: &[u8]) {
    let mut play = Play::new(data);
    let machines = CoreClient::new(endpoint(false), policy(&mut play), 7);
    let mut mirror = match play.tape().below(3) {
        0 => Mirror::draft(order(), key(), START),
        1 => Mirror::known("ch_1".parse().unwrap()),
        _ => Mirror::of(charge("ch_1")),
    };
    let mut id = mirror.id().cloned();
    let mut was_paid = false;
    for _ in 0..4 {
        let want = [Query::Id, Query::Charge, Query::Paid, Query::Update][play.tape().below(4)];
        let change = play.run(&mut mirror.fetch(want, &machines));
        assert!(play.said_paid || mirror.state() != State::Paid);
        assert!(!was_paid || mirror.state() == State::Paid, "paid stays paid");
        if let Ok(change) = change {
            assert_eq!(change == Change::Paid, mirror.state() == State::Paid && !was_paid);
            assert!(mirror.id().is_some());
        }
        assert!(id.is_none() || mirror.id() == id.as_ref(), "an id never changes");
        was_paid = mirror.state() == State::Paid;
        id = mirror.id().cloned();
        // What is kept is read again: it differs in nothing but that a draft looks first.
        let kept = serde_json::to_string(&mirror).unwrap();
        let restored: Mirror = serde_json::from_str(&kept).unwrap();
        assert_eq!(serde_json::to_string(&restored).unwrap(), kept);
        if play.tape().below(2) == 1 {
            mirror = restored;
        }
    }
}

/// Three charges that are watched to their ends.
pub(crate) fn watcher(data: &[u8]) {
    let mut play = Play::new(data);
    // It holds moments of the monotonic clock, so a reading from the end of time would have it wait until then.
    play.wild = false;
    let mut watcher = CoreClient::new(endpoint(false).clone(), policy(&mut play), 7).watcher().page_size(2);
    let mut open = BTreeSet::new();
    for id in ["ch_1", "ch_2", "ch_3"] {
        watcher.add(&charge(id));
        open.insert(charge(id).id().clone());
    }
    // After the tape, no failure is left to be told.
    for _ in 0..data.len() + 8 {
        assert_eq!(watcher.len(), open.len());
        let state = watcher.snapshot();
        assert_eq!(state.len(), open.len());
        match play.tape().below(8) {
            1 => watcher.check_soon(charge("ch_2").id()),
            2 => {
                let mut again = CoreClient::new(endpoint(false).clone(), policy(&mut play), 8).watcher();
                again.restore(state);
                watcher = again;
            }
            _ => {}
        }
        match play.run(&mut watcher.next()) {
            Ok(None) => {
                assert!(open.is_empty());
                return;
            }
            Ok(Some(event)) => {
                let id = match &event {
                    Event::Paid(charge) => {
                        assert!(play.said_paid && charge.is_paid());
                        charge.id()
                    }
                    Event::Expired(id) => id,
                    Event::Failed(id, error) => {
                        assert_fit_for_a_log(error);
                        id
                    }
                };
                assert!(open.remove(id), "{id} ended twice, or was never watched");
            }
            Err(_) => {}
        }
    }
    panic!("failures without an end: {open:?} are pending");
}

/// The whole list.
pub(crate) fn pager(data: &[u8]) {
    let mut play = Play::new(data);
    let mut pager = CoreClient::new(endpoint(false).clone(), policy(&mut play), 7).pager();
    pager = pager.page_size(u32::try_from(1 + play.tape().below(3)).unwrap_or(1));
    let mut seen = BTreeSet::new();
    for _ in 0..2 * data.len() + 16 {
        match play.run(&mut pager.next()) {
            Ok(None) => return,
            Ok(Some(charge)) => assert!(seen.insert(charge.id().clone()), "{} came twice", charge.id()),
            Err(_) => {}
        }
    }
    panic!("a list without an end");
}
