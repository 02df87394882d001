//! Tests that a pager returns every charge once, even if the list changes while it is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use proptest::prelude::*;
use serde_json::json;
use strike_core::machine::{Machine, Pager, Step};
use strike_core::{CoreClient, ErrorKind, RetryPolicy};
use support::host::{Fault, Host};
use support::{START, Virtual, endpoint};

fn pager() -> Pager {
    CoreClient::new(endpoint(), RetryPolicy::default(), 1).pager()
}

/// Returns a host with this many charges; `ch_1` is the oldest.
fn host(charges: u64) -> Host {
    let mut host = Host::new();
    for n in 0..charges {
        host.insert(START - 1_000_000 + n, &[]);
    }
    host
}

/// Returns the next charge's id, the kind of an error, or `None` at the end.
fn next(pager: &mut Pager, host: &mut Host) -> Option<String> {
    let result = Virtual::new().run_losing(&mut pager.next(), |exchange, now| host.serve(&exchange, *now));
    match result {
        Ok(charge) => charge.map(|charge| charge.id().to_string()),
        Err(error) => Some(format!("{:?}", error.kind())),
    }
}

fn all(mut pager: Pager, host: &mut Host) -> Vec<String> {
    std::iter::from_fn(|| next(&mut pager, host)).take(10_000).collect()
}

fn ids(newest: u64, oldest: u64) -> Vec<String> {
    (oldest..=newest).rev().map(|n| format!("ch_{n}")).collect()
}

#[test]
fn empty_list_returns_no_charges() {
    let mut host = host(0);
    let mut pager = pager();
    assert_eq!(next(&mut pager, &mut host), None);
    assert_eq!(next(&mut pager, &mut host), None);
    assert_eq!(host.log, ["GET /api/v1/charges?page=0&size=30"], "the end is final");
}

#[test]
fn pages_are_requested_only_as_needed() {
    let mut host = host(70);
    let mut pager = pager();
    let first: Vec<_> = (0..30).map(|_| next(&mut pager, &mut host).unwrap()).collect();
    assert_eq!((first, host.log.len()), (ids(70, 41), 1));
    let rest: Vec<_> = std::iter::from_fn(|| next(&mut pager, &mut host)).collect();
    assert_eq!(rest, ids(40, 1));
    assert_eq!(host.log.last().unwrap(), "GET /api/v1/charges?page=3&size=30");
}

#[test]
fn short_first_page_sets_the_page_size() {
    let mut host = host(25);
    host.cap = 10;
    assert_eq!(all(pager().page_size(100), &mut host), ids(25, 1));
    let queries: Vec<_> = host.log.iter().map(|line| line.split_once('?').unwrap().1).collect();
    assert_eq!(queries, ["page=0&size=100", "page=1&size=10", "page=2&size=10", "page=3&size=10"]);
}

#[test]
fn paging_ends_on_a_host_that_ignores_the_page_number() {
    for rows in [1, 7, 30, 100] {
        let mut host = host(rows);
        host.ignores_paging = true;
        assert_eq!(all(pager(), &mut host), ids(rows, 1));
        // The pager repeats a few requests to tell such a host from a busy one.
        assert!(host.log.len() <= 8, "{:?}", host.log);
    }
}

#[test]
fn charges_shifted_by_new_rows_are_returned_once() {
    let mut host = host(70);
    let mut pager = pager();
    let mut seen: Vec<_> = (0..30).map(|_| next(&mut pager, &mut host).unwrap()).collect();
    for n in 0..10 {
        host.insert(START + n, &[]);
    }
    seen.extend(std::iter::from_fn(|| next(&mut pager, &mut host)));
    assert_eq!(seen, ids(70, 1));
}

#[test]
fn page_of_known_rows_does_not_end_the_list() {
    for made_meanwhile in [10, 20, 35] {
        let mut host = host(30);
        host.cap = 10;
        let mut pager = pager();
        let mut seen: Vec<_> = (0..10).map(|_| next(&mut pager, &mut host).unwrap()).collect();
        for n in 0..made_meanwhile {
            host.insert(START + n as u64, &[]);
        }
        seen.extend(std::iter::from_fn(|| next(&mut pager, &mut host)));
        // Charges created meanwhile may be returned as well; they are not checked here.
        seen.retain(|id| host.rows[made_meanwhile..].iter().any(|row| row["id"] == **id));
        assert_eq!(seen, ids(30, 1), "{made_meanwhile}");
    }
}

/// Reads the list from a host that creates this many charges before each page.
fn all_while_it_grows(mut pager: Pager, host: &mut Host, by: usize) -> Vec<String> {
    let mut returned = Vec::new();
    loop {
        assert!(returned.len() < 10_000, "no end");
        let result = Virtual::new().run(&mut pager.next(), |exchange, now| {
            for _ in 0..by {
                host.insert(START + host.rows.len() as u64, &[]);
            }
            host.serve(&exchange, *now).unwrap()
        });
        match result {
            Ok(Some(charge)) => returned.push(charge.id().to_string()),
            Ok(None) => return returned,
            Err(error) => {
                assert_eq!(error.advice(), strike_core::Advice::RetryLater);
                assert_eq!(error.kind().pystrike_name(), None);
                returned.push(format!("{:?}", error.kind()));
            }
        }
    }
}

#[test]
fn list_that_grows_faster_than_it_is_read_is_incomplete() {
    // The host creates one page or more of charges between two pages.
    for by in [30, 35, 45, 60] {
        let mut host = host(200);
        let returned = all_while_it_grows(pager(), &mut host, by);
        assert_eq!(returned.iter().filter(|word| *word == "Incomplete").count(), 1, "{by}");
        assert_eq!(returned.last().unwrap(), "Incomplete", "{by}: {} rows", returned.len());
        assert!(host.log.len() <= 110, "{by}: {}", host.log.len());
    }
    // A list that grows more slowly than it is read is returned completely.
    for by in [0, 1, 10, 29] {
        let returned = all_while_it_grows(pager(), &mut host(200), by);
        for id in ids(200, 1) {
            assert!(returned.contains(&id), "{by}: {id} is missing");
        }
        assert!(!returned.contains(&"Incomplete".to_owned()), "{by}");
    }
    // Reaching the limit first is not an error.
    assert_eq!(all_while_it_grows(pager().limit(30), &mut host(200), 30).len(), 30);
}

#[test]
fn charge_beyond_the_pager_memory_is_not_returned_twice() {
    let mut host = host(25_000);
    host.cap = 2000;
    let mut pager = pager().page_size(2000);
    let mut returned: Vec<_> = (0..22_500).map(|_| next(&mut pager, &mut host).unwrap()).collect();
    // The next page starts with the oldest charges that the pager no longer remembers.
    for n in 0..23_000 {
        host.insert(START + n, &[]);
    }
    returned.extend(std::iter::from_fn(|| next(&mut pager, &mut host)));
    assert_eq!(returned.pop().as_deref(), Some("Incomplete"));
    assert_eq!(returned, ids(25_000, 1)[..returned.len()]);
}

#[test]
fn shrinking_list_ends() {
    for left in [0, 1, 35, 60] {
        let mut host = host(100);
        let mut pager = pager();
        let mut returned: Vec<_> = (0..30).map(|_| next(&mut pager, &mut host).unwrap()).collect();
        host.rows.drain(..100 - left);
        returned.extend(std::iter::from_fn(|| next(&mut pager, &mut host)));
        assert!(returned.iter().all(|id| id.starts_with("ch_")), "{returned:?}");
        assert_eq!(host.log.len(), 2 + left.saturating_sub(1) / 30, "{left}");
    }
}

#[test]
fn list_in_another_order_is_read_to_the_end() {
    let mut host = host(400);
    host.cap = 2;
    host.rows.reverse();
    let mut returned = all(pager(), &mut host);
    returned.reverse();
    assert_eq!(returned, ids(400, 1));
}

#[test]
fn repeated_rows_without_ids_end_the_list_with_an_error() {
    for (pages, whole) in [(5, true), (6, true), (7, false), (20, false)] {
        let mut host = host(4 + 2 * pages);
        host.cap = 2;
        let last = host.rows.len() - 2;
        host.rows[2..last].fill(json!(null));
        let returned = all(pager(), &mut host);
        let end = if whole { "ch_1" } else { "Incomplete" };
        assert_eq!(returned.last().unwrap(), end, "{pages}");
        assert!(host.log.len() < 12, "{pages}: {}", host.log.len());
    }
}

#[test]
fn limit_counts_charges() {
    let mut host = host(70);
    host.rows[1]["paid"] = json!("yes");
    let returned = all(pager().limit(3), &mut host);
    assert_eq!(returned, ["ch_70", "Undecodable", "ch_68", "ch_67"]);
    assert_eq!(host.log.len(), 1);
    assert!(all(pager().limit(0), &mut host).is_empty());
    assert_eq!(host.log.len(), 1);
}

#[test]
fn unreadable_row_is_an_error_and_later_rows_follow() {
    let mut host = host(5);
    host.cap = 2;
    host.rows[1] = json!("not a charge");
    host.rows[2] = json!({"id": "ch_3", "paid": "perhaps"});
    let mut pager = pager();
    assert_eq!(next(&mut pager, &mut host).as_deref(), Some("ch_5"));
    let error = Virtual::new().run(&mut pager.next(), |_, _| panic!()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Undecodable);
    assert!(error.to_string().contains("without a readable id"), "{error}");
    let error = Virtual::new()
        .run_losing(&mut pager.next(), |exchange, now| host.serve(&exchange, *now))
        .unwrap_err();
    assert!(error.to_string().contains("row ch_3"), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "the error has no source");
    let rest: Vec<_> = std::iter::from_fn(|| next(&mut pager, &mut host)).collect();
    assert_eq!(rest, ["ch_2", "ch_1"]);
}

#[test]
fn page_of_unreadable_rows_does_not_end_the_list() {
    let mut host = host(6);
    host.cap = 2;
    host.rows[2] = json!(null);
    host.rows[3] = json!(null);
    assert_eq!(all(pager(), &mut host), ["ch_6", "ch_5", "Undecodable", "Undecodable", "ch_2", "ch_1"]);
}

#[test]
fn failed_page_ends_the_list() {
    let mut host = host(50);
    let mut pager = pager();
    for _ in 0..30 {
        next(&mut pager, &mut host).unwrap();
    }
    host.lists = [Fault::Before(401)].into();
    assert_eq!(next(&mut pager, &mut host).as_deref(), Some("Unauthorized"));
    assert_eq!(next(&mut pager, &mut host), None);
    assert_eq!(host.log.len(), 2);
}

#[test]
fn transient_page_failures_are_retried() {
    let mut host = host(50);
    host.lists = [Fault::ReplyLost, Fault::Fine, Fault::SilentBefore, Fault::Before(500), Fault::Fine].into();
    assert_eq!(all(pager(), &mut host), ids(50, 1));
}

#[test]
fn dropped_next_loses_no_charge() {
    let mut host = host(40);
    let mut pager = pager();
    let mut world = Virtual::new();
    let mut seen = Vec::new();
    // Each machine is dropped after one step. The next machine handles the reply.
    for _ in 0..1000 {
        match pager.next().poll(world.now) {
            Step::Send(exchange) => {
                let reply = host.serve(&exchange, world.now).unwrap();
                pager.next().handle(reply, world.now);
            }
            Step::Wait(wait) => world.advance(wait),
            Step::Done(Ok(Some(charge))) => seen.push(charge.id().to_string()),
            Step::Done(result) => {
                assert!(result.unwrap().is_none());
                break;
            }
        }
    }
    assert_eq!(seen, ids(40, 1));
}

#[test]
fn finished_next_returns_a_finished_error() {
    let mut host = host(3);
    let mut pager = pager();
    let mut world = Virtual::new();
    let mut machine = pager.next();
    let first = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now)).unwrap().unwrap();
    assert_eq!(first.id().as_str(), "ch_3");
    let Step::Done(Err(error)) = machine.poll(world.now) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    assert_eq!(next(&mut pager, &mut host).as_deref(), Some("ch_2"), "a charge was skipped");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any number of charges may be created between two pages, but not repeatedly: after a burst of
    /// a page or more, the next burst is smaller than a page. Otherwise a busy host looks like one
    /// that ignores the page number.
    #[test]
    fn every_charge_is_returned_once_while_the_list_grows(
        rows in 0_u64..80,
        cap in 1_usize..20,
        wanted in 1_u32..30,
        bursts in proptest::collection::vec(0_usize..300, 0..12),
    ) {
        let mut host = host(rows);
        host.cap = cap;
        // The length of the first page is the page size.
        let size = cap.min(wanted as usize).min(usize::try_from(rows).unwrap()).max(1);
        let mut pager = pager().page_size(wanted);
        let mut seen = Vec::new();
        let mut bursts = bursts.into_iter();
        let mut flood = false;
        let mut pages = 0;
        loop {
            prop_assert!(pages < 200, "no end");
            let before = host.log.len();
            let Some(id) = next(&mut pager, &mut host) else { break };
            seen.push(id);
            if host.log.len() > before {
                pages += 1;
                // A burst is at most three pages.
                let burst = bursts.next().unwrap_or(0) * size / 100;
                let burst = if flood { burst % size } else { burst };
                flood = burst >= size;
                for n in 0..burst {
                    host.insert(START + n as u64, &[]);
                }
            }
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        prop_assert_eq!(distinct.len(), seen.len(), "a charge was returned twice");
        for id in ids(rows, 1) {
            prop_assert!(distinct.contains(&id), "{} is missing", id);
        }
    }
}
