//! Property tests: random faults and crashes never lead to a second charge.

use std::time::Duration;

use proptest::prelude::*;
use strike_core::machine::{Machine, OrderRecord, Step};
use strike_core::{Charge, CoreClient, CreateOnceOptions, Now, RetryPolicy, UnixMillis};

use super::{charge_of, order};
use crate::support::host::{Fault, Host};
use crate::support::{START, endpoint};

/// Generates the fault of one request.
fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::Fine),
        1 => Just(Fault::Refused),
        1 => Just(Fault::RequestLost),
        1 => Just(Fault::ReplyLost),
        1 => Just(Fault::SilentBefore),
        1 => Just(Fault::SilentAfter),
        1 => Just(Fault::Before(500)),
        1 => Just(Fault::After(500)),
        1 => Just(Fault::Before(401)),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    proptest::collection::vec(fault(), 0..6)
}

/// One run of a shop: its faults, the number of exchanges before a crash, and whether the payer
/// pays.
#[derive(Debug, Clone)]
struct ShopRun {
    posts: Vec<Fault>,
    lists: Vec<Fault>,
    late: Option<usize>,
    crash: Option<usize>,
    pays: bool,
    repost: bool,
}

fn run() -> impl Strategy<Value = ShopRun> {
    let crash = proptest::option::weighted(0.3, 0_usize..8);
    let late = proptest::option::weighted(0.3, 1_usize..4);
    (faults(), faults(), late, crash, any::<bool>(), any::<bool>()).prop_map(
        |(posts, lists, late, crash, pays, repost)| ShopRun { posts, lists, late, crash, pays, repost },
    )
}

/// Runs the shop once, and returns the charge if there is one.
fn run_shop(host: &mut Host, run: &ShopRun, repost: bool, monotonic: Duration) -> Option<Charge> {
    run_shop_with_record(host, run, repost, monotonic, &mut OrderRecord::default())
}

fn run_shop_with_record(
    host: &mut Host,
    run: &ShopRun,
    repost: bool,
    monotonic: Duration,
    record: &mut OrderRecord,
) -> Option<Charge> {
    host.posts = run.posts.iter().copied().collect();
    host.lists = run.lists.iter().copied().collect();
    if let Some(lists) = run.late {
        host.posts.push_front(Fault::Late(lists));
    }
    let before = host.sent("POST");
    let once = CreateOnceOptions::named("order-17").repost(repost);
    let mut machine =
        CoreClient::new(endpoint(), RetryPolicy::default(), 1).create_once_with(order(), once, record);
    let mut now = Now::new(monotonic, UnixMillis::from_millis(START));
    let mut exchanges = 0;
    let made = loop {
        match machine.poll(now) {
            Step::Send(exchange) => {
                exchanges += 1;
                if let Some(reply) = host.serve(&exchange, now) {
                    machine.handle(reply, now);
                }
                if run.crash == Some(exchanges) {
                    break None;
                }
            }
            Step::Wait(wait) => now.monotonic += wait,
            Step::Done(result) => break result.ok(),
        }
    };
    // Unsent attempts may be retried. Of creates that were possibly sent, there is one, or two with
    // `repost`.
    let sent = host.sent("POST") - before;
    assert!(sent <= if repost { 6 } else { 3 }, "{sent}");
    made.map(|made| charge_of(&made).clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Requests arrive immediately or never. The shop crashes and restarts with the same name, and
    /// may allow a second create. There is never a second charge.
    #[test]
    fn at_most_one_charge_if_no_request_arrives_late(runs in proptest::collection::vec(run(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        for run in &runs {
            let run = ShopRun { late: None, ..run.clone() };
            run_shop(&mut host, &run, run.repost, start);
            start += Duration::from_secs(60);
            prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
        }
        // The last run has no faults.
        let run = ShopRun { posts: vec![], lists: vec![], late: None, crash: None, pays: false, repost: false };
        prop_assert!(run_shop(&mut host, &run, false, start).is_some());
        prop_assert_eq!(host.rows.len(), 1);
    }

    /// A lost create arrives late, but before the next machine starts, and `repost` is off. There is
    /// never a second charge.
    #[test]
    fn at_most_one_charge_without_repost(runs in proptest::collection::vec(run(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        for run in &runs {
            run_shop(&mut host, run, false, start);
            host.flush();
            start += Duration::from_secs(60);
            prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
        }
    }

    /// With one key record, at most one create can have arrived. That holds for lost and late
    /// requests, dropped calls, and lists that lag behind.
    #[test]
    fn at_most_one_charge_with_a_key_record(
        runs in proptest::collection::vec((run(), any::<bool>()), 1..6),
    ) {
        let (mut host, mut start, mut record) = (Host::new(), Duration::ZERO, OrderRecord::default());
        for (run, hidden) in &runs {
            host.hidden = if *hidden { 1000 } else { 0 };
            run_shop_with_record(&mut host, run, false, start, &mut record);
            start += Duration::from_secs(60);
        }
        host.flush();
        prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
    }

    /// With `repost` the host may have two charges. If a lost create arrives and is listed before
    /// the last search, only one payment request is ever returned for the key.
    #[test]
    fn one_payment_request_is_returned_per_key(runs in proptest::collection::vec(run(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        let mut shown: Option<String> = None;
        for run in &runs {
            // No list request fails, so that the third one is the last search.
            let run = ShopRun { lists: vec![], ..run.clone() };
            if let Some(charge) = run_shop(&mut host, &run, run.repost, start) {
                let request = charge.payment_request().to_owned();
                let first = shown.get_or_insert(request.clone());
                prop_assert_eq!(&*first, &request);
                if run.pays {
                    host.pay(charge.id().as_str(), START);
                }
            }
            host.flush();
            start += Duration::from_secs(60);
        }
    }
}
