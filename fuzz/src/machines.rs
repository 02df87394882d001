//! Fuzz targets for the state machines of strike-core, with any replies and any clock readings.

use std::collections::BTreeSet;
use std::time::Duration;

use strike_core::mirror::{Change, Mirror, Query, State};
use strike_core::{
    Charge, CoreClient, Create, CreateOnceOptions, CreateOutcome, Event, Get, List, NewCharge, RetryPolicy,
    Wait, WaitOutcome,
};

use crate::driver::{Driver, START, charge_json, key};
use crate::secret::{assert_loggable, endpoint};

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn policy(driver: &mut Driver<'_>) -> RetryPolicy {
    RetryPolicy::default().attempts(u32::try_from(1 + driver.input().below(5)).unwrap_or(1))
}

fn charge(id: &str) -> Charge {
    serde_json::from_str(&charge_json(id, false)).unwrap()
}

/// Runs a single create, get or list call.
pub(crate) fn call(data: &[u8]) {
    let mut driver = Driver::new(data);
    let (endpoint, policy) = (endpoint(false), policy(&mut driver));
    match driver.input().below(3) {
        0 => {
            if let Ok(charge) =
                driver.run(&mut CoreClient::new(endpoint.clone(), policy, 7).call(Create::new(order())))
            {
                assert!(driver.paid_received || !charge.is_paid());
                assert_eq!(charge.amount(), order().amount());
            }
        }
        1 => {
            if let Ok(charge) = driver.run(
                &mut CoreClient::new(endpoint.clone(), policy, 7).call(Get::new("ch_1".parse().unwrap())),
            ) {
                assert!(driver.paid_received || !charge.is_paid());
                assert_eq!(charge.id().as_str(), "ch_1");
            }
        }
        _ => {
            if let Ok(page) =
                driver.run(&mut CoreClient::new(endpoint.clone(), policy, 7).call(List::page(0)))
            {
                assert!(driver.paid_received || page.charges().all(|charge| !charge.is_paid()));
            }
        }
    }
}

/// Creates a charge with an order key.
pub(crate) fn create_once(data: &[u8]) {
    let mut driver = Driver::new(data);
    let policy = policy(&mut driver);
    let once = match driver.input().below(3) {
        0 => CreateOnceOptions::with_key(key()),
        1 => CreateOnceOptions::fresh(key()),
        _ => CreateOnceOptions::recover(key()),
    };
    driver.allow_repost = driver.input().below(2) == 1;
    let mut machine = CoreClient::new(endpoint(false).clone(), policy, 7)
        .create_once(order(), once.repost(driver.allow_repost));
    if let Ok(made) = driver.run(&mut machine) {
        let charge = made.charge();
        assert!(driver.paid_received || !charge.is_paid());
        assert_eq!(charge.is_paid(), matches!(made, CreateOutcome::Paid(_)));
        assert_eq!(charge.amount(), order().amount());
        assert_eq!(charge.description(), "tea");
    }
}

/// Waits for the payment of one charge.
pub(crate) fn wait_paid(data: &[u8]) {
    let mut driver = Driver::new(data);
    let policy = policy(&mut driver);
    let wait = match driver.input().below(3) {
        0 => Wait::until_expiry(),
        1 => Wait::at_most(Duration::ZERO),
        _ => Wait::at_most(Duration::from_secs(u64::from(driver.input().number()))),
    };
    let known = charge("ch_1");
    match driver.run(&mut CoreClient::new(endpoint(false).clone(), policy, 7).wait(known.clone(), wait)) {
        Ok(WaitOutcome::Paid(charge)) => {
            assert!(driver.paid_received && charge.is_paid());
            assert_eq!((charge.id(), charge.payment_hash()), (known.id(), known.payment_hash()));
        }
        Ok(WaitOutcome::Payable(charge) | WaitOutcome::Expired(charge)) => {
            assert!(!charge.is_paid());
            assert_eq!(charge.id(), known.id());
        }
        Err(_) => {}
    }
}

/// Fetches a mirrored charge four times, with serialization in between.
pub(crate) fn mirror(data: &[u8]) {
    let mut driver = Driver::new(data);
    let client = CoreClient::new(endpoint(false), policy(&mut driver), 7);
    let mut mirror = match driver.input().below(3) {
        0 => Mirror::draft(order(), key(), START),
        1 => Mirror::known("ch_1".parse().unwrap()),
        _ => Mirror::of(charge("ch_1")),
    };
    let mut id = mirror.id().cloned();
    let mut was_paid = false;
    for _ in 0..4 {
        let want = [Query::Id, Query::Charge, Query::Paid, Query::Update][driver.input().below(4)];
        let change = driver.run(&mut mirror.fetch(want, &client));
        assert!(driver.paid_received || mirror.state() != State::Paid);
        assert!(!was_paid || mirror.state() == State::Paid, "a paid charge became unpaid");
        if let Ok(change) = change {
            assert_eq!(change == Change::Paid, mirror.state() == State::Paid && !was_paid);
            assert!(mirror.id().is_some());
        }
        assert!(id.is_none() || mirror.id() == id.as_ref(), "the id changed");
        was_paid = mirror.state() == State::Paid;
        id = mirror.id().cloned();
        // A serialized mirror can be restored. A restored draft checks the list before it creates.
        let saved = serde_json::to_string(&mirror).unwrap();
        let restored: Mirror = serde_json::from_str(&saved).unwrap();
        assert_eq!(serde_json::to_string(&restored).unwrap(), saved);
        if driver.input().below(2) == 1 {
            mirror = restored;
        }
    }
}

/// Watches three charges until each is paid, expired or failed.
pub(crate) fn watcher(data: &[u8]) {
    let mut driver = Driver::new(data);
    // The watcher stores monotonic times. After a reading at the maximum it would wait forever.
    driver.extreme_clocks = false;
    let mut watcher = CoreClient::new(endpoint(false).clone(), policy(&mut driver), 7).watcher().page_size(2);
    let mut open = BTreeSet::new();
    for id in ["ch_1", "ch_2", "ch_3"] {
        watcher.add(&charge(id));
        open.insert(charge(id).id().clone());
    }
    // After the end of the input every response is valid, so the number of failures is limited.
    for _ in 0..data.len() + 8 {
        assert_eq!(watcher.len(), open.len());
        let state = watcher.snapshot();
        assert_eq!(state.len(), open.len());
        match driver.input().below(8) {
            1 => watcher.check_soon(charge("ch_2").id()),
            2 => {
                let mut again = CoreClient::new(endpoint(false).clone(), policy(&mut driver), 8).watcher();
                again.restore(state);
                watcher = again;
            }
            _ => {}
        }
        match driver.run(&mut watcher.next()) {
            Ok(None) => {
                assert!(open.is_empty());
                return;
            }
            Ok(Some(event)) => {
                let id = match &event {
                    Event::Paid(charge) => {
                        assert!(driver.paid_received && charge.is_paid());
                        charge.id()
                    }
                    Event::Expired(id) => id,
                    Event::Failed(id, error) => {
                        assert_loggable(error);
                        id
                    }
                };
                assert!(open.remove(id), "{id} was not watched or ended twice");
            }
            Err(_) => {}
        }
    }
    panic!("the watcher does not finish: {open:?} are pending");
}

/// Reads the whole list page by page.
pub(crate) fn pager(data: &[u8]) {
    let mut driver = Driver::new(data);
    let mut pager = CoreClient::new(endpoint(false).clone(), policy(&mut driver), 7).pager();
    pager = pager.page_size(u32::try_from(1 + driver.input().below(3)).unwrap_or(1));
    let mut seen = BTreeSet::new();
    for _ in 0..2 * data.len() + 16 {
        match driver.run(&mut pager.next()) {
            Ok(None) => return,
            Ok(Some(charge)) => {
                assert!(seen.insert(charge.id().clone()), "{} was returned twice", charge.id())
            }
            Err(_) => {}
        }
    }
    panic!("the pager does not finish");
}
