//! Tests of webhooks: parsing events, and completing each order once despite repeats and failures.
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
fn event_is_parsed_despite_additional_fields() {
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
fn byte_order_mark_before_an_event_is_ignored() {
    let event = r#"{"object":"event","data":{"id":"ch_1"}}"#;
    assert_eq!(parse(&format!("\u{feff}{event}")).unwrap().id().as_str(), "ch_1");
    assert!(parse(&format!("\u{feff}\u{feff}{event}")).is_err());
}

#[test]
fn notification_is_confirmed_by_a_get_of_its_charge() {
    let endpoint = endpoint();
    let get = parse(r#"{"object":"event","data":{"id":"ch_1"}}"#).unwrap().confirm();
    let request = get.request(&endpoint).unwrap();
    assert_eq!((request.method(), request.uri().path()), (&http::Method::GET, "/api/v1/charges/ch_1"));
    let response = |id: &str| http::Response::new(charge_json(&[("id", json!(id))]).to_string().into_bytes());
    assert!(get.parse(&endpoint, &response("ch_1"), support::start()).is_ok());
    assert!(
        get.parse(&endpoint, &response("ch_2"), support::start()).is_err(),
        "a response about another charge was accepted"
    );
}

#[test]
fn invalid_events_are_rejected() {
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
fn body_over_the_limit_is_rejected_unparsed() {
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
fn deeply_nested_event_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = open.repeat(10_000) + "1" + &close.repeat(10_000);
        let body = format!(r#"{{"object":"event","data":{{"id":"ch_1","x":{deep}}}}}"#);
        assert!(parse(&body).is_ok(), "ignored fields can have any shape");
        assert!(parse(&open.repeat(10_000)).is_err());
    }
}

/// A store that can be made to fail.
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

/// Completes the charge, and returns the outcome and how often the closure ran.
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
fn order_is_completed_once_and_only_when_paid() {
    let mut guard = CompletionGuard::new(RecentCompletions::new(10));
    let unpaid = charge(&[]);
    assert_eq!(unpaid.to_paid(), None);
    assert_eq!(guard.is_completed(unpaid.id()), Ok(false), "an unpaid charge is not recorded");
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Ok(Completion::Now), 1));
    assert_eq!(guard.is_completed(unpaid.id()), Ok(true));
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Ok(Completion::Before), 0));
    assert_eq!(complete(&mut guard, &paid("ch_2"), Ok(())), (Ok(Completion::Now), 1));
}

#[test]
fn charge_from_a_webhook_cannot_complete_an_order() {
    let body = charge_json(&[("paid", json!(true))]);
    let forged: Charge = serde_json::from_value(body).unwrap();
    assert!(forged.is_paid());
    assert_eq!(forged.to_paid(), None);
    // Neither can a charge that the shop stored itself.
    let read = charge(&[("paid", json!(true))]);
    let stored: Charge = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(stored, read);
    assert_eq!((read.to_paid().is_some(), stored.to_paid()), (true, None));
}

#[test]
fn failed_completion_or_store_is_retried() {
    let mut guard = CompletionGuard::new(RecentCompletions::new(10));
    let failed = (Err(CompletionError::Complete("no stock")), 1);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Err("no stock")), failed);
    assert_eq!(
        complete(&mut guard, &paid("ch_1"), Ok(())),
        (Ok(Completion::Now), 1),
        "the completion is retried"
    );

    let mut guard = CompletionGuard::new(Table { unreadable: true, ..Table::default() });
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), (Err(CompletionError::Store("down")), 0));
    assert_eq!(guard.is_completed(paid("ch_1").id()), Err("down"));

    let mut guard = CompletionGuard::new(Table { full: true, ..Table::default() });
    let forgotten = (Err(CompletionError::NotStored("disk full")), 1);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), forgotten);
    assert_eq!(complete(&mut guard, &paid("ch_1"), Ok(())), forgotten, "at least once, as documented");
}

#[test]
fn crash_between_due_and_done_completes_again() {
    let mut guard = CompletionGuard::new(Table::default());
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Now));
    // The program crashes here and is restarted.
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Now));
    guard.finish(&paid("ch_1")).unwrap();
    assert_eq!(guard.begin(&paid("ch_1")), Ok(Completion::Before));
}

#[test]
fn recent_ids_are_bounded_and_the_oldest_is_dropped() {
    let mut recent = RecentCompletions::new(2);
    let [a, b, c]: [ChargeId; 3] = ["a", "b", "c"].map(|id| id.parse().unwrap());
    for id in [&a, &b, &a, &a] {
        recent.insert(id).unwrap();
    }
    assert_eq!(
        (recent.contains(&a), recent.contains(&b)),
        (Ok(true), Ok(true)),
        "a repeated id takes no space"
    );
    recent.insert(&c).unwrap();
    assert_eq!([&a, &b, &c].map(|id| recent.contains(id).unwrap()), [false, true, true]);
    let mut none = RecentCompletions::new(0);
    none.insert(&a).unwrap();
    assert_eq!(none.contains(&a), Ok(false));
}

#[test]
fn webhook_errors_have_texts_and_sources() {
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
    fn arbitrary_event_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = webhook::parse(&bytes);
    }

    /// An event with one byte changed is rejected, or still has a valid id.
    #[test]
    fn damaged_event_never_yields_an_invalid_id(position in 0_usize..400, to in any::<u8>()) {
        let mut body = json!({ "object": "event", "data": charge_json(&[]) }).to_string().into_bytes();
        let position = position % body.len();
        body[position] = to;
        if let Ok(hint) = webhook::parse(&body) {
            prop_assert!(hint.id().as_str().parse::<ChargeId>().is_ok());
        }
    }

    /// The parsed id equals the id of the event, or the event is rejected.
    #[test]
    fn event_id_is_unchanged_or_rejected(id in "\\PC{0,140}") {
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
