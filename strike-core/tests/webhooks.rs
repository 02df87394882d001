//! Webhooks: what is a hint, and that an order is completed once although hints repeat and stores fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use proptest::prelude::*;
use serde_json::json;
use strike_core::machine::Operation;
use strike_core::webhook::{
    self, CompletedCharges, Completion, CompletionError, CompletionGuard, InvalidWebhook, MAX_BODY,
    Notification, RecentCompletions,
};
use strike_core::{Charge, ChargeId, PaidCharge};
use support::{charge, charge_json, endpoint};

fn parse(text: &str) -> Result<Notification, InvalidWebhook> {
    webhook::parse(text.as_bytes())
}

#[test]
fn an_event_is_a_hint_whatever_else_it_says() {
    let whole = json!({ "object": "event", "data": charge_json(&[("paid", json!(true))]) }).to_string();
    let pretty =
        serde_json::to_string_pretty(&json!({ "object": "event", "data": { "id": "ch_1" } })).unwrap();
    for body in [
        whole.as_str(),
        &pretty,
        r#"{"data":{"id":"ch_1"},"object":"event"}"#,
        r#" {"object":"event","data": {"id":"ch_1","id2":"ch_2"},"id":"evt_1","type":null,"a":1,"a":2} "#,
        r#"{"object":"\u0065vent","data":{"\u0069d":"ch\u005f1"}}"#,
    ] {
        let hint = parse(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(hint.id().as_str(), "ch_1", "{body}");
    }
}

#[test]
fn a_byte_order_mark_before_an_event_is_ignored() {
    let event = r#"{"object":"event","data":{"id":"ch_1"}}"#;
    assert_eq!(parse(&format!("\u{feff}{event}")).unwrap().id().as_str(), "ch_1");
    assert!(parse(&format!("\u{feff}\u{feff}{event}")).is_err());
}

#[test]
fn a_hint_asks_about_its_charge() {
    let at = endpoint();
    let get = parse(r#"{"object":"event","data":{"id":"ch_1"}}"#).unwrap().confirm();
    let request = get.request(&at).unwrap();
    assert_eq!((request.method(), request.uri().path()), (&http::Method::GET, "/api/v1/charges/ch_1"));
    let answer = |id: &str| http::Response::new(charge_json(&[("id", json!(id))]).to_string().into_bytes());
    assert!(get.parse(&at, &answer("ch_1"), support::start()).is_ok());
    assert!(
        get.parse(&at, &answer("ch_2"), support::start()).is_err(),
        "an answer about another charge confirms nothing"
    );
}

#[test]
fn what_is_no_event_is_refused() {
    for body in [
        "",
        "null",
        "event",
        "[]",
        "{}",
        r#"{"object":"event"}"#,
        r#"{"object":"event","data":null}"#,
        r#"{"object":"event","data":"ch_1"}"#,
        r#"{"object":"event","data":["ch_1"]}"#,
        r#"["event",{"id":"ch_1"}]"#,
        r#"{"object":"event","data":{}}"#,
        r#"{"object":"event","data":{"id":null}}"#,
        r#"{"object":"event","data":{"id":7}}"#,
        r#"{"object":"charge","data":{"id":"ch_1"}}"#,
        r#"{"object":"Event","data":{"id":"ch_1"}}"#,
        r#"{"object":null,"data":{"id":"ch_1"}}"#,
        r#"{"object":"event","object":"event","data":{"id":"ch_1"}}"#,
        r#"{"object":"event","data":{"id":"ch_1"},"data":{"id":"ch_1"}}"#,
        r#"{"object":"event","data":{"id":"ch_1","id":"ch_2"}}"#,
        r#"{"object":"event","data":{"id":"ch_1"}} x"#,
        r#"{"object":"event","data":{"id":"ch_1"}"#,
        r#"object=event&data[id]=ch_1"#,
    ] {
        assert_eq!(parse(body), Err(InvalidWebhook::NotAnEvent), "{body}");
    }
    let not_text = b"{\"object\":\"event\",\"data\":{\"id\":\"ch_1\",\"description\":\"\xff\"}}";
    assert_eq!(webhook::parse(not_text), Err(InvalidWebhook::NotAnEvent));
    for id in ["", "../admin", "ch_1/pay", "ch 1", "ch_\u{e9}", "ch_1\n", &"x".repeat(129)] {
        let body = json!({ "object": "event", "data": { "id": id } }).to_string();
        assert_eq!(parse(&body), Err(InvalidWebhook::BadId), "{id}");
    }
}

#[test]
fn a_large_body_is_refused_unread() {
    let body = |filling: usize| {
        let mut body = br#"{"object":"event","data":{"id":"ch_1"},"x":""#.to_vec();
        body.resize(body.len() + filling, b'x');
        body.extend_from_slice(br#""}"#);
        body
    };
    let room = MAX_BODY - body(0).len();
    assert!(webhook::parse(&body(room)).is_ok());
    assert_eq!(webhook::parse(&body(room + 1)), Err(InvalidWebhook::TooLarge));
    assert_eq!(webhook::parse(&vec![b'['; MAX_BODY + 1]), Err(InvalidWebhook::TooLarge));
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = open.repeat(10_000) + "1" + &close.repeat(10_000);
        let body = format!(r#"{{"object":"event","data":{{"id":"ch_1","x":{deep}}}}}"#);
        assert!(parse(&body).is_ok(), "what is ignored may have any shape");
        assert!(parse(&open.repeat(10_000)).is_err());
    }
}

/// A memory that fails on demand, and counts.
#[derive(Default)]
struct Table {
    rows: Vec<ChargeId>,
    unreadable: bool,
    full: bool,
}

impl CompletedCharges for Table {
    type Error = &'static str;

    fn contains(&mut self, id: &ChargeId) -> Result<bool, &'static str> {
        if self.unreadable { Err("down") } else { Ok(self.rows.contains(id)) }
    }

    fn insert(&mut self, id: &ChargeId) -> Result<(), &'static str> {
        if self.full {
            return Err("disk full");
        }
        self.rows.push(id.clone());
        Ok(())
    }
}

fn paid(id: &str) -> PaidCharge {
    charge(&[("id", json!(id)), ("paid", json!(true))]).to_paid().unwrap()
}

/// Completes, and says how often that was really done.
fn complete<S: CompletedCharges>(
    guard: &mut CompletionGuard<S>,
    charge: &PaidCharge,
    result: Result<(), &'static str>,
) -> (Result<Completion, CompletionError<S::Error, &'static str>>, usize) {
    let mut times = 0;
    let outcome = guard.complete(charge, |given| {
        assert_eq!(given, charge);
        times += 1;
        result
    });
    (outcome, times)
}

#[test]
fn an_order_is_completed_once_and_only_when_paid() {
    let mut guard = CompletionGuard::new(RecentCompletions::new(10));
    let unpaid = charge(&[]);
    assert_eq!(unpaid.to_paid(), None);
    assert_eq!(guard.is_completed(unpaid.id()), Ok(false));
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Ok(Completion::Now), 1));
    assert_eq!(guard.is_completed(unpaid.id()), Ok(true));
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Ok(Completion::Before), 0));
    assert_eq!(complete(&mut guard, &paid("ch_2"), Ok(())), (Ok(Completion::Now), 1));
}

#[test]
fn a_charge_that_a_webhook_contains_cannot_complete_an_order() {
    let body = charge_json(&[("paid", json!(true))]);
    let forged: Charge = serde_json::from_value(body).unwrap();
    assert!(forged.is_paid());
    assert_eq!(forged.to_paid(), None);
    // A shop's own copy of a charge does not complete an order either.
    let read = charge(&[("paid", json!(true))]);
    let stored: Charge = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(stored, read);
    assert_eq!((read.to_paid().is_some(), stored.to_paid()), (true, None));
}

#[test]
fn no_failure_loses_a_payment() {
    let mut guard = CompletionGuard::new(RecentCompletions::new(10));
    let failed = (Err(CompletionError::Complete("no stock")), 1);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Err("no stock")), failed);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Ok(Completion::Now), 1), "tried again");

    let mut guard = CompletionGuard::new(Table { unreadable: true, ..Table::default() });
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Err(CompletionError::Store("down")), 0));
    assert_eq!(guard.is_completed(paid("ch_1").id()), Err("down"));

    let mut guard = CompletionGuard::new(Table { full: true, ..Table::default() });
    let forgotten = (Err(CompletionError::NotStored("disk full")), 1);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), forgotten);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), forgotten, "at least once, as documented");
}

#[test]
fn a_crash_between_the_two_steps_completes_again() {
    let mut guard = CompletionGuard::new(Table::default());
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Now));
    // Here the program ends, and starts again.
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Now));
    guard.finish(&paid("ch_1")).unwrap();
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Before));
}

#[test]
fn memory_is_bounded_and_the_oldest_is_forgotten() {
    let mut recent = RecentCompletions::new(2);
    let [a, b, c]: [ChargeId; 3] = ["a", "b", "c"].map(|id| id.parse().unwrap());
    for id in [&a, &b, &a, &a] {
        recent.insert(id).unwrap();
    }
    assert_eq!(
        (recent.contains(&a), recent.contains(&b)),
        (Ok(true), Ok(true)),
        "a repetition takes no room"
    );
    recent.insert(&c).unwrap();
    assert_eq!([&a, &b, &c].map(|id| recent.contains(id).unwrap()), [false, true, true]);
    let mut none = RecentCompletions::new(0);
    none.insert(&a).unwrap();
    assert_eq!(none.contains(&a), Ok(false));
}

#[test]
fn errors_read_well() {
    use std::error::Error as _;
    assert_eq!(InvalidWebhook::TooLarge.to_string(), "the body is larger than 65536 bytes");
    let error: CompletionError<std::fmt::Error, std::fmt::Error> = CompletionError::Store(std::fmt::Error);
    assert_eq!(
        error.to_string(),
        "the store of completed charges cannot be read; the order was not completed, try again"
    );
    assert!(error.source().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = webhook::parse(&bytes);
    }

    /// A whole event with one byte changed: refused, or still about an id that can be asked for.
    #[test]
    fn a_damaged_event_never_yields_a_bad_id(at in 0_usize..400, to in any::<u8>()) {
        let mut body = json!({ "object": "event", "data": charge_json(&[]) }).to_string().into_bytes();
        let at = at % body.len();
        body[at] = to;
        if let Ok(hint) = webhook::parse(&body) {
            prop_assert!(hint.id().as_str().parse::<ChargeId>().is_ok());
        }
    }

    /// Whatever the id, it is the one that is asked about, or none is.
    #[test]
    fn an_id_comes_through_unchanged_or_not_at_all(id in "\\PC{0,140}") {
        let body = json!({ "object": "event", "data": { "id": id } }).to_string();
        match parse(&body) {
            Ok(hint) => prop_assert_eq!(hint.id().as_str(), id),
            Err(error) => {
                prop_assert_eq!(error, InvalidWebhook::BadId);
                prop_assert!(id.parse::<ChargeId>().is_err());
            }
        }
    }
}
