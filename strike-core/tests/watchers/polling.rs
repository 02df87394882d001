//! Tests of when charges are polled, one by one or by pages of the list.

use std::time::Duration;

use serde_json::json;
use strike_core::machine::{Machine, Step};
use strike_core::{CoreClient, RetryPolicy, Schedule, Watcher};

use super::{host_paid, insert, is_page, next, next_with, seconds, times, watcher};
use crate::support;
use crate::support::host::Host;
use crate::support::{START, Virtual, endpoint, ok, respond};

#[test]
fn every_charge_is_polled_even_if_thousands_are_due() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher().schedule(Schedule::every(seconds(1)));
    for _ in 0..6000 {
        watched.add(&insert(&mut host, 1_000_000));
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100_000 {
        match watched.next().poll(world.now) {
            Step::Send(exchange) if is_page(&exchange) => watched.next().handle(respond(500, ""), world.now),
            Step::Send(exchange) => {
                let id = exchange.request.uri().path().rsplit('/').next().unwrap().to_owned();
                let row = ok(&support::charge_json(&[
                    ("id", json!(id)),
                    (
                        "payment_hash",
                        host.rows[6000 - id[3..].parse::<usize>().unwrap()]["payment_hash"].clone(),
                    ),
                    ("payment_request", host.rows[0]["payment_request"].clone()),
                ]));
                seen.insert(id);
                watched.next().handle(row, world.now);
            }
            Step::Wait(wait) => world.advance(wait),
            Step::Done(_) => {}
        }
        if seen.len() == 6000 {
            return;
        }
    }
    panic!("only {} of 6000 charges were polled", seen.len());
}

#[test]
fn several_due_charges_are_polled_by_page() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut alone = watcher();
    alone.add(&insert(&mut host, 600));
    let mut polls = 0;
    let event = next_with(&mut alone, &mut world, |exchange, now| {
        polls += 1;
        if polls == 3 {
            host.rows.clear();
        }
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(event, "ch_1 failed: NotFound");
    assert_eq!(
        (host.sent("GET /api/v1/charges/"), host.log.len()),
        (3, 3),
        "a single charge is polled without the list"
    );

    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut many = watcher();
    for _ in 0..200 {
        many.add(&insert(&mut host, 600));
    }
    for n in 1..=200 {
        host.pay(&format!("ch_{n}"), START);
    }
    for _ in 0..200 {
        assert!(next(&mut many, &mut world, &mut host).ends_with(" paid"));
    }
    assert_eq!(host.log, ["GET /api/v1/charges?page=0&size=250"]);
}

/// Returns the path of each request. After this many, a 401 ends the run.
fn paths(watched: &mut Watcher, world: &mut Virtual, host: &mut Host, answered: usize) -> Vec<String> {
    let mut paths = Vec::new();
    let event = next_with(watched, world, |exchange, now| {
        let path = exchange.request.uri().path_and_query().unwrap().as_str();
        paths.push(path.trim_start_matches("/api/v1/charges").to_owned());
        if paths.len() > answered { respond(401, "") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(event, "Unauthorized");
    paths
}

#[test]
fn charges_due_within_an_eighth_of_the_interval_are_polled_early() {
    for (later, path) in [(125, "?page=0&size=250"), (126, "/ch_1")] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        watched.add(&insert(&mut host, 600));
        assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
        world.advance(Duration::from_millis(later));
        watched.add(&insert(&mut host, 600));
        assert_eq!(paths(&mut watched, &mut world, &mut host, 0), [path], "{later} ms");
    }
}

#[test]
fn charges_are_not_polled_before_their_due_time() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    assert_eq!(paths(&mut watched, &mut world, &mut host, 30), ["/ch_1"; 31]);
    // The first charge is now polled once a minute, the second after 1 s, 2.25 s, and so on.
    watched.add(&insert(&mut host, 100_000));
    // After the 401 the watcher also tries the list.
    let requests = paths(&mut watched, &mut world, &mut host, 4);
    assert!(requests.iter().all(|path| path != "/ch_1"), "{requests:?}");
}

#[test]
fn only_pages_with_unfinished_charges_are_requested() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.cap = 10;
    let mut watched = watcher();
    for _ in 0..40 {
        watched.add(&insert(&mut host, 6000));
    }
    for n in 11..=40 {
        host.pay(&format!("ch_{n}"), START);
    }
    for _ in 0..30 {
        assert!(next(&mut watched, &mut world, &mut host).ends_with(" paid"));
    }
    let pages = ["?page=0&size=250", "?page=1&size=10", "?page=2&size=10", "?page=3&size=10"];
    let log: Vec<_> = host.log.iter().map(|line| line.trim_start_matches("GET /api/v1/charges")).collect();
    assert_eq!(log, pages[..3]);
    // The remaining charges are on the last page.
    assert_eq!(paths(&mut watched, &mut world, &mut host, 2), [pages[3]; 3]);
}

#[test]
fn page_size_is_halved_if_a_page_is_too_large() {
    let mut host = Host::new();
    // This charge is not due yet, and too old to be on the first page.
    let late = insert(&mut host, 6000);
    for _ in 0..30 {
        insert(&mut host, 6000);
    }
    let charges: Vec<_> = (0..40).map(|_| insert(&mut host, 6000)).collect();
    let mut world = Virtual::new();
    let mut watched = CoreClient::new(endpoint(), RetryPolicy::never().max_body(10_000), 1).watcher();
    charges.iter().for_each(|charge| watched.add(charge));
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    world.advance(Duration::from_millis(900));
    watched.add(&late);
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    world.advance(Duration::from_millis(100));
    let Step::Send(page) = watched.next().poll(world.now) else { panic!() };
    // A hint during the request is not lost.
    watched.check_soon(charges[7].id());
    watched.next().handle(host.serve(&page, world.now).unwrap(), world.now);
    host.rows.iter_mut().for_each(|row| row["paid"] = json!(true));
    let mut events: Vec<_> = (0..41).map(|_| next(&mut watched, &mut world, &mut host)).collect();
    assert_eq!(events[0], format!("{} paid", charges[7].id()));
    events.sort();
    events.dedup();
    assert!(events.len() == 41 && events.iter().all(|event| event.ends_with(" paid")), "{events:?}");
    let sizes: Vec<_> = host.log.iter().filter_map(|line| line.split_once("page=0&size=")).collect();
    let sizes: Vec<_> = sizes.iter().map(|(_, size)| *size).collect();
    assert_eq!(sizes, ["250", "125", "62", "31", "15"], "{:?}", host.log);
}

#[test]
fn polling_interval_grows_from_a_second_to_a_minute() {
    let mut host = Host::new();
    let mut watched = watcher();
    let charge = insert(&mut host, 100_000);
    watched.add(&charge);
    let unpaid = ok(&host.rows[0]).unwrap();
    let paid = std::cell::Cell::new(0);
    let (times, events) = times(
        &mut watched,
        || {
            paid.set(paid.get() + 1);
            if paid.get() == 40 { host_paid(&charge) } else { Ok(unpaid.clone()) }
        },
        1,
    );
    assert_eq!(events, ["ch_1 paid"]);
    assert_eq!(times[0], seconds(1));
    let mut interval = 1000;
    for (n, pair) in times.windows(2).enumerate() {
        let gap = u64::try_from((pair[1] - pair[0]).as_millis()).unwrap();
        // The jitter is a tenth. Charges due within an eighth of the interval are polled early.
        assert!((interval * 7 / 10..=interval * 11 / 10 + 1).contains(&gap), "{n}: {gap} of {interval}");
        interval = (interval * 5 / 4).min(60_000);
    }
    assert_eq!(interval, 60_000);
}
