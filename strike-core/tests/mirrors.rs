//! A mirror asks only when it must, and is true whenever it is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use lightning_invoice::Currency;
use proptest::prelude::*;
use serde_json::{Value, json};
use strike_core::machine::{Machine, OrderRecord, Step};
use strike_core::mirror::{Change, Mirror, NextRequest, Query, State};
use strike_core::{
    Charge, CoreClient, Create, CreateOnceOptions, Delivery, Error, ErrorKind, Get, NewCharge, Now, OrderKey,
    Reply, RetryPolicy, TransportErrorKind, UnixMillis, WatcherSnapshot,
};
use support::host::{Fault, Host};
use support::{START, Virtual, answer, charge, charge_json, endpoint, no_answer, ok};

const WANTS: [Query; 4] = [Query::Id, Query::Charge, Query::Paid, Query::Update];

fn start() -> UnixMillis {
    UnixMillis::from_millis(START)
}

/// A look goes back to a day before the draft, lest the local clock was ahead.
fn reach() -> UnixMillis {
    start().saturating_sub(std::time::Duration::from_secs(24 * 60 * 60))
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn draft() -> Mirror {
    Mirror::draft(order(), OrderKey::from_entropy(7), start())
}

fn in_doubt() -> Mirror {
    let mut mirror = draft();
    mirror.ask(Query::Id).unwrap();
    mirror
}

fn restored(mirror: &Mirror) -> Mirror {
    serde_json::from_str(&serde_json::to_string(mirror).unwrap()).unwrap()
}

fn known() -> Mirror {
    Mirror::known("ch_1".parse().unwrap())
}

fn pending() -> Mirror {
    Mirror::of(charge(&[]))
}

fn paid_charge() -> Charge {
    charge(&[("paid", json!(true)), ("updated", json!(START))])
}

fn get() -> NextRequest {
    NextRequest::Get("ch_1".parse().unwrap())
}

fn machines() -> CoreClient {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1)
}

/// The error that a create, or else a get, ends with after such a reply.
fn failure(create: bool, reply: Reply) -> Error {
    let mut reply = Some(reply);
    let mut server = |_, _: &mut Now| reply.take().unwrap();
    if create {
        Virtual::new().run(&mut machines().call(Create::new(order())), &mut server).unwrap_err()
    } else {
        Virtual::new().run(&mut machines().call(Get::new("ch_1".parse().unwrap())), &mut server).unwrap_err()
    }
}

fn unknown() -> Error {
    failure(true, answer(500, ""))
}

#[test]
fn what_each_state_asks_for() {
    let key = OrderKey::from_entropy(7);
    let careful = || Some(NextRequest::Once(order(), CreateOnceOptions::with_key(key).since(reach())));
    let look = || Some(NextRequest::Once(order(), CreateOnceOptions::recover(key).since(reach())));
    let get = || Some(get());
    type Row = (Mirror, [Option<NextRequest>; 4], State, State);
    let rows: [Row; 6] = [
        //               id         charge     paid       update
        (draft(), [careful(), careful(), careful(), careful()], State::Draft, State::InDoubt),
        (restored(&draft()), [careful(), careful(), careful(), careful()], State::Draft, State::InDoubt),
        (in_doubt(), [look(), look(), look(), look()], State::InDoubt, State::InDoubt),
        (known(), [None, get(), get(), get()], State::Known, State::Known),
        (pending(), [None, None, get(), get()], State::Pending, State::Pending),
        (Mirror::of(paid_charge()), [None, None, None, None], State::Paid, State::Paid),
    ];
    for (mirror, asks, before, after) in rows {
        for (want, ask) in WANTS.into_iter().zip(asks) {
            let mut mirror = mirror.clone();
            assert_eq!(mirror.state(), before);
            assert_eq!(mirror.ask(want), ask, "{before:?} {want:?}");
            assert_eq!(mirror.state(), after, "{before:?} {want:?}");
        }
    }
}

#[test]
fn another_invoice_under_the_same_id_is_never_learned() {
    for (field, other) in [
        ("payment_request", json!("another")),
        ("amount", json!(1)),
        ("amount_satoshi", json!(1)),
        ("description", json!("coffee")),
    ] {
        let mut mirror = Mirror::of(charge(&[]));
        let changed = charge(&[(field, other), ("paid", json!(true)), ("updated", json!(START))]);
        let error = mirror.learn(&get(), Ok(&changed)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == field),
            "{error}"
        );
        assert_eq!((mirror.state(), mirror.charge()), (State::Pending, Some(&charge(&[]))));
    }
}

#[test]
fn a_redirected_create_stays_in_doubt() {
    let machines = CoreClient::new(endpoint(), RetryPolicy::default(), 1);
    let mut mirror = draft();
    let mut posts = 0;
    for _ in 0..3 {
        let mut world = Virtual::new();
        let result =
            world.run(&mut mirror.fetch(Query::Charge, &machines).with_new_key(true), |exchange, _| {
                posts += usize::from(exchange.request.method() == "POST");
                answer(303, "")
            });
        result.unwrap_err();
        assert_eq!(mirror.state(), State::InDoubt);
    }
    assert_eq!(posts, 1);
}

#[test]
fn what_each_outcome_changes() {
    let create = draft().ask(Query::Id).unwrap();
    let read = get();
    let look = in_doubt().ask(Query::Id).unwrap();
    let unpaid = charge(&[]);
    let newer = charge(&[("updated", json!(START)), ("customer_id", json!("tea, hot"))]);
    let older = charge(&[("updated", json!(START - 99_999)), ("customer_id", json!("tea, cold"))]);
    let as_old = charge(&[("customer_id", json!("tea, warm"))]);
    let old_but_paid = charge(&[("updated", json!(START - 99_999)), ("paid", json!(true))]);
    let paid = paid_charge();
    let other_id = charge(&[("id", json!("ch_2")), ("paid", json!(true))]);
    let other_hash = charge(&[("payment_hash", json!("cd".repeat(32))), ("paid", json!(true))]);
    let refused = || failure(true, answer(401, ""));
    let unsent = || failure(true, no_answer(TransportErrorKind::ConnectionRefused, Delivery::Unsent));
    let differs = || failure(true, ok(&charge_json(&[("amount", json!(1))])));
    let gone = || failure(false, answer(404, ""));
    let (is, refuse) = (|change| Ok::<_, &str>(change), |field| Err::<Change, _>(field));
    type Row<'a> =
        (&'static str, Mirror, &'a NextRequest, Result<&'a Charge, Error>, Result<Change, &'a str>, State);
    let rows: Vec<Row<'_>> = vec![
        ("created", in_doubt(), &create, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("adopted, and paid", in_doubt(), &look, Ok(&paid), is(Change::Paid), State::Paid),
        ("never asked, and yet", draft(), &create, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("refused", in_doubt(), &create, Err(refused()), is(Change::Refused), State::Draft),
        ("never left", in_doubt(), &create, Err(unsent()), is(Change::Refused), State::Draft),
        ("unknown", in_doubt(), &create, Err(unknown()), is(Change::InDoubt), State::InDoubt),
        ("differs", in_doubt(), &create, Err(differs()), is(Change::InDoubt), State::InDoubt),
        ("not found", in_doubt(), &look, Err(unknown()), is(Change::InDoubt), State::InDoubt),
        ("a look is refused", in_doubt(), &look, Err(refused()), is(Change::InDoubt), State::InDoubt),
        ("a get is refused", in_doubt(), &read, Err(refused()), is(Change::InDoubt), State::InDoubt),
        ("a draft, an error", draft(), &create, Err(refused()), is(Change::Nothing), State::Draft),
        ("retrieved", known(), &read, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("retrieved, and paid", known(), &read, Ok(&paid), is(Change::Paid), State::Paid),
        ("another id", known(), &read, Ok(&other_id), refuse("id"), State::Known),
        ("gone", known(), &read, Err(gone()), is(Change::Nothing), State::Known),
        ("the same", pending(), &read, Ok(&unpaid), is(Change::Nothing), State::Pending),
        ("newer", pending(), &read, Ok(&newer), is(Change::Learned), State::Pending),
        ("as old", pending(), &read, Ok(&as_old), is(Change::Learned), State::Pending),
        ("older", pending(), &read, Ok(&older), is(Change::Nothing), State::Pending),
        ("paid", pending(), &read, Ok(&paid), is(Change::Paid), State::Paid),
        ("paid, with an older time", pending(), &read, Ok(&old_but_paid), is(Change::Paid), State::Paid),
        ("pending, another id", pending(), &read, Ok(&other_id), refuse("id"), State::Pending),
        ("pending, another hash", pending(), &read, Ok(&other_hash), refuse("payment_hash"), State::Pending),
        ("pending, gone", pending(), &read, Err(gone()), is(Change::Nothing), State::Pending),
        ("paid stays", Mirror::of(paid.clone()), &read, Ok(&newer), is(Change::Nothing), State::Paid),
        ("paid stays paid", Mirror::of(paid.clone()), &read, Ok(&paid), is(Change::Nothing), State::Paid),
        ("paid, gone", Mirror::of(paid.clone()), &read, Err(gone()), is(Change::Nothing), State::Paid),
        ("paid, another id", Mirror::of(paid.clone()), &read, Ok(&other_id), refuse("id"), State::Paid),
    ];
    for (name, mut mirror, ask, outcome, change, state) in rows {
        let before = mirror.charge().cloned();
        let learned = mirror.learn(ask, outcome.as_ref().map(|charge| *charge));
        match (&learned, change) {
            (Ok(learned), Ok(change)) => assert_eq!(*learned, change, "{name}"),
            (Err(error), Err(field)) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == field),
                    "{name}: {error}"
                );
                assert!(error.charge().is_some(), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(mirror.state(), state, "{name}");
        if !matches!(learned, Ok(Change::Learned | Change::Paid)) {
            assert_eq!(mirror.charge().cloned(), before, "{name}: nothing was learned");
        } else {
            assert_eq!(mirror.charge(), outcome.ok(), "{name}");
        }
    }
}

#[test]
fn what_must_be_there_is_there_or_an_error() {
    let (paid, id) =
        (Mirror::of(paid_charge()), |mirror: &Mirror| mirror.require_id().map(|id| id.to_string()));
    assert_eq!(id(&paid).unwrap(), "ch_1");
    assert!(paid.require_charge().unwrap().is_paid());
    assert_eq!(id(&known()).unwrap(), "ch_1");
    for empty in [draft(), in_doubt()] {
        let error = empty.require_id().unwrap_err();
        assert!(error.to_string().starts_with("charge id must be known: fetch it first"), "{error}");
    }
    for empty in [draft(), in_doubt(), known()] {
        let error = empty.require_charge().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "charge"));
    }
}

#[test]
fn what_each_state_tells_of_the_order() {
    let tells = |mirror: &Mirror| {
        let words = [mirror.description(), mirror.customer_id().flatten()];
        (mirror.amount(), words.map(|word| word.map(str::to_owned)), mirror.customer_id().is_some())
    };
    let key = OrderKey::from_entropy(7);
    let mut draft = Mirror::draft(order().customer_id("table 4"), key, start());
    let told = (Some(4200), [Some("tea".to_owned()), Some("table 4".to_owned())], true);
    assert_eq!(tells(&draft), told);
    draft.ask(Query::Id).unwrap();
    assert_eq!(tells(&draft), told, "in doubt");
    let created = charge(&[("customer_id", json!(key.customer_id("table 4")))]);
    assert_eq!(tells(&Mirror::of(created)), told, "without the key that travelled along");

    let told = (Some(4200), [Some("tea".to_owned()), None], true);
    assert_eq!(tells(&in_doubt()), told, "without a reference of its own");
    assert_eq!(tells(&pending()), told);
    assert_eq!(tells(&known()), (None, [None, None], false));
}

#[test]
fn copies_of_a_draft_look_before_they_create() {
    // Both copies through one client, which keeps one record per key; the list does not show the charge yet.
    let mut host = Host::new();
    host.hidden = 1000;
    let (mut one, mut record) = (draft(), OrderRecord::default());
    let mut two = one.clone();
    for mirror in [&mut one, &mut two] {
        let machines = machines();
        let mut fetch = mirror.fetch_with(Query::Id, &machines, &mut record).with_new_key(true);
        let result = Virtual::new().run_losing(&mut fetch, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(result.unwrap(), Change::Learned);
    }
    assert_eq!((one.id(), host.sent("POST")), (two.id(), 1));

    // Each by itself: the second finds the first one's charge in the list.
    let mut host = Host::new();
    let mut one = draft();
    let mut two = one.clone();
    fetch(&mut one, Query::Id, &mut host).0.unwrap();
    fetch(&mut two, Query::Id, &mut host).0.unwrap();
    assert_eq!((one.id(), host.sent("POST")), (two.id(), 1));
}

#[test]
fn what_was_kept_by_version_1_is_read_and_a_newer_version_is_refused() {
    let golden: Value = serde_json::from_str(include_str!("kept/version-1.json")).unwrap();
    let mut retrieved = draft();
    retrieved.learn(&get(), Ok(&paid_charge())).unwrap();
    let mirrors =
        [("draft", draft()), ("in_doubt", in_doubt()), ("known", known()), ("retrieved", retrieved)];
    for (name, mirror) in mirrors {
        let kept = &golden["mirrors"][name];
        assert_eq!(serde_json::from_value::<Mirror>(kept.clone()).unwrap(), mirror, "{name}");
        assert_eq!(serde_json::to_value(&mirror).unwrap(), *kept, "{name}");
        // Before there was a version, it was this one.
        let mut old = kept.clone();
        old.as_object_mut().unwrap().remove("version");
        assert_eq!(serde_json::from_value::<Mirror>(old).unwrap(), mirror, "{name}");
        for version in [json!(2), json!(0), json!("1"), json!(null)] {
            let mut newer = kept.clone();
            newer["version"] = version.clone();
            let error = serde_json::from_value::<Mirror>(newer).unwrap_err().to_string();
            assert!(
                version != 2 || error.starts_with("version 2 is not one that this release reads"),
                "{error}"
            );
        }
    }
    let watched: WatcherSnapshot = serde_json::from_value(golden["watched"].clone()).unwrap();
    assert_eq!((watched.len(), serde_json::to_value(&watched).unwrap()), (1, golden["watched"].clone()));
    let mut newer = golden["watched"].clone();
    newer["version"] = json!(2);
    serde_json::from_value::<WatcherSnapshot>(newer).unwrap_err();
}

#[test]
fn a_charge_whose_expiry_the_clocks_dispute_is_learned_all_the_same() {
    let mut host = Host::new();
    let mut mirror = draft();
    fetch(&mut mirror.clone(), Query::Id, &mut host).0.unwrap();
    let invoice = support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(7200));
    host.rows[0]["payment_request"] = json!(invoice);
    // The host's clock is three hours ahead of ours.
    host.clock += 3 * 3_600_000;
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));
}

#[test]
fn the_payment_request_of_an_expired_charge_is_not_shown() {
    let invoice = support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(3600));
    let of = |paid: bool| charge(&[("payment_request", json!(invoice)), ("paid", json!(paid))]);
    let at = |seconds: u64| Now::new(std::time::Duration::ZERO, UnixMillis::from_secs(seconds));
    // Ten minutes after the expiry, so that the local clock may be that wrong.
    let expired = 1_700_003_600 + 600;
    assert_eq!(Mirror::of(of(false)).payment_request(at(expired - 1)).unwrap(), invoice);
    let error = Mirror::of(of(false)).payment_request(at(expired)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(found) if found.field() == "invoice.expires_at"));
    assert_eq!(Mirror::of(of(true)).payment_request(at(expired)).unwrap(), invoice);
    let error = known().payment_request(at(0)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)));
}

#[test]
fn what_was_abandoned_has_no_say() {
    let mut mirror = draft();
    let abandoned = mirror.ask(Query::Id).unwrap();
    mirror.abandon(OrderKey::from_entropy(8), start());
    assert_eq!(mirror.state(), State::Draft);
    let current = mirror.ask(Query::Id).unwrap();
    assert_eq!(
        current,
        NextRequest::Once(order(), CreateOnceOptions::with_key(OrderKey::from_entropy(8)).since(reach()))
    );
    // The refusal of the first create comes late: it says nothing about the second, which is still out.
    let refused = failure(true, answer(401, ""));
    assert_eq!(mirror.learn(&abandoned, Err(&refused)).unwrap(), Change::InDoubt);
    assert_eq!(mirror.state(), State::InDoubt);
    assert_eq!(mirror.learn(&current, Err(&refused)).unwrap(), Change::Refused);

    for mut other in [draft(), known(), pending(), Mirror::of(paid_charge())] {
        let before = other.clone();
        other.abandon(OrderKey::from_entropy(8), start());
        assert_eq!(other, before);
    }
}

#[test]
fn an_output_shows_no_more_than_state_and_id() {
    assert_eq!(format!("{:?}", known()), r#"Mirror { state: Known, id: Some(ChargeId(ch_1)), .. }"#);
    assert!(!format!("{:?}", in_doubt()).contains("tea"));
}

/// A step of a history. Outcomes are given for the request that was handed out last.
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

/// A charge as some server says; two of three times it is `ch_1`.
fn seen(id: usize, hash: usize, paid: bool, updated: u64) -> Charge {
    charge(&[
        ("id", json!(["ch_1", "ch_1", "ch_2"][id])),
        ("payment_hash", json!([&"ab", &"ab", &"cd"][hash].repeat(32))),
        ("paid", json!(paid)),
        ("updated", json!(START + updated)),
    ])
}

thread_local! {
    static REFUSED: Error = failure(true, answer(401, ""));
    static UNKNOWN: Error = unknown();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The five laws of the module, over any order of asking, learning, abandoning and restarting.
    #[test]
    fn the_laws(which in 0_usize..4, acts in proptest::collection::vec(act(), 0..40)) {
        let mut mirror = [draft(), known(), pending(), Mirror::of(paid_charge())][which].clone();
        let mut handed_out = None;
        // The creates that were handed out: how often each key was posted blindly, without a look.
        let mut blind = std::collections::BTreeMap::new();
        let mut next_key = 100;
        for act in acts {
            let before = mirror.clone();
            let (state, id) = (before.state(), before.id().cloned());
            let mut refused = false;
            let mut abandoned = false;
            match &act {
                Act::Ask(want) => {
                    let ask = mirror.ask(WANTS[*want]);
                    if let Some(NextRequest::Once(_, once)) = &ask {
                        // A create is in doubt from the moment that it is handed out.
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
                        prop_assert_eq!(&mirror, &before, "a question changes nothing else");
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
                        refused = change == Change::Refused;
                        if refused {
                            prop_assert!(matches!(act, Act::Refused), "only a definite refusal");
                            // It was certainly not created: the key is as good as new if it was new.
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
                prop_assert_eq!(&mirror, &before, "paid absorbs");
            }
            if id.is_some() {
                prop_assert_eq!(mirror.id(), id.as_ref(), "an id never changes");
            }
            if let (Some(old), Some(new)) = (before.charge(), mirror.charge()) {
                prop_assert!(new.updated() >= old.updated() || new.is_paid(), "older news never overwrites newer");
                prop_assert_eq!(old.payment_hash(), new.payment_hash());
                prop_assert!(new.is_paid() || !old.is_paid());
            }
            if mirror.state() == State::Draft && state != State::Draft {
                prop_assert!(refused || abandoned, "only a refusal makes it a draft again, or giving up");
            }
            // At every moment: what is kept says the truth, and what is restored never posts blindly.
            let mut kept = restored(&mirror);
            prop_assert_eq!(kept.state(), mirror.state());
            if let Some(NextRequest::Once(_, once)) = kept.ask(Query::Id) {
                prop_assert_ne!(once, CreateOnceOptions::fresh(once.key()));
            }
            prop_assert!(blind.values().all(|times| *times <= 1), "{:?}", blind);
        }
    }
}

/// Fetches that with a key that nobody else has seen, and says what was sent.
fn fetch_new(mirror: &mut Mirror, want: Query, host: &mut Host) -> (Result<Change, Error>, Vec<String>) {
    let before = host.log.len();
    let machines = machines();
    let mut fetch = mirror.fetch(want, &machines).with_new_key(true);
    let result = Virtual::new().run_losing(&mut fetch, |exchange, now| host.serve(&exchange, *now));
    (result, host.log[before..].to_vec())
}

/// Fetches that, and says what was sent.
fn fetch(mirror: &mut Mirror, want: Query, host: &mut Host) -> (Result<Change, Error>, Vec<String>) {
    let before = host.log.len();
    let machines = machines();
    let result = Virtual::new()
        .run_losing(&mut mirror.fetch(want, &machines), |exchange, now| host.serve(&exchange, *now));
    (result, host.log[before..].to_vec())
}

#[test]
fn pystrike_line_by_line() {
    let mut host = Host::new();
    // charge = Charge(amount, currency, description, create=False): nothing is sent.
    let mut mirror = draft();
    assert_eq!((mirror.id(), host.log.len()), (None, 0));
    // charge.id: created on first use, and never again.
    let (change, sent) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((change.unwrap(), sent), (Change::Learned, vec!["POST /api/v1/charges".to_owned()]));
    for want in [Query::Id, Query::Charge] {
        let (change, sent) = fetch(&mut mirror, want, &mut host);
        assert_eq!((change.unwrap(), sent.len()), (Change::Nothing, 0));
    }
    // charge.paid: asked for each time, until it is true, and never after.
    let get = vec!["GET /api/v1/charges/ch_1".to_owned()];
    for _ in 0..3 {
        let (change, sent) = fetch(&mut mirror, Query::Paid, &mut host);
        assert_eq!((change.unwrap(), &sent), (Change::Nothing, &get));
    }
    host.pay("ch_1", START + 1);
    let (change, sent) = fetch(&mut mirror, Query::Paid, &mut host);
    assert_eq!((change.unwrap(), sent), (Change::Paid, get));
    for want in WANTS {
        let (change, sent) = fetch(&mut mirror, want, &mut host);
        assert_eq!((change.unwrap(), sent.len()), (Change::Nothing, 0), "{want:?}");
    }

    // charge.update() creates what has no id, and retrieves what has one.
    let mut mirror = draft();
    let lines: Vec<_> = (0..2).flat_map(|_| fetch_new(&mut mirror, Query::Update, &mut host).1).collect();
    assert_eq!(lines, ["POST /api/v1/charges", "GET /api/v1/charges/ch_2"]);

    // Charge.from_charge_id(id): the id is there at once, the rest is retrieved once.
    let mut mirror = Mirror::known("ch_2".parse().unwrap());
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).1.len(), 0);
    assert_eq!(fetch(&mut mirror, Query::Charge, &mut host).1, ["GET /api/v1/charges/ch_2"]);
    assert_eq!(fetch(&mut mirror, Query::Charge, &mut host).1.len(), 0);
    assert_eq!(mirror.charge().unwrap().amount(), 4200);

    // An id that does not exist is an error each time, and asked for again.
    let mut mirror = Mirror::known("ch_99".parse().unwrap());
    for _ in 0..2 {
        let (result, sent) = fetch(&mut mirror, Query::Charge, &mut host);
        assert_eq!((result.unwrap_err().kind(), sent.len()), (&ErrorKind::NotFound, 1));
    }
}

#[test]
fn a_charge_in_doubt_is_found_and_never_made_twice() {
    let mut host = Host::new();
    host.posts = [Fault::ReplyLost].into();
    host.lists = [Fault::Before(500)].into();
    let mut mirror = draft();
    let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((result.unwrap_err().kind(), mirror.state()), (&ErrorKind::OutcomeUnknown, State::InDoubt));
    let mut mirror = restored(&mirror);
    assert_eq!(fetch(&mut mirror, Query::Paid, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));

    // One that never arrived stays in doubt until it is given up.
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    let mut mirror = draft();
    for _ in 0..3 {
        let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
        assert_eq!((result.unwrap_err().kind(), host.sent("POST")), (&ErrorKind::OutcomeUnknown, 1));
    }
    mirror.abandon(OrderKey::from_entropy(8), start());
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((host.rows.len(), host.sent("POST")), (1, 2));
}

#[test]
fn a_refused_charge_is_a_draft_again() {
    let mut host = Host::new();
    host.posts = [Fault::Before(401)].into();
    let mut mirror = draft();
    let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((result.unwrap_err().kind(), mirror.state()), (&ErrorKind::Unauthorized, State::Draft));
    assert_eq!(fetch_new(&mut mirror, Query::Id, &mut host).1, ["POST /api/v1/charges"]);
}

#[test]
fn a_restored_draft_looks_before_it_posts() {
    // A create was handed out, and arrived, after the draft was kept; then the shop crashed.
    let mut host = Host::new();
    let mut mirror = draft();
    let kept = serde_json::to_string(&mirror).unwrap();
    fetch(&mut mirror, Query::Id, &mut host).0.unwrap();
    let mut mirror: Mirror = serde_json::from_str(&kept).unwrap();
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));
}

#[test]
fn a_fetch_dropped_half_way_leaves_the_truth() {
    let machines = machines();
    let mut mirror = draft();
    let now = Virtual::new().now;
    // Not even polled: nothing was handed out.
    drop(mirror.fetch(Query::Id, &machines));
    assert_eq!(mirror.state(), State::Draft);
    let mut machine = mirror.fetch(Query::Id, &machines);
    assert!(matches!(machine.poll(now), Step::Send(_)));
    drop(machine);
    assert_eq!(mirror.state(), State::InDoubt);
    // The answer had come, but was not taken before the machine was dropped.
    let mut mirror = draft();
    let mut machine = mirror.fetch(Query::Id, &machines);
    assert!(matches!(machine.poll(now), Step::Send(_)));
    machine.handle(ok(&charge_json(&[])), now);
    drop(machine);
    assert_eq!(mirror.state(), State::InDoubt);
}

#[test]
fn a_fetch_ends_once() {
    let machines = machines();
    let mut mirror = known();
    let mut machine = mirror.fetch(Query::Paid, &machines);
    let mut world = Virtual::new();
    world.run(&mut machine, |_, _| ok(&charge_json(&[]))).unwrap();
    machine.handle(ok(&serde_json::to_value(paid_charge()).unwrap()), world.now);
    let Step::Done(Err(error)) = machine.poll(world.now) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    drop(machine);
    assert_eq!(mirror.state(), State::Pending, "an answer that nobody asked for is not taken");
}

#[test]
fn a_charge_that_differs_is_refused_and_nothing_is_learned() {
    let machines = machines();
    let mut mirror = pending();
    let other = charge_json(&[("payment_hash", json!("cd".repeat(32))), ("paid", json!(true))]);
    let error = Virtual::new().run(&mut mirror.fetch(Query::Paid, &machines), |_, _| ok(&other)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "payment_hash"));
    assert_eq!(mirror.state(), State::Pending);
}
