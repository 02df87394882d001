//! Tests of the result of each sequence of faults: a charge, an error, or an unknown outcome.

use std::error::Error as _;

use serde_json::json;
use strike_core::machine::{Machine, Step};
use strike_core::{
    Advice, AttemptOutcome, CreateOnceOptions, CreateOutcome, Delivery, Error, ErrorKind, NewCharge,
    OrderKey, TransportErrorKind,
};

use super::{MINUTE, charge_of, describe, insert_own, key, machine, order, run, steps};
use crate::support;
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual};

struct Case {
    name: &'static str,
    once: CreateOnceOptions,
    host: fn(&mut Host),
    posts: &'static [Fault],
    lists: &'static [Fault],
    steps: &'static str,
    end: &'static str,
}

#[test]
fn each_fault_leads_to_the_documented_result() {
    use Fault::{After, Before, Fine, Late, Refused, ReplyLost, RequestLost, SilentAfter, SilentBefore};
    let named = CreateOnceOptions::with_key(key());
    let fresh = CreateOnceOptions::fresh(key());
    let recover = CreateOnceOptions::recover(key());
    let case =
        |name, once, posts, lists, steps, end| Case { name, once, host: |_| {}, posts, lists, steps, end };
    let with = |host, case| Case { host, ..case };
    let one: fn(&mut Host) = |host| drop(insert_own(host, MINUTE, &[]));
    let cases = [
        // No faults.
        case("new name", named, &[], &[], "list, post", "to pay ch_1"),
        case("new key", fresh, &[], &[], "post", "to pay ch_1"),
        with(one, case("known name", named, &[], &[], "list, page 1", "to pay ch_1")),
        with(one, case("recovered", recover, &[], &[], "list, page 1", "to pay ch_1")),
        case("nothing to recover", recover, &[], &[], "list, 2s, list", "OutcomeUnknown"),
        // The charge is created, and the response is lost.
        case("reply lost", named, &[ReplyLost], &[], "list, post, list, page 1", "to pay ch_1"),
        case("reply lost, new key", fresh, &[ReplyLost], &[], "post, list, page 1", "to pay ch_1"),
        case("500 after", fresh, &[After(500)], &[], "post, list, page 1", "to pay ch_1"),
        case("408 after", fresh, &[After(408)], &[], "post, list, page 1", "to pay ch_1"),
        case("an empty 200", fresh, &[After(200)], &[], "post, list, page 1", "to pay ch_1"),
        case("polled after", fresh, &[SilentAfter], &[], "post, list, page 1", "to pay ch_1"),
        // The request is lost.
        case("lost", named, &[RequestLost], &[], "list, post, list, 2s, list", "OutcomeUnknown"),
        case("lost, new key", fresh, &[RequestLost], &[], "post, list, 2s, list", "OutcomeUnknown"),
        case("500 before", fresh, &[Before(500)], &[], "post, list, 2s, list", "OutcomeUnknown"),
        case("polled before", fresh, &[SilentBefore], &[], "post, list, 2s, list", "OutcomeUnknown"),
        case("late, 1st search", fresh, &[Late(1)], &[], "post, list, page 1", "to pay ch_1"),
        case("late, 2nd search", fresh, &[Late(2)], &[], "post, list, 2s, list, page 1", "to pay ch_1"),
        case("too late", fresh, &[Late(3)], &[], "post, list, 2s, list", "OutcomeUnknown"),
        // A second create, where `repost` allows it.
        case(
            "reposted",
            fresh.repost(true),
            &[RequestLost],
            &[],
            "post, list, 2s, list, post, 2s, list, page 1",
            "to pay ch_1",
        ),
        case(
            "reposted, and the first arrives before",
            fresh.repost(true),
            &[Late(3), Late(1)],
            &[],
            "post, list, 2s, list, post, 2s, list, page 1",
            "to pay ch_1",
        ),
        case(
            "reposted, lost again",
            fresh.repost(true),
            &[RequestLost, RequestLost],
            &[],
            "post, list, 2s, list, post, 2s, list",
            "OutcomeUnknown",
        ),
        case(
            "reposted, reply lost",
            fresh.repost(true),
            &[RequestLost, ReplyLost],
            &[],
            "post, list, 2s, list, post, 2s, list, page 1",
            "to pay ch_1",
        ),
        case(
            "reposted, rejected",
            fresh.repost(true),
            &[RequestLost, Before(401)],
            &[],
            "post, list, 2s, list, post",
            "OutcomeUnknown",
        ),
        // A redirect leaves the outcome unknown.
        case("redirected after", fresh, &[After(303)], &[], "post, list, page 1", "to pay ch_1"),
        case("redirected", fresh, &[Before(301)], &[], "post, list, 2s, list", "OutcomeUnknown"),
        case(
            "reposted after nothing was recovered",
            recover.repost(true),
            &[],
            &[],
            "list, 2s, list, post, 2s, list, page 1",
            "to pay ch_1",
        ),
        // The server definitely rejects the create.
        case("rejected: 401", named, &[Before(401)], &[], "list, post", "Unauthorized"),
        case("rejected: 400", fresh, &[Before(400)], &[], "post", "BadRequest"),
        case("rejected: 400, may repost", fresh.repost(true), &[Before(400)], &[], "post", "BadRequest"),
        case("connection refused", fresh, &[Refused], &[], "post", "ConnectionRefused"),
        // The search fails.
        case("search failed, no create", named, &[], &[Before(500)], "list", "Server"),
        case("search failed, no create: 401", named, &[], &[Before(401)], "list", "Unauthorized"),
        case("search failed, no create: lost", named, &[], &[SilentAfter], "list", "Lost"),
        case(
            "search failed after a lost response",
            fresh,
            &[ReplyLost],
            &[Before(401)],
            "post, list",
            "OutcomeUnknown",
        ),
        case("search failed in a recovery", recover, &[], &[Before(500)], "list", "OutcomeUnknown"),
        case(
            "second search failed",
            fresh,
            &[RequestLost],
            &[Fine, SilentAfter],
            "post, list, 2s, list",
            "OutcomeUnknown",
        ),
        case(
            "last search failed",
            fresh.repost(true),
            &[RequestLost],
            &[Fine, Fine, Before(500)],
            "post, list, 2s, list, post, 2s, list",
            "OutcomeUnknown",
        ),
        case("first search lost", fresh, &[ReplyLost], &[SilentAfter], "post, list", "OutcomeUnknown"),
        case("search of a recovery lost", recover, &[], &[SilentBefore], "list", "OutcomeUnknown"),
        case(
            "last search lost",
            fresh.repost(true),
            &[RequestLost],
            &[Fine, Fine, SilentAfter],
            "post, list, 2s, list, post, 2s, list",
            "OutcomeUnknown",
        ),
        case(
            "both creates polled without a reply",
            fresh.repost(true),
            &[SilentBefore, SilentAfter],
            &[],
            "post, list, 2s, list, post, 2s, list, page 1",
            "to pay ch_1",
        ),
        // The list shows a different or an existing charge.
        with(
            |host| host.echoes = false,
            case("no echo", named, &[], &[], "list, post", "mismatch of customer_id"),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("amount", json!(1))])),
            case("another amount", named, &[], &[], "list, page 1", "mismatch of amount"),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("description", json!("cake"))])),
            case("another description", named, &[], &[], "list, page 1", "mismatch of description"),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("customer_id", json!(key().customer_id("table 5")))])),
            case("another table", named, &[], &[], "list, page 1", "mismatch of customer_id"),
        ),
        with(
            |host| {
                drop(
                    host.insert(
                        START,
                        &[("customer_id", json!(OrderKey::named("x").customer_id("table 4")))],
                    ),
                )
            },
            case("another key", named, &[], &[], "list, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| {
                insert_own(host, 3 * MINUTE, &[]);
                insert_own(host, 2 * MINUTE, &[]);
                insert_own(host, MINUTE, &[]);
            },
            case("the oldest of several", named, &[], &[], "list, page 1", "to pay ch_1"),
        ),
        with(
            |host| {
                insert_own(host, 3 * MINUTE, &[]);
                let paid = insert_own(host, 2 * MINUTE, &[]);
                host.pay(&paid, START);
                insert_own(host, MINUTE, &[]);
            },
            case("the paid one of several", named, &[], &[], "list, page 1", "paid ch_2"),
        ),
        // Unreadable rows.
        with(
            |host| {
                drop(host.insert(START, &[("paid", json!("perhaps")), ("customer_id", json!("somebody"))]))
            },
            case("unreadable row of another customer", named, &[], &[], "list, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| drop(host.insert(START, &[("paid", json!("perhaps"))])),
            case("unreadable row without customer id", named, &[], &[], "list, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("paid", json!("perhaps"))])),
            case("unreadable row of the order", named, &[], &[], "list, page 1", "Undecodable"),
        ),
        with(
            |host| host.rows.push(json!(17)),
            case("unreadable row without id", named, &[], &[], "list, page 1", "Undecodable"),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("paid", json!("perhaps"))])),
            case(
                "unreadable row of the order after a lost request",
                fresh,
                &[RequestLost],
                &[],
                "post, list, page 1",
                "OutcomeUnknown",
            ),
        ),
        with(
            |host| drop(insert_own(host, MINUTE, &[("paid", json!("perhaps"))])),
            case(
                "unreadable row of the order in a recovery",
                recover,
                &[],
                &[],
                "list, page 1",
                "OutcomeUnknown",
            ),
        ),
    ];
    for Case { name, once, host: prepare, posts, lists, steps: expected, end } in cases {
        let mut host = Host::new();
        prepare(&mut host);
        host.posts = posts.iter().copied().collect();
        host.lists = lists.iter().copied().collect();
        let (result, world) = run(&mut host, once);
        assert_eq!((steps(&world).as_str(), describe(&result).as_str()), (expected, end), "{name}");
        if let Err(error) = result
            && let ErrorKind::Mismatch(_) = error.kind()
        {
            assert!(error.charge().is_some(), "{name}: the error has no charge");
        }
    }
}

#[test]
fn unknown_outcome_has_its_cause_as_source() {
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    let (result, _) = run(&mut host, CreateOnceOptions::with_key(key()));
    let error = result.unwrap_err();
    let below = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(below.kind(), ErrorKind::Connection { .. }), "{below}");
    let lowest = below.source().unwrap().downcast_ref::<strike_core::TransportError>().unwrap();
    assert_eq!(lowest.kind(), TransportErrorKind::Timeout);
    assert_eq!(error.advice(), Advice::LookFirst);

    // If no create was sent, the source is the failure of the search.
    let mut host = Host::new();
    host.lists = [Fault::Before(503)].into();
    let (result, _) = run(&mut host, CreateOnceOptions::recover(key()));
    let error = result.unwrap_err();
    let below = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!((below.kind(), below.status()), (&ErrorKind::Server, Some(503)));
}

#[test]
fn oldest_or_paid_charge_is_returned_if_both_creates_arrive() {
    for paid in [None, Some("ch_1"), Some("ch_2")] {
        let mut host = Host::new();
        host.posts = [Fault::RequestLost].into();
        let mut world = Virtual::new();
        let mut posts = 0;
        let result = world.run(
            &mut machine(order(), CreateOnceOptions::fresh(key()).repost(true)),
            |exchange, now| {
                if exchange.request.method() == "POST" {
                    posts += 1;
                    if posts == 2 {
                        // The first create arrives just before the second.
                        insert_own(&mut host, 0, &[]);
                    }
                }
                let reply = host.serve(&exchange, *now).unwrap();
                if let Some(id) = paid.filter(|_| posts == 2) {
                    host.rows.iter().any(|row| row["id"] == id).then(|| host.pay(id, START));
                }
                reply
            },
        );
        assert_eq!(host.rows.len(), 2);
        let expected = paid.map_or("to pay ch_1".to_owned(), |id| format!("paid {id}"));
        assert_eq!(describe(&result), expected);
    }
}

#[test]
fn invalid_order_is_rejected_before_a_request_is_sent() {
    let long = |units| order().customer_id("x".repeat(units));
    for once in [
        CreateOnceOptions::named("order-17"),
        CreateOnceOptions::fresh(key()),
        CreateOnceOptions::recover(key()),
    ] {
        for (order, field) in [
            (long(41), "customer_id"),
            (order().customer_id("\u{1f9c9}".repeat(21)), "customer_id"),
            (NewCharge::satoshis(0, "tea"), "amount"),
            (order().expiry_sec(0), "expiry_sec"),
        ] {
            let mut world = Virtual::new();
            let error =
                world.run(&mut machine(order, once), |_, _| panic!("a request was sent")).unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == field),
                "{error}"
            );
        }
    }
    let mut host = Host::new();
    let mut world = Virtual::new();
    let made = world
        .run_losing(&mut machine(long(40), CreateOnceOptions::fresh(key())), |exchange, now| {
            host.serve(&exchange, *now)
        })
        .unwrap();
    assert_eq!(charge_of(&made).raw_customer_id().unwrap().len(), 64);
}

#[test]
fn customer_reference_is_returned_without_the_key() {
    let mut host = Host::new();
    let made = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap();
    assert_eq!(charge_of(&made).customer_id(), Some("table 4"));
    let (found, own) = OrderKey::from_customer_id(charge_of(&made).raw_customer_id().unwrap()).unwrap();
    assert_eq!((found, own), (key(), "table 4"));
    // The same name without the customer reference is a different order.
    let mut world = Virtual::new();
    let mut other = machine(NewCharge::satoshis(4200, "tea"), CreateOnceOptions::named("order-17"));
    let error = world.run_losing(&mut other, |exchange, now| host.serve(&exchange, *now)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "customer_id"));
}

#[test]
fn charge_found_in_the_list_can_be_paid() {
    let mut host = Host::new();
    let paid = insert_own(&mut host, MINUTE, &[]);
    host.pay(&paid, START);
    let made = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap();
    assert!(matches!(made, CreateOutcome::Paid(charge) if charge.is_paid()));
}

#[test]
fn finished_machine_returns_finished_errors() {
    let mut host = Host::new();
    let mut world = Virtual::new();
    let mut machine = machine(order(), CreateOnceOptions::named("order-17"));
    world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now)).unwrap();
    for _ in 0..3 {
        let Step::Done(Err(error)) = machine.poll(world.now) else { panic!() };
        assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
        machine.handle(support::ok(&host.rows[0]), world.now);
    }
}

/// The second create returns a charge that differs from the order. The unknown outcome of the
/// first must not hide that.
#[test]
fn failure_after_an_unknown_outcome_is_its_source() {
    let once = CreateOnceOptions::fresh(OrderKey::named("order-17")).repost(true);
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    host.echoes = false;
    let (result, world) = run(&mut host, once);
    assert_eq!(steps(&world), "post, list, 2s, list, post");
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::OutcomeUnknown, Advice::LookFirst));
    let outcomes: Vec<_> = error.attempts().iter().map(strike_core::Attempt::outcome).collect();
    let lost = AttemptOutcome::NoResponse(TransportErrorKind::Timeout, Delivery::MaybeSent);
    assert_eq!(outcomes, [lost, AttemptOutcome::Status(200)]);
    assert_eq!(error.charge().map(|charge| charge.id().as_str()), Some("ch_1"));

    let mismatch = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(mismatch.kind(), ErrorKind::Mismatch(field) if field.field() == "customer_id"));
    let first = mismatch.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(first.kind(), ErrorKind::Connection { .. }), "{first:?}");
}

#[test]
fn error_begins_with_the_requested_operation() {
    let mut host = Host::new();
    host.lists = [Fault::Before(500)].into();
    let error = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap_err();
    assert!(
        error.to_string().starts_with("create charge of 4200 satoshi once: look for it in the list: "),
        "{error}"
    );
}
