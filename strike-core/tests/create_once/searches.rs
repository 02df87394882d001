//! Tests of the search through the list of charges: how far it goes, and when it gives up.

use serde_json::json;
use strike_core::{Advice, CoreClient, CreateOnceOptions, ErrorKind, RetryPolicy, UnixMillis};

use super::{HOUR, MINUTE, describe, insert_own, key, machine, order, run, steps};
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual, endpoint};

#[test]
fn recovery_stops_at_the_newest_charge_seen_before_the_create() {
    // The host has 200 charges. 70 more are created during the create.
    let mut host = Host::new();
    for n in 0..200 {
        host.insert(START - HOUR + n, &[]);
    }
    host.posts = [Fault::RequestLost].into();
    let mut world = Virtual::new();
    // The key may have been used before, so the list is searched first.
    let mut machine = machine(order(), CreateOnceOptions::with_key(key()));
    let mut searches = 0;
    let result = world.run(&mut machine, |exchange, now| {
        if exchange.request.method() == "POST" {
            for n in 0..70 {
                host.insert(START - MINUTE + n, &[]);
            }
        }
        searches += usize::from(host.sent("POST") == 1);
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(describe(&result), "OutcomeUnknown");
    // Rows 70 and later existed before the create. The first page of 30 does not have them. The first
    // one of 250 has, so the second one is not requested.
    let pages = || vec!["page 0".to_owned(); 2];
    let after = steps(&world);
    let after = after.split("post, ").nth(1).unwrap().replace("list", "page 0");
    let expected = [pages(), vec!["2s".to_owned()], pages()].concat().join(", ");
    assert_eq!(after, expected);
}

#[test]
fn search_reads_the_whole_list_unless_since_is_set() {
    let at = |millis| UnixMillis::from_millis(millis);
    let named = CreateOnceOptions::with_key(key());
    let year = 365 * 24 * HOUR;
    for (name, age, once, found) in [
        ("three years old", 3 * year, named, true),
        ("within since", 30 * HOUR, named.since(at(START - 31 * HOUR)), true),
        ("older than since", 30 * HOUR, named.since(at(START - 29 * HOUR)), false),
        ("since now still includes the last two hours", 2 * HOUR - MINUTE, named.since(at(START)), true),
        ("since now excludes three hours ago", 3 * HOUR, named.since(at(START)), false),
    ] {
        for dates in [true, false] {
            let mut host = Host::new();
            host.dates = dates;
            host.cap = 1;
            let old = insert_own(&mut host, age, &[]);
            host.pay(&old, START - age);
            // With pages of one row, the search cannot find an older row by chance.
            host.insert(START - age + 1, &[]);
            let (result, world) = run(&mut host, once);
            if found {
                assert_eq!(describe(&result), format!("paid {old}"), "{name}: {}", steps(&world));
            } else {
                assert_eq!(describe(&result), "to pay ch_3", "{name}: {}", steps(&world));
                assert_eq!(steps(&world), "list, post", "{name}: the search stops at the older row");
            }
        }
    }
}

#[test]
fn search_range_does_not_depend_on_the_local_clock() {
    for local in [0, START + 20 * 365 * 24 * HOUR] {
        for dates in [true, false] {
            let mut host = Host::new();
            host.dates = dates;
            host.cap = 1;
            let paid = insert_own(&mut host, HOUR, &[]);
            host.pay(&paid, START);
            host.insert(START - MINUTE, &[]);
            let mut world = Virtual::new();
            world.now.unix = UnixMillis::from_millis(local);
            let mut machine = machine(order(), CreateOnceOptions::with_key(key()));
            let result = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
            assert_eq!(describe(&result), "paid ch_1", "{local} {dates}");
        }
    }
}

#[test]
fn charges_created_during_the_search_do_not_hide_the_order() {
    // The pages are small, and a page's worth of charges is created between two page requests.
    let mut host = Host::new();
    host.cap = 3;
    insert_own(&mut host, 30 * MINUTE, &[]);
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
    assert_eq!(describe(&result), "to pay ch_1", "{}", steps(&world));
}

#[test]
fn nothing_is_created_if_the_list_is_too_long_to_search() {
    let mut host = Host::new();
    host.cap = 1;
    // The order's charge is the first row beyond the search limit.
    insert_own(&mut host, HOUR, &[]);
    for n in 0..1000 {
        host.insert(START - MINUTE + n, &[]);
    }
    let (result, _) = run(&mut host, CreateOnceOptions::with_key(key()));
    // Pages of one row cannot overlap. So a search in full follows the two pages of the first look.
    assert_eq!((describe(&result).as_str(), host.sent("GET"), host.sent("POST")), ("Incomplete", 1002, 0));
    let error = result.unwrap_err();
    assert_eq!(error.advice(), Advice::SetSince);
    assert_eq!(
        error.to_string(),
        "create charge of 4200 satoshi once: look for it in a list of more than 1000 pages: the end of the list was not reached, so charges \
         may be missing; set `CreateOnceOptions::since` to the time of the order; nothing was created"
    );
}

#[test]
fn nothing_is_created_if_the_list_grows_faster_than_it_is_read() {
    for by in [1, 2, 3] {
        let mut host = Host::new();
        host.cap = 1;
        insert_own(&mut host, HOUR, &[]);
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
fn error_names_the_unreadable_row_of_the_order() {
    let mut host = Host::new();
    let id = insert_own(&mut host, MINUTE, &[("paid", json!("perhaps"))]);
    let error = run(&mut host, CreateOnceOptions::with_key(key())).0.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::Undecodable, Advice::DoNotUse));
    let text = error.to_string();
    assert!(text.contains(&format!("once: look for it in the list, row {id}: ")), "{text}");
}

#[test]
fn unreadable_row_of_the_order_hides_a_newer_charge() {
    // The payer may have been shown the older invoice, or may have paid it.
    let mut host = Host::new();
    let older = insert_own(&mut host, 2 * MINUTE, &[("paid", json!("perhaps"))]);
    insert_own(&mut host, MINUTE, &[]);
    let error = run(&mut host, CreateOnceOptions::with_key(key())).0.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (&ErrorKind::Undecodable, Advice::DoNotUse));
    assert!(error.to_string().contains(&format!("row {older}: ")), "{error}");
    assert_eq!(host.sent("POST"), 0);
}

#[test]
fn unreadable_row_of_the_order_does_not_hide_a_paid_charge() {
    let mut host = Host::new();
    insert_own(&mut host, 2 * MINUTE, &[("amount", json!("many"))]);
    let paid = insert_own(&mut host, MINUTE, &[("paid", json!(true))]);
    let (result, _) = run(&mut host, CreateOnceOptions::with_key(key()));
    assert_eq!(describe(&result), format!("paid {paid}"));
}

#[test]
fn nothing_is_created_if_the_list_never_ends() {
    let mut host = Host::new();
    host.ignores_paging = true;
    host.insert(START, &[]);
    host.insert(START, &[]);
    let result =
        Virtual::new().run(&mut machine(order(), CreateOnceOptions::with_key(key())), |exchange, now| {
            // Consecutive pages differ, but show no new row, so the rest of the list stays unknown.
            host.rows.reverse();
            host.serve(&exchange, *now).unwrap()
        });
    assert_eq!((describe(&result).as_str(), host.sent("POST")), ("Incomplete", 0));
}

#[test]
fn search_includes_charges_created_exactly_at_since() {
    let (mut host, age) = (Host::new(), 30 * HOUR);
    host.cap = 1;
    let old = insert_own(&mut host, age, &[]);
    // Another charge, created in the same millisecond, is on the page before.
    host.insert(START - age, &[]);
    let (result, world) =
        run(&mut host, CreateOnceOptions::with_key(key()).since(UnixMillis::from_millis(START - age)));
    assert_eq!(describe(&result), format!("to pay {old}"), "{}", steps(&world));
}

#[test]
fn call_fails_if_pages_are_too_large_at_any_size() {
    let mut host = Host::new();
    insert_own(&mut host, MINUTE, &[]);
    let policy = RetryPolicy::never().max_body(10);
    let mut machine =
        CoreClient::new(endpoint(), policy, 1).create_once(order(), CreateOnceOptions::named("order-17"));
    let made = Virtual::new().run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
    assert!(matches!(made.unwrap_err().kind(), ErrorKind::TooLarge { limit: 10 }));
    assert_eq!((host.sent("GET"), host.sent("POST")), (2, 0));
}

#[test]
fn search_uses_smaller_pages_if_a_page_is_too_large() {
    let mut host = Host::new();
    insert_own(&mut host, MINUTE, &[]);
    for n in 0..200 {
        host.insert(START + n, &[]);
    }
    let policy = RetryPolicy::never().max_body(30_000);
    let mut machine =
        CoreClient::new(endpoint(), policy, 1).create_once(order(), CreateOnceOptions::named("order-17"));
    let made = Virtual::new().run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
    assert_eq!(describe(&made), "to pay ch_1");
}

#[test]
fn search_of_a_long_list_sends_the_expected_requests() {
    let recent = CreateOnceOptions::named("order-17").since(UnixMillis::from_millis(START - MINUTE));
    for (rows, cap, once, lists) in [
        (10_000, 1000, CreateOnceOptions::named("order-17"), 13),
        (10_000, 250, CreateOnceOptions::named("order-17"), 46),
        (10_000, 30, CreateOnceOptions::named("order-17"), 436),
        (10_000, 250, recent, 1),
    ] {
        let mut host = Host::new();
        host.cap = cap;
        for n in 0..rows {
            host.insert(START - 30 * 24 * HOUR + n * MINUTE, &[]);
        }
        assert_eq!(describe(&run(&mut host, once).0), format!("to pay ch_{}", rows + 1));
        assert_eq!((host.sent("GET"), host.sent("POST")), (lists, 1), "{cap}");
    }
}
