//! Tests of the requests of each state, and of the change by each outcome.

use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::mirror::{Change, Mirror, NextRequest, Query, State};
use strike_core::{
    Charge, CreateOnceOptions, Delivery, Error, ErrorKind, Now, OrderKey, TransportErrorKind, UnixMillis,
    WatcherSnapshot,
};

use super::{
    WANTS, draft, failure, get, in_doubt, known, order, paid_charge, pending, reach, restored, start, unknown,
};
use crate::support;
use crate::support::{START, charge, charge_json, no_response, ok, respond};

#[test]
fn each_state_requests_what_it_needs() {
    let key = OrderKey::from_entropy(7);
    let careful = || Some(NextRequest::Once(order(), CreateOnceOptions::with_key(key).since(reach())));
    let search = || Some(NextRequest::Once(order(), CreateOnceOptions::recover(key).since(reach())));
    let get = || Some(get());
    type Row = (Mirror, [Option<NextRequest>; 4], State, State);
    let rows: [Row; 6] = [
        //               id         charge     paid       update
        (draft(), [careful(), careful(), careful(), careful()], State::Draft, State::InDoubt),
        (restored(&draft()), [careful(), careful(), careful(), careful()], State::Draft, State::InDoubt),
        (in_doubt(), [search(), search(), search(), search()], State::InDoubt, State::InDoubt),
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
fn different_invoice_under_the_same_id_is_rejected() {
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
fn each_outcome_changes_the_state_as_documented() {
    let create = draft().ask(Query::Id).unwrap();
    let read = get();
    let search = in_doubt().ask(Query::Id).unwrap();
    let unpaid = charge(&[]);
    let newer = charge(&[("updated", json!(START)), ("customer_id", json!("tea, hot"))]);
    let older = charge(&[("updated", json!(START - 99_999)), ("customer_id", json!("tea, cold"))]);
    let as_old = charge(&[("customer_id", json!("tea, warm"))]);
    let old_but_paid = charge(&[("updated", json!(START - 99_999)), ("paid", json!(true))]);
    let paid = paid_charge();
    let other_id = charge(&[("id", json!("ch_2")), ("paid", json!(true))]);
    let other_hash = charge(&[("payment_hash", json!("cd".repeat(32))), ("paid", json!(true))]);
    let rejected = || failure(true, respond(401, ""));
    let unsent = || failure(true, no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent));
    let differs = || failure(true, ok(&charge_json(&[("amount", json!(1))])));
    let gone = || failure(false, respond(404, ""));
    let (is, mismatch_in) = (|change| Ok::<_, &str>(change), |field| Err::<Change, _>(field));
    type Row<'a> =
        (&'static str, Mirror, &'a NextRequest, Result<&'a Charge, Error>, Result<Change, &'a str>, State);
    let rows: Vec<Row<'_>> = vec![
        ("created", in_doubt(), &create, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("found, and paid", in_doubt(), &search, Ok(&paid), is(Change::Paid), State::Paid),
        ("a response without a request", draft(), &create, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("rejected", in_doubt(), &create, Err(rejected()), is(Change::Refused), State::Draft),
        ("unsent", in_doubt(), &create, Err(unsent()), is(Change::Refused), State::Draft),
        ("unknown", in_doubt(), &create, Err(unknown()), is(Change::InDoubt), State::InDoubt),
        ("differs", in_doubt(), &create, Err(differs()), is(Change::InDoubt), State::InDoubt),
        ("not found", in_doubt(), &search, Err(unknown()), is(Change::InDoubt), State::InDoubt),
        ("a search is rejected", in_doubt(), &search, Err(rejected()), is(Change::InDoubt), State::InDoubt),
        ("a get is rejected", in_doubt(), &read, Err(rejected()), is(Change::InDoubt), State::InDoubt),
        ("a draft, an error", draft(), &create, Err(rejected()), is(Change::Nothing), State::Draft),
        ("retrieved", known(), &read, Ok(&unpaid), is(Change::Learned), State::Pending),
        ("retrieved, and paid", known(), &read, Ok(&paid), is(Change::Paid), State::Paid),
        ("another id", known(), &read, Ok(&other_id), mismatch_in("id"), State::Known),
        ("not found by get", known(), &read, Err(gone()), is(Change::Nothing), State::Known),
        ("the same", pending(), &read, Ok(&unpaid), is(Change::Nothing), State::Pending),
        ("newer", pending(), &read, Ok(&newer), is(Change::Learned), State::Pending),
        ("same time", pending(), &read, Ok(&as_old), is(Change::Learned), State::Pending),
        ("older", pending(), &read, Ok(&older), is(Change::Nothing), State::Pending),
        ("paid", pending(), &read, Ok(&paid), is(Change::Paid), State::Paid),
        ("paid, with an older time", pending(), &read, Ok(&old_but_paid), is(Change::Paid), State::Paid),
        ("pending, another id", pending(), &read, Ok(&other_id), mismatch_in("id"), State::Pending),
        (
            "pending, another hash",
            pending(),
            &read,
            Ok(&other_hash),
            mismatch_in("payment_hash"),
            State::Pending,
        ),
        ("pending, not found", pending(), &read, Err(gone()), is(Change::Nothing), State::Pending),
        ("paid stays", Mirror::of(paid.clone()), &read, Ok(&newer), is(Change::Nothing), State::Paid),
        ("paid stays paid", Mirror::of(paid.clone()), &read, Ok(&paid), is(Change::Nothing), State::Paid),
        ("paid, not found", Mirror::of(paid.clone()), &read, Err(gone()), is(Change::Nothing), State::Paid),
        ("paid, another id", Mirror::of(paid.clone()), &read, Ok(&other_id), mismatch_in("id"), State::Paid),
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
            assert_eq!(mirror.charge().cloned(), before, "{name}: the charge changed");
        } else {
            assert_eq!(mirror.charge(), outcome.ok(), "{name}");
        }
    }
}

#[test]
fn missing_id_or_charge_is_an_error() {
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
fn order_fields_are_available_in_each_state() {
    let order_fields = |mirror: &Mirror| {
        let words = [mirror.description(), mirror.customer_id().flatten()];
        (
            mirror.amount().map(strike_core::Satoshi::get),
            words.map(|word| word.map(str::to_owned)),
            mirror.customer_id().is_some(),
        )
    };
    let key = OrderKey::from_entropy(7);
    let mut draft = Mirror::draft(order().customer_id("table 4"), key, start());
    let expected = (Some(4200), [Some("tea".to_owned()), Some("table 4".to_owned())], true);
    assert_eq!(order_fields(&draft), expected);
    draft.ask(Query::Id).unwrap();
    assert_eq!(order_fields(&draft), expected, "in doubt");
    let created = charge(&[("customer_id", json!(key.customer_id("table 4")))]);
    assert_eq!(order_fields(&Mirror::of(created)), expected, "without the order key");

    let expected = (Some(4200), [Some("tea".to_owned()), None], true);
    assert_eq!(order_fields(&in_doubt()), expected, "without a customer reference");
    assert_eq!(order_fields(&pending()), expected);
    assert_eq!(order_fields(&known()), (None, [None, None], false));
}

#[test]
fn saved_state_of_version_1_is_read_and_newer_versions_are_rejected() {
    let golden: Value = serde_json::from_str(include_str!("../saved/version-1.json")).unwrap();
    let mut retrieved = draft();
    retrieved.learn(&get(), Ok(&paid_charge())).unwrap();
    let mirrors =
        [("draft", draft()), ("in_doubt", in_doubt()), ("known", known()), ("retrieved", retrieved)];
    for (name, mirror) in mirrors {
        let saved = &golden["mirrors"][name];
        assert_eq!(serde_json::from_value::<Mirror>(saved.clone()).unwrap(), mirror, "{name}");
        assert_eq!(serde_json::to_value(&mirror).unwrap(), *saved, "{name}");
        // Without a `version` field, version 1 is assumed.
        let mut old = saved.clone();
        old.as_object_mut().unwrap().remove("version");
        assert_eq!(serde_json::from_value::<Mirror>(old).unwrap(), mirror, "{name}");
        for version in [json!(2), json!(0), json!("1"), json!(null)] {
            let mut newer = saved.clone();
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
fn expired_charge_returns_no_payment_request() {
    let invoice = support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(3600));
    let of = |paid: bool| charge(&[("payment_request", json!(invoice)), ("paid", json!(paid))]);
    let at = |seconds: u64| Now::new(std::time::Duration::ZERO, UnixMillis::from_secs(seconds));
    // The charge counts as expired ten minutes late, because the local clock may be wrong.
    let expired = 1_700_003_600 + 600;
    assert_eq!(Mirror::of(of(false)).payment_request(at(expired - 1)).unwrap(), invoice);
    let error = Mirror::of(of(false)).payment_request(at(expired)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(found) if found.field() == "invoice.expires_at"));
    assert_eq!(Mirror::of(of(true)).payment_request(at(expired)).unwrap(), invoice);
    let error = known().payment_request(at(0)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)));
}

#[test]
fn outcome_of_an_abandoned_create_is_ignored() {
    let mut mirror = draft();
    let abandoned = mirror.ask(Query::Id).unwrap();
    mirror.abandon(OrderKey::from_entropy(8), start());
    assert_eq!(mirror.state(), State::Draft);
    let current = mirror.ask(Query::Id).unwrap();
    assert_eq!(
        current,
        NextRequest::Once(order(), CreateOnceOptions::with_key(OrderKey::from_entropy(8)).since(reach()))
    );
    // A late rejection of the first create does not affect the second.
    let rejected = failure(true, respond(401, ""));
    assert_eq!(mirror.learn(&abandoned, Err(&rejected)).unwrap(), Change::InDoubt);
    assert_eq!(mirror.state(), State::InDoubt);
    assert_eq!(mirror.learn(&current, Err(&rejected)).unwrap(), Change::Refused);

    for mut other in [draft(), known(), pending(), Mirror::of(paid_charge())] {
        let before = other.clone();
        other.abandon(OrderKey::from_entropy(8), start());
        assert_eq!(other, before);
    }
}

#[test]
fn debug_output_shows_only_state_and_id() {
    assert_eq!(format!("{:?}", known()), r#"Mirror { state: Known, id: Some(ChargeId(ch_1)), .. }"#);
    assert!(!format!("{:?}", in_doubt()).contains("tea"));
}

#[test]
fn paid_charge_of_a_stored_mirror_can_complete_its_order() {
    let paid = charge(&[("paid", json!(true))]);
    let stored = serde_json::to_string(&Mirror::of(paid)).unwrap();
    let restored: Mirror = serde_json::from_str(&stored).unwrap();
    assert!(restored.charge().unwrap().to_paid().is_some());
}
