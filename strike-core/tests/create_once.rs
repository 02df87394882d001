//! One charge per key, whatever is lost on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::error::Error as _;
use std::time::Duration;

use lightning_invoice::Currency;
use proptest::prelude::*;
use serde_json::{Value, json};
use strike_core::machine::{CreateOnce, Machine, OrderRecord, Step};
use strike_core::{
    Advice, AttemptOutcome, Charge, CoreClient, CreateOnceOptions, CreateOutcome, Delivery, Error, ErrorKind,
    NewCharge, Now, OrderKey, RetryPolicy, TransportErrorKind, UnixMillis,
};
use support::host::{Fault, Host};
use support::{Did, START, Virtual, endpoint};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea").customer_id("table 4")
}

fn key() -> OrderKey {
    OrderKey::named("order-17")
}

fn machine(order: NewCharge, once: CreateOnceOptions) -> CreateOnce {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once(order, once)
}

/// A charge of the key, made that long before the start.
fn ours(host: &mut Host, ago: u64, changes: &[(&str, Value)]) -> String {
    let mut fields = vec![("customer_id", json!(key().customer_id("table 4")))];
    fields.extend(changes.iter().cloned());
    host.insert(host.clock - ago, &fields)
}

fn run(host: &mut Host, once: CreateOnceOptions) -> (Result<CreateOutcome, Error>, Virtual) {
    let mut world = Virtual::new();
    let result = world.run_losing(&mut machine(order(), once), |exchange, now| host.serve(&exchange, *now));
    (result, world)
}

/// What was done, in words: `look` is the first page of a look, `page 1` the next.
fn story(world: &Virtual) -> String {
    let words = world.log.iter().map(|did| match did {
        Did::Send(line) if line.starts_with("POST") => "post".to_owned(),
        Did::Send(line) if line.contains("page=0&") => "look".to_owned(),
        Did::Send(line) if line.contains("page=") => line.split(['?', '&']).nth(1).unwrap().replace('=', " "),
        Did::Send(line) => format!("get {}", line.rsplit('/').next().unwrap()),
        Did::Wait(wait) => format!("{wait:?}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn told(result: &Result<CreateOutcome, Error>) -> String {
    match result {
        Ok(CreateOutcome::Payable(charge)) => format!("to pay {}", charge.id()),
        Ok(CreateOutcome::Paid(charge)) => format!("paid {}", charge.id()),
        Ok(CreateOutcome::Expired { charge, .. }) => format!("expired {}", charge.id()),
        Err(error) => match error.kind() {
            ErrorKind::Mismatch(mismatch) => format!("mismatch of {}", mismatch.field()),
            ErrorKind::Connection { kind, .. } => format!("{kind:?}"),
            kind => format!("{kind:?}"),
        },
    }
}

fn charge_of(made: &CreateOutcome) -> &Charge {
    made.charge()
}

struct Case {
    name: &'static str,
    once: CreateOnceOptions,
    host: fn(&mut Host),
    posts: &'static [Fault],
    lists: &'static [Fault],
    story: &'static str,
    end: &'static str,
}

#[test]
fn what_each_way_leads_to() {
    use Fault::{After, Before, Fine, Late, Refused, ReplyLost, RequestLost, SilentAfter, SilentBefore};
    let named = CreateOnceOptions::with_key(key());
    let fresh = CreateOnceOptions::fresh(key());
    let recover = CreateOnceOptions::recover(key());
    let case =
        |name, once, posts, lists, story, end| Case { name, once, host: |_| {}, posts, lists, story, end };
    let with = |host, case| Case { host, ..case };
    let one: fn(&mut Host) = |host| drop(ours(host, MINUTE, &[]));
    let cases = [
        // The good ways.
        case("new name", named, &[], &[], "look, post", "to pay ch_1"),
        case("new key", fresh, &[], &[], "post", "to pay ch_1"),
        with(one, case("known name", named, &[], &[], "look, page 1", "to pay ch_1")),
        with(one, case("recovered", recover, &[], &[], "look, page 1", "to pay ch_1")),
        case("nothing to recover", recover, &[], &[], "look, 2s, look", "OutcomeUnknown"),
        // The answer is lost after the deed.
        case("reply lost", named, &[ReplyLost], &[], "look, post, look, page 1", "to pay ch_1"),
        case("reply lost, new key", fresh, &[ReplyLost], &[], "post, look, page 1", "to pay ch_1"),
        case("500 after", fresh, &[After(500)], &[], "post, look, page 1", "to pay ch_1"),
        case("408 after", fresh, &[After(408)], &[], "post, look, page 1", "to pay ch_1"),
        case("an empty 200", fresh, &[After(200)], &[], "post, look, page 1", "to pay ch_1"),
        case("polled after", fresh, &[SilentAfter], &[], "post, look, page 1", "to pay ch_1"),
        // The request is lost.
        case("lost", named, &[RequestLost], &[], "look, post, look, 2s, look", "OutcomeUnknown"),
        case("lost, new key", fresh, &[RequestLost], &[], "post, look, 2s, look", "OutcomeUnknown"),
        case("500 before", fresh, &[Before(500)], &[], "post, look, 2s, look", "OutcomeUnknown"),
        case("polled before", fresh, &[SilentBefore], &[], "post, look, 2s, look", "OutcomeUnknown"),
        case("late, 1st look", fresh, &[Late(1)], &[], "post, look, page 1", "to pay ch_1"),
        case("late, 2nd look", fresh, &[Late(2)], &[], "post, look, 2s, look, page 1", "to pay ch_1"),
        case("too late", fresh, &[Late(3)], &[], "post, look, 2s, look", "OutcomeUnknown"),
        // Posting again, where that is allowed.
        case(
            "posted again",
            fresh.repost(true),
            &[RequestLost],
            &[],
            "post, look, 2s, look, post, 2s, look, page 1",
            "to pay ch_1",
        ),
        case(
            "posted again, and the first lands before",
            fresh.repost(true),
            &[Late(3), Late(1)],
            &[],
            "post, look, 2s, look, post, 2s, look, page 1",
            "to pay ch_1",
        ),
        case(
            "posted again, lost again",
            fresh.repost(true),
            &[RequestLost, RequestLost],
            &[],
            "post, look, 2s, look, post, 2s, look",
            "OutcomeUnknown",
        ),
        case(
            "posted again, reply lost",
            fresh.repost(true),
            &[RequestLost, ReplyLost],
            &[],
            "post, look, 2s, look, post, 2s, look, page 1",
            "to pay ch_1",
        ),
        case(
            "posted again, refused",
            fresh.repost(true),
            &[RequestLost, Before(401)],
            &[],
            "post, look, 2s, look, post",
            "OutcomeUnknown",
        ),
        // A redirect may mean that it was done.
        case("redirected after", fresh, &[After(303)], &[], "post, look, page 1", "to pay ch_1"),
        case("redirected", fresh, &[Before(301)], &[], "post, look, 2s, look", "OutcomeUnknown"),
        case(
            "posted again after nothing was recovered",
            recover.repost(true),
            &[],
            &[],
            "look, 2s, look, post, 2s, look, page 1",
            "to pay ch_1",
        ),
        // Definite refusals.
        case("refused: 401", named, &[Before(401)], &[], "look, post", "Unauthorized"),
        case("refused: 400", fresh, &[Before(400)], &[], "post", "BadRequest"),
        case("refused: 400, may repost", fresh.repost(true), &[Before(400)], &[], "post", "BadRequest"),
        case("never left", fresh, &[Refused], &[], "post", "ConnectionRefused"),
        // The look itself fails.
        case("no look, no post", named, &[], &[Before(500)], "look", "Server"),
        case("no look, no post: 401", named, &[], &[Before(401)], "look", "Unauthorized"),
        case("no look, no post: lost", named, &[], &[SilentAfter], "look", "Lost"),
        case("no look after doubt", fresh, &[ReplyLost], &[Before(401)], "post, look", "OutcomeUnknown"),
        case("no look to recover", recover, &[], &[Before(500)], "look", "OutcomeUnknown"),
        case(
            "no second look",
            fresh,
            &[RequestLost],
            &[Fine, SilentAfter],
            "post, look, 2s, look",
            "OutcomeUnknown",
        ),
        case(
            "no last look",
            fresh.repost(true),
            &[RequestLost],
            &[Fine, Fine, Before(500)],
            "post, look, 2s, look, post, 2s, look",
            "OutcomeUnknown",
        ),
        case("first look lost", fresh, &[ReplyLost], &[SilentAfter], "post, look", "OutcomeUnknown"),
        case("look to recover lost", recover, &[], &[SilentBefore], "look", "OutcomeUnknown"),
        case(
            "last look lost",
            fresh.repost(true),
            &[RequestLost],
            &[Fine, Fine, SilentAfter],
            "post, look, 2s, look, post, 2s, look",
            "OutcomeUnknown",
        ),
        case(
            "both creates polled instead of told",
            fresh.repost(true),
            &[SilentBefore, SilentAfter],
            &[],
            "post, look, 2s, look, post, 2s, look, page 1",
            "to pay ch_1",
        ),
        // What the host shows.
        with(
            |host| host.echoes = false,
            case("no echo", named, &[], &[], "look, post", "mismatch of customer_id"),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("amount", json!(1))])),
            case("another amount", named, &[], &[], "look, page 1", "mismatch of amount"),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("description", json!("cake"))])),
            case("another description", named, &[], &[], "look, page 1", "mismatch of description"),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("customer_id", json!(key().customer_id("table 5")))])),
            case("another table", named, &[], &[], "look, page 1", "mismatch of customer_id"),
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
            case("another key", named, &[], &[], "look, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| {
                ours(host, 3 * MINUTE, &[]);
                ours(host, 2 * MINUTE, &[]);
                ours(host, MINUTE, &[]);
            },
            case("the oldest of several", named, &[], &[], "look, page 1", "to pay ch_1"),
        ),
        with(
            |host| {
                ours(host, 3 * MINUTE, &[]);
                let paid = ours(host, 2 * MINUTE, &[]);
                host.pay(&paid, START);
                ours(host, MINUTE, &[]);
            },
            case("the paid one of several", named, &[], &[], "look, page 1", "paid ch_2"),
        ),
        // Rows that are no charges.
        with(
            |host| {
                drop(host.insert(START, &[("paid", json!("perhaps")), ("customer_id", json!("somebody"))]))
            },
            case("somebody's bad row", named, &[], &[], "look, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| drop(host.insert(START, &[("paid", json!("perhaps"))])),
            case("a bad row without a customer", named, &[], &[], "look, page 1, post", "to pay ch_2"),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("paid", json!("perhaps"))])),
            case("our bad row", named, &[], &[], "look, page 1", "Undecodable"),
        ),
        with(
            |host| host.rows.push(json!(17)),
            case("anybody's bad row", named, &[], &[], "look, page 1", "Undecodable"),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("paid", json!("perhaps"))])),
            case(
                "our bad row, after doubt",
                fresh,
                &[RequestLost],
                &[],
                "post, look, page 1",
                "OutcomeUnknown",
            ),
        ),
        with(
            |host| drop(ours(host, MINUTE, &[("paid", json!("perhaps"))])),
            case("our bad row, to be recovered", recover, &[], &[], "look, page 1", "OutcomeUnknown"),
        ),
    ];
    for Case { name, once, host: prepare, posts, lists, story: expected, end } in cases {
        let mut host = Host::new();
        prepare(&mut host);
        host.posts = posts.iter().copied().collect();
        host.lists = lists.iter().copied().collect();
        let (result, world) = run(&mut host, once);
        assert_eq!((story(&world).as_str(), told(&result).as_str()), (expected, end), "{name}");
        if let Err(error) = result
            && let ErrorKind::Mismatch(_) = error.kind()
        {
            assert!(error.charge().is_some(), "{name}: the charge is in the error");
        }
    }
}

#[test]
fn an_unknown_outcome_says_what_happened() {
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    let (result, _) = run(&mut host, CreateOnceOptions::with_key(key()));
    let error = result.unwrap_err();
    let below = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(below.kind(), ErrorKind::Connection { .. }), "{below}");
    let lowest = below.source().unwrap().downcast_ref::<strike_core::TransportError>().unwrap();
    assert_eq!(lowest.kind(), TransportErrorKind::Timeout);
    assert_eq!(error.advice(), Advice::LookFirst);

    // Without a create of its own, the failure of the look is what there is to say.
    let mut host = Host::new();
    host.lists = [Fault::Before(503)].into();
    let (result, _) = run(&mut host, CreateOnceOptions::recover(key()));
    let error = result.unwrap_err();
    let below = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!((below.kind(), below.status()), (&ErrorKind::Server, Some(503)));
}

#[test]
fn if_both_creates_land_the_oldest_is_returned_or_the_paid_one() {
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
                        // The first lands just before the second.
                        ours(&mut host, 0, &[]);
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
        assert_eq!(told(&result), expected);
    }
}

#[test]
fn recovery_reads_no_page_beyond_the_newest_charge_of_before() {
    // 200 charges of today, of which the first page is read before the create; 70 more come while it is in doubt.
    let mut host = Host::new();
    for n in 0..200 {
        host.insert(START - HOUR + n, &[]);
    }
    host.posts = [Fault::RequestLost].into();
    let mut world = Virtual::new();
    // All of the last two hours before, for the key may have been used.
    let mut machine = machine(order(), CreateOnceOptions::with_key(key()));
    let mut looks = 0;
    let result = world.run(&mut machine, |exchange, now| {
        if exchange.request.method() == "POST" {
            for n in 0..70 {
                host.insert(START - MINUTE + n, &[]);
            }
        }
        looks += usize::from(host.sent("POST") == 1);
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(told(&result), "OutcomeUnknown");
    // Rows 70 and later are old: the third page shows the first of them, and the fourth is not read.
    let pages =
        |from: usize| (from..from + 3).map(|page| format!("page {}", page - from)).collect::<Vec<_>>();
    let after = story(&world);
    let after = after.split("post, ").nth(1).unwrap().replace("look", "page 0");
    let expected = [pages(0), vec!["2s".to_owned()], pages(0)].concat().join(", ");
    assert_eq!(after, expected);
}

#[test]
fn a_look_reads_the_whole_list_unless_it_is_told_since_when() {
    let at = |millis| UnixMillis::from_millis(millis);
    let named = CreateOnceOptions::with_key(key());
    let year = 365 * 24 * HOUR;
    for (name, age, once, found) in [
        ("as old as you like", 3 * year, named, true),
        ("within since", 30 * HOUR, named.since(at(START - 31 * HOUR)), true),
        ("further than since", 30 * HOUR, named.since(at(START - 29 * HOUR)), false),
        ("a since of just now still means two hours", 2 * HOUR - MINUTE, named.since(at(START)), true),
        ("but no more", 3 * HOUR, named.since(at(START)), false),
    ] {
        for dates in [true, false] {
            let mut host = Host::new();
            host.dates = dates;
            host.cap = 1;
            let old = ours(&mut host, age, &[]);
            host.pay(&old, START - age);
            // Pages of one row: an older row would be found if it stood on the same page.
            host.insert(START - age + 1, &[]);
            let (result, world) = run(&mut host, once);
            if found {
                assert_eq!(told(&result), format!("paid {old}"), "{name}: {}", story(&world));
            } else {
                assert_eq!(told(&result), "to pay ch_3", "{name}: {}", story(&world));
                assert_eq!(story(&world), "look, post", "{name}: nothing beyond the older row is read");
            }
        }
    }
}

#[test]
fn the_local_clock_does_not_decide_how_far_back_a_look_goes() {
    for local in [0, START + 20 * 365 * 24 * HOUR] {
        for dates in [true, false] {
            let mut host = Host::new();
            host.dates = dates;
            host.cap = 1;
            let paid = ours(&mut host, HOUR, &[]);
            host.pay(&paid, START);
            host.insert(START - MINUTE, &[]);
            let mut world = Virtual::new();
            world.now.unix = UnixMillis::from_millis(local);
            let mut machine = machine(order(), CreateOnceOptions::with_key(key()));
            let result = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
            assert_eq!(told(&result), "paid ch_1", "{local} {dates}");
        }
    }
}

#[test]
fn many_charges_made_meanwhile_do_not_hide_ours() {
    // A host with small pages; as many charges as fit on one come between two pages of the look.
    let mut host = Host::new();
    host.cap = 3;
    ours(&mut host, 30 * MINUTE, &[]);
    for n in 0..5 {
        host.insert(START - 20 * MINUTE + n, &[]);
    }
    let mut world = Virtual::new();
    let result = world.run(&mut machine(order(), CreateOnceOptions::with_key(key())), |exchange, now| {
        let reply = host.serve(&exchange, *now).unwrap();
        if host.log.len() == 1 {
            for n in 0..3 {
                host.insert(START + n, &[]);
            }
        }
        reply
    });
    assert_eq!(told(&result), "to pay ch_1", "{}", story(&world));
}

#[test]
fn a_list_too_long_to_be_looked_through_lets_nothing_be_created() {
    let mut host = Host::new();
    host.cap = 1;
    // Ours is the first row that a look does not reach.
    ours(&mut host, HOUR, &[]);
    for n in 0..1000 {
        host.insert(START - MINUTE + n, &[]);
    }
    let (result, _) = run(&mut host, CreateOnceOptions::with_key(key()));
    assert_eq!((told(&result).as_str(), host.sent("GET"), host.sent("POST")), ("Incomplete", 1000, 0));
    let error = result.unwrap_err();
    assert_eq!(error.advice(), Advice::SetSince);
    assert_eq!(
        error.to_string(),
        "create charge of 4200 satoshi once: look for it in a list of more than 1000 pages: the end of the list was not reached, so charges \
         may be missing; set `CreateOnceOptions::since` to the time of the order; nothing was created"
    );
}

#[test]
fn a_list_that_grows_faster_than_it_is_read_lets_nothing_be_created() {
    for by in [1, 2, 3] {
        let mut host = Host::new();
        host.cap = 1;
        ours(&mut host, HOUR, &[]);
        for n in 0..10 {
            host.insert(START - MINUTE + n, &[]);
        }
        let mut made = 0;
        let result =
            Virtual::new().run(&mut machine(order(), CreateOnceOptions::with_key(key())), |exchange, now| {
                for _ in 0..by {
                    made += 1;
                    host.insert(START + made, &[]);
                }
                host.serve(&exchange, *now).unwrap()
            });
        let error = result.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Incomplete, "{by}");
        assert!(error.to_string().contains("in a list that grows faster than it is read: "), "{error}");
        assert_eq!((error.advice(), host.sent("POST")), (Advice::SetSince, 0), "{by}");
    }
}

#[test]
fn a_row_that_may_be_the_orders_is_named() {
    let mut host = Host::new();
    let id = ours(&mut host, MINUTE, &[("paid", json!("perhaps"))]);
    let error = run(&mut host, CreateOnceOptions::with_key(key())).0.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::Undecodable, Advice::DoNotUse));
    let text = error.to_string();
    assert!(text.contains(&format!("once: look for it in the list, row {id}: ")), "{text}");
}

#[test]
fn a_list_that_never_ends_lets_nothing_be_created() {
    let mut host = Host::new();
    host.ignores_paging = true;
    host.insert(START, &[]);
    host.insert(START, &[]);
    let result =
        Virtual::new().run(&mut machine(order(), CreateOnceOptions::with_key(key())), |exchange, now| {
            // Never the same page twice in a row, and never a row that is new: what else there is, it does not show.
            host.rows.reverse();
            host.serve(&exchange, *now).unwrap()
        });
    assert_eq!((told(&result).as_str(), host.sent("POST")), ("Incomplete", 0));
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
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
                world.run(&mut machine(order, once), |_, _| panic!("nothing may be sent")).unwrap_err();
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
fn the_callers_own_reference_comes_back() {
    let mut host = Host::new();
    let made = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap();
    assert_eq!(charge_of(&made).customer_id(), Some("table 4"));
    let (found, own) = OrderKey::from_customer_id(charge_of(&made).raw_customer_id().unwrap()).unwrap();
    assert_eq!((found, own), (key(), "table 4"));
    // Once more, without a reference: it is another order.
    let mut world = Virtual::new();
    let mut other = machine(NewCharge::satoshis(4200, "tea"), CreateOnceOptions::named("order-17"));
    let error = world.run_losing(&mut other, |exchange, now| host.serve(&exchange, *now)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "customer_id"));
}

#[test]
fn an_adopted_charge_may_be_paid() {
    let mut host = Host::new();
    let paid = ours(&mut host, MINUTE, &[]);
    host.pay(&paid, START);
    let made = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap();
    assert!(matches!(made, CreateOutcome::Paid(charge) if charge.is_paid()));
}

#[test]
fn after_the_end_there_is_nothing_left() {
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

/// What befalls one request of a history.
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

/// One run of a shop: what befalls it, after how many exchanges the shop crashes, and whether what it shows is paid.
#[derive(Debug, Clone)]
struct Life {
    posts: Vec<Fault>,
    lists: Vec<Fault>,
    late: Option<usize>,
    crash: Option<usize>,
    pays: bool,
    repost: bool,
}

fn life() -> impl Strategy<Value = Life> {
    let crash = proptest::option::weighted(0.3, 0_usize..8);
    let late = proptest::option::weighted(0.3, 1_usize..4);
    (faults(), faults(), late, crash, any::<bool>(), any::<bool>()).prop_map(
        |(posts, lists, late, crash, pays, repost)| Life { posts, lists, late, crash, pays, repost },
    )
}

/// Lives one life; true if it came to an end with a charge.
fn live(host: &mut Host, life: &Life, repost: bool, monotonic: Duration) -> Option<Charge> {
    live_with(host, life, repost, monotonic, &mut OrderRecord::default())
}

fn live_with(
    host: &mut Host,
    life: &Life,
    repost: bool,
    monotonic: Duration,
    record: &mut OrderRecord,
) -> Option<Charge> {
    host.posts = life.posts.iter().copied().collect();
    host.lists = life.lists.iter().copied().collect();
    if let Some(lists) = life.late {
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
                if life.crash == Some(exchanges) {
                    break None;
                }
            }
            Step::Wait(wait) => now.monotonic += wait,
            Step::Done(result) => break result.ok(),
        }
    };
    // Unsent attempts may be repeated; what may have left is not, but for one more create where that is allowed.
    let sent = host.sent("POST") - before;
    assert!(sent <= if repost { 6 } else { 3 }, "{sent}");
    made.map(|made| charge_of(&made).clone())
}

/// The second create makes a charge that is not what was ordered: the doubt about the first does not hide that.
#[test]
fn what_failed_after_the_doubt_shows_below_it() {
    let once = CreateOnceOptions::fresh(OrderKey::named("order-17")).repost(true);
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    host.echoes = false;
    let (result, world) = run(&mut host, once);
    assert_eq!(story(&world), "post, look, 2s, look, post");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A request arrives at once or never; the shop crashes and starts again with the same name, and may allow a second
    /// create. Then there is never a second charge.
    #[test]
    fn there_is_never_a_second_charge_if_nothing_arrives_late(lives in proptest::collection::vec(life(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        for life in &lives {
            let life = Life { late: None, ..life.clone() };
            live(&mut host, &life, life.repost, start);
            start += Duration::from_secs(60);
            prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
        }
        // At last the weather is fine.
        let life = Life { posts: vec![], lists: vec![], late: None, crash: None, pays: false, repost: false };
        prop_assert!(live(&mut host, &life, false, start).is_some());
        prop_assert_eq!(host.rows.len(), 1);
    }

    /// A create that was lost arrives late, but before the last look of the machine that sent it has ended, or at least before
    /// the next one starts; no second create is allowed. Then, too, there is never a second charge.
    #[test]
    fn there_is_never_a_second_charge_without_leave(lives in proptest::collection::vec(life(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        for life in &lives {
            live(&mut host, life, false, start);
            host.flush();
            start += Duration::from_secs(60);
            prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
        }
    }

    /// Within one client, which keeps a record of the key: whatever is lost or late, whenever a call is dropped, and whatever the list
    /// shows, there is one create at most that may have arrived, and so one charge.
    #[test]
    fn with_a_record_there_is_never_a_second_charge(
        lives in proptest::collection::vec((life(), any::<bool>()), 1..6),
    ) {
        let (mut host, mut start, mut record) = (Host::new(), Duration::ZERO, OrderRecord::default());
        for (life, hidden) in &lives {
            host.hidden = if *hidden { 1000 } else { 0 };
            live_with(&mut host, life, false, start, &mut record);
            start += Duration::from_secs(60);
        }
        host.flush();
        prop_assert!(host.rows.len() <= 1, "{:?}", host.rows);
    }

    /// With leave to post again there may be two at the host; but if what was lost lands, and the list shows it, before the last
    /// look, only one payment request is ever returned for the key: whether it is paid or not, and whatever crashes.
    #[test]
    fn one_payment_request_is_returned_per_key(lives in proptest::collection::vec(life(), 1..6)) {
        let mut host = Host::new();
        let mut start = Duration::ZERO;
        let mut shown: Option<String> = None;
        for life in &lives {
            // The third list is the last look, if no list fails before: so none does.
            let life = Life { lists: vec![], ..life.clone() };
            if let Some(charge) = live(&mut host, &life, life.repost, start) {
                let request = charge.payment_request().to_owned();
                let first = shown.get_or_insert(request.clone());
                prop_assert_eq!(&*first, &request);
                if life.pays {
                    host.pay(charge.id().as_str(), START);
                }
            }
            host.flush();
            start += Duration::from_secs(60);
        }
    }
}

#[test]
fn a_look_reads_on_past_a_row_of_the_very_moment_it_goes_back_to() {
    let (mut host, age) = (Host::new(), 30 * HOUR);
    host.cap = 1;
    let old = ours(&mut host, age, &[]);
    // Made in the same millisecond, and a page before ours.
    host.insert(START - age, &[]);
    let (result, world) =
        run(&mut host, CreateOnceOptions::with_key(key()).since(UnixMillis::from_millis(START - age)));
    assert_eq!(told(&result), format!("to pay {old}"), "{}", story(&world));
}

/// Runs a machine with a record that outlives it.
fn again(
    host: &mut Host,
    world: &mut Virtual,
    record: &mut OrderRecord,
    once: CreateOnceOptions,
) -> Result<CreateOutcome, Error> {
    let mut machine =
        CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once_with(order(), once, record);
    world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now))
}

#[test]
fn a_repeat_with_the_same_record_finds_the_charge_although_the_list_lags() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.hidden = 1000;
    for _ in 0..3 {
        let made = again(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!(told(&made), "to pay ch_1");
    }
    assert_eq!(story(&world), "look, post, get ch_1, get ch_1");
    assert_eq!(host.sent("POST"), 1);
    // A record of nothing, as another process has it, does not know better than the list.
    let made =
        again(&mut host, &mut world, &mut OrderRecord::default(), CreateOnceOptions::named("order-17"));
    assert_eq!(told(&made), "to pay ch_2");
}

#[test]
fn a_key_that_was_posted_is_not_posted_again_by_a_fresh_call() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    for once in [
        CreateOnceOptions::fresh(key()),
        CreateOnceOptions::fresh(key()),
        CreateOnceOptions::with_key(key()),
        CreateOnceOptions::recover(key()),
    ] {
        assert_eq!(told(&again(&mut host, &mut world, &mut record, once)), "to pay ch_1");
    }
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn after_an_unknown_outcome_nothing_is_posted_for_ten_minutes() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.posts = [Fault::RequestLost].into();
    let named = || CreateOnceOptions::named("order-17");
    for _ in 0..3 {
        let made = again(&mut host, &mut world, &mut record, named());
        assert_eq!(told(&made), "OutcomeUnknown");
    }
    assert_eq!(host.sent("POST"), 1);
    world.advance(Duration::from_secs(500));
    assert_eq!(told(&again(&mut host, &mut world, &mut record, named())), "OutcomeUnknown");
    assert_eq!(host.sent("POST"), 1);
    // A request that was sent so long ago does not arrive any more.
    world.advance(Duration::from_secs(100));
    assert_eq!(told(&again(&mut host, &mut world, &mut record, named())), "to pay ch_1");
    assert_eq!(host.sent("POST"), 2);

    // With leave, it need not wait.
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.posts = [Fault::RequestLost].into();
    assert_eq!(told(&again(&mut host, &mut world, &mut record, named())), "OutcomeUnknown");
    assert_eq!(told(&again(&mut host, &mut world, &mut record, named().repost(true))), "to pay ch_1");
}

#[test]
fn a_machine_that_was_dropped_after_the_post_is_remembered() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    let once = CreateOnceOptions::fresh(key());
    let mut machine =
        CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once_with(order(), once, &mut record);
    let Step::Send(exchange) = machine.poll(world.now) else { panic!() };
    host.serve(&exchange, world.now);
    drop(machine);
    assert_eq!(told(&again(&mut host, &mut world, &mut record, once)), "to pay ch_1");
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn a_refused_create_may_be_sent_again_at_once() {
    for fault in [Fault::Refused, Fault::Before(400), Fault::Before(401), Fault::Before(429)] {
        let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
        host.posts = [fault].into();
        again(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17")).unwrap_err();
        let made = again(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!(told(&made), "to pay ch_1", "{fault:?}");
    }
}

#[test]
fn a_charge_that_cannot_be_read_leaves_the_outcome_unknown_and_creates_nothing() {
    for (fault, then) in [
        (Fault::Before(500), "get ch_1"),
        (Fault::Before(401), "get ch_1"),
        (Fault::RequestLost, "get ch_1"),
        // The list knows better.
        (Fault::Fine, "get ch_1, look, 2s, look"),
    ] {
        let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
        again(&mut host, &mut world, &mut record, CreateOnceOptions::fresh(key())).unwrap();
        if fault == Fault::Fine {
            host.rows.clear();
        }
        host.gets = [fault].into();
        world.log.clear();
        let made = again(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!((told(&made).as_str(), story(&world).as_str()), ("OutcomeUnknown", then), "{fault:?}");
        assert_eq!(host.sent("POST"), 1);
    }
}

/// An invoice of 1,700,000,000 s that can be paid for that long.
fn payable_for(seconds: u64) -> Value {
    json!(support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(seconds)))
}

#[test]
fn an_expired_charge_is_read_before_it_is_given_up() {
    // The list says that it is unpaid; the charge itself may know better.
    for paid in [false, true] {
        let mut host = Host::new();
        let id = ours(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
        host.stale_list = true;
        let mut world = Virtual::new();
        world.advance(Duration::from_secs(3600));
        if paid {
            host.pay(&id, START);
        }
        let mut machine = machine(order(), CreateOnceOptions::named("order-17"));
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(told(&made), if paid { "paid ch_1" } else { "expired ch_1" });
        assert_eq!(story(&world), "look, page 1, get ch_1");
    }
}

#[test]
fn a_charge_is_expired_only_if_both_clocks_say_so() {
    // Seconds that the host's clock and ours are past the invoice's expiry; whether the host tells its clock.
    for (host_past, local_past, dates, expected) in [
        (-60, -60, true, "to pay ch_1"),
        (60, 60, true, "expired ch_1"),
        (-60, 3600, true, "to pay ch_1"),
        // The host's clock may be a little fast: the payer can still try.
        (60, -1, true, "to pay ch_1"),
        (60, -540, true, "to pay ch_1"),
        // One of them is wrong: nothing is shown, and no second invoice is created.
        (60, -660, true, "mismatch of date"),
        (3_000_000_000, -3600, true, "mismatch of date"),
        // Only the local clock, with a margin.
        (60, 540, false, "to pay ch_1"),
        (60, 660, false, "expired ch_1"),
    ] {
        let mut host = Host::new();
        host.dates = dates;
        ours(&mut host, MINUTE, &[("payment_request", payable_for(7200))]);
        let expires_at = 1_700_007_200_000_i64;
        host.clock = u64::try_from(expires_at + host_past * 1000).unwrap();
        let mut world = Virtual::new();
        let local = u64::try_from(expires_at + local_past * 1000).unwrap();
        world.now = Now::new(Duration::ZERO, UnixMillis::from_millis(local));
        let mut machine = machine(order(), CreateOnceOptions::named("order-17"));
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(told(&made), expected, "{host_past} {local_past} {dates}");
        assert_eq!(host.sent("POST"), 0);
    }
}

#[test]
fn an_expired_order_gets_its_next_invoice_under_the_same_name() {
    let mut host = Host::new();
    ours(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
    let mut world = Virtual::new();
    world.advance(Duration::from_secs(3600));
    let call = |host: &mut Host, world: &mut Virtual, order: NewCharge, once: CreateOnceOptions| {
        let mut machine = machine(order, once);
        world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now))
    };
    let named = CreateOnceOptions::named("order-17");
    let Ok(CreateOutcome::Expired { next, .. }) = call(&mut host, &mut world, order(), named) else {
        panic!()
    };
    // The price has changed meanwhile.
    let dearer = || NewCharge::satoshis(4300, "tea").customer_id("table 4");
    let second = call(&mut host, &mut world, dearer(), next);
    assert_eq!(told(&second), "to pay ch_2");
    let own = charge_of(&second.unwrap()).customer_id().map(str::to_owned);
    assert_eq!(own.as_deref(), Some("table 4"));
    // Whoever asks by the name, or with the same `next`, gets the second invoice; nobody gets a third.
    for once in [named, next, named] {
        assert_eq!(told(&call(&mut host, &mut world, dearer(), once)), "to pay ch_2");
    }
    assert_eq!(told(&call(&mut host, &mut world, order(), named)), "mismatch of amount");
    assert_eq!(host.sent("POST"), 1);
    // The first was paid after all: that is what counts, although the price has changed.
    host.pay("ch_1", START);
    for once in [next, named] {
        assert_eq!(told(&call(&mut host, &mut world, dearer(), once)), "paid ch_1");
    }
}

#[test]
fn the_next_invoice_is_created_once_too() {
    let mut host = Host::new();
    ours(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
    let (mut world, mut record) = (Virtual::new(), OrderRecord::default());
    world.advance(Duration::from_secs(3600));
    let made = again(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
    let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
    host.posts = [Fault::ReplyLost].into();
    host.hidden = 1000;
    assert_eq!(told(&again(&mut host, &mut world, &mut record, next)), "OutcomeUnknown");
    for once in [next, CreateOnceOptions::named("order-17"), next] {
        assert_eq!(told(&again(&mut host, &mut world, &mut record, once)), "OutcomeUnknown");
    }
    host.hidden = 0;
    for once in [next, CreateOnceOptions::named("order-17"), next] {
        assert_eq!(told(&again(&mut host, &mut world, &mut record, once)), "to pay ch_2");
    }
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn an_expired_order_that_was_only_looked_for_gets_its_next_invoice_too() {
    let mut host = Host::new();
    ours(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
    let (mut world, mut record) = (Virtual::new(), OrderRecord::default());
    world.advance(Duration::from_secs(3600));
    let made = again(&mut host, &mut world, &mut record, CreateOnceOptions::recover(key()));
    let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
    assert_eq!(told(&again(&mut host, &mut world, &mut record, next)), "to pay ch_2");
}

#[test]
fn pages_that_are_too_large_in_any_size_end_the_call() {
    let mut host = Host::new();
    ours(&mut host, MINUTE, &[]);
    let policy = RetryPolicy::never().max_body(10);
    let mut machine =
        CoreClient::new(endpoint(), policy, 1).create_once(order(), CreateOnceOptions::named("order-17"));
    let made = Virtual::new().run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
    assert!(matches!(made.unwrap_err().kind(), ErrorKind::TooLarge { limit: 10 }));
    assert_eq!((host.sent("GET"), host.sent("POST")), (2, 0));
}

#[test]
fn an_order_has_58_invoices_at_most() {
    let mut host = Host::new();
    let mut once = CreateOnceOptions::named("order-17");
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(START + 30 * 24 * HOUR);
    host.clock = START + 30 * 24 * HOUR;
    for attempt in 1..=58 {
        let mut machine = machine(order(), once);
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(told(&made), format!("to pay ch_{attempt}"));
        host.rows[0]["payment_request"] = payable_for(60);
        let mut machine = self::machine(order(), once);
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
        once = next;
    }
    let mut last = machine(order(), once);
    let error = world.run(&mut last, |_, _| panic!("nothing may be sent")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "attempt"), "{error}");
}

#[test]
fn a_page_too_large_to_be_read_is_asked_for_in_smaller_ones() {
    let mut host = Host::new();
    ours(&mut host, MINUTE, &[]);
    for n in 0..200 {
        host.insert(START + n, &[]);
    }
    let policy = RetryPolicy::never().max_body(30_000);
    let mut machine =
        CoreClient::new(endpoint(), policy, 1).create_once(order(), CreateOnceOptions::named("order-17"));
    let made = Virtual::new().run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
    assert_eq!(told(&made), "to pay ch_1");
}

#[test]
fn what_a_look_through_a_long_list_costs() {
    let recent = CreateOnceOptions::named("order-17").since(UnixMillis::from_millis(START - MINUTE));
    for (rows, cap, once, lists) in [
        (10_000, 250, CreateOnceOptions::named("order-17"), 41),
        (10_000, 30, CreateOnceOptions::named("order-17"), 335),
        (10_000, 250, recent, 1),
    ] {
        let mut host = Host::new();
        host.cap = cap;
        for n in 0..rows {
            host.insert(START - 30 * 24 * HOUR + n * MINUTE, &[]);
        }
        assert_eq!(told(&run(&mut host, once).0), format!("to pay ch_{}", rows + 1));
        assert_eq!((host.sent("GET"), host.sent("POST")), (lists, 1), "{cap}");
    }
}

#[test]
fn errors_say_what_the_caller_asked_for() {
    let mut host = Host::new();
    host.lists = [Fault::Before(500)].into();
    let error = run(&mut host, CreateOnceOptions::named("order-17")).0.unwrap_err();
    assert!(
        error.to_string().starts_with("create charge of 4200 satoshi once: look for it in the list: "),
        "{error}"
    );
}
