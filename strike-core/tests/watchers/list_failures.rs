//! Tests that payments are reported if only lists fail, or only gets of single charges.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use strike_core::machine::{Machine, Step};
use strike_core::{CoreClient, Delivery, Reply, RetryPolicy, TransportErrorKind};

use super::{describe, insert, is_page, limited, next, next_with, seconds, watcher};
use crate::support;
use crate::support::host::Host;
use crate::support::{START, Virtual, endpoint, no_response, respond};

type Failure = (&'static str, Box<dyn Fn() -> Reply>);

/// Returns every kind of failure of a list or a get.
fn failures() -> Vec<Failure> {
    use TransportErrorKind as Kind;
    let mut failures: Vec<Failure> = vec![
        ("HTML", Box::new(|| respond(200, "<html>back soon</html>"))),
        ("nothing", Box::new(|| respond(200, ""))),
        ("no content", Box::new(|| respond(204, ""))),
        ("a number", Box::new(|| respond(200, "7"))),
        ("null", Box::new(|| respond(200, "null"))),
        ("an object", Box::new(|| respond(200, r#"{"charges":[]}"#))),
        ("cut JSON", Box::new(|| respond(200, "[{"))),
        ("an array of junk", Box::new(|| respond(200, "[1,null,\"x\",[],{}]"))),
        ("rows without fields", Box::new(|| respond(200, r#"[{"id":"ch_1"},{"id":"ch_2"}]"#))),
        ("an error with 200", Box::new(|| respond(200, r#"{"code":500,"message":"x"}"#))),
        ("too large", Box::new(|| respond(200, vec![b' '; 200_000]))),
        ("a proxy's 404", Box::new(|| respond(404, "<html>nginx</html>"))),
        ("429", Box::new(|| respond(429, ""))),
        ("429, seconds", Box::new(|| limited(429, "7"))),
        ("503, seconds", Box::new(|| limited(503, "7"))),
        ("closed", Box::new(|| no_response(Kind::Closed, Delivery::MaybeSent))),
        ("cut", Box::new(|| no_response(Kind::Cut, Delivery::MaybeSent))),
        ("timeout", Box::new(|| no_response(Kind::Timeout, Delivery::MaybeSent))),
        ("protocol", Box::new(|| no_response(Kind::Protocol, Delivery::MaybeSent))),
        ("refused", Box::new(|| no_response(Kind::ConnectionRefused, Delivery::Unsent))),
        ("TLS", Box::new(|| no_response(Kind::Tls, Delivery::Unsent))),
    ];
    for status in [301, 302, 307, 400, 401, 403, 405, 408, 410, 500, 502, 503] {
        failures.push(("a status", Box::new(move || respond(status, ""))));
    }
    failures
}

#[test]
fn payments_are_reported_if_only_the_list_fails() {
    let unknown_list = || respond(404, r#"{"code":404,"message":"not found"}"#);
    let mut failures = failures();
    failures.push(("404", Box::new(unknown_list)));
    for (name, fails) in failures {
        for policy in [RetryPolicy::never(), RetryPolicy::default()] {
            let (mut host, mut world) = (Host::new(), Virtual::new());
            let mut watched = CoreClient::new(endpoint(), policy.max_body(100_000), 1).watcher();
            for _ in 0..7 {
                watched.add(&insert(&mut host, 100_000));
            }
            let (mut paid, mut reported, mut sent) = (BTreeMap::new(), 0, Vec::new());
            while paid.len() < 7 && world.now.monotonic < seconds(600) {
                let event = next_with(&mut watched, &mut world, |exchange, now| {
                    sent.push((is_page(&exchange), now.monotonic));
                    // Every ten seconds one more charge is paid.
                    let payers = now.monotonic.as_secs() / 10;
                    (1..=payers.min(7)).for_each(|n| host.pay(&format!("ch_{n}"), START));
                    if is_page(&exchange) { fails() } else { host.serve(&exchange, *now).unwrap() }
                });
                match event.strip_suffix(" paid") {
                    Some(id) => assert_eq!(paid.insert(id.to_owned(), world.now.monotonic), None),
                    None => {
                        assert!(!event.contains(' ') || event.contains('{'), "{name}: {event}");
                        reported += 1;
                    }
                }
            }
            assert_eq!(paid.len(), 7, "{name}");
            for n in 1..=7 {
                let late = paid[&format!("ch_{n}")] - seconds(10 * n);
                assert!(late <= seconds(45), "{name}: ch_{n} was reported after {late:?}");
            }
            let pages: Vec<_> = sent.iter().filter(|(page, _)| *page).map(|(_, at)| *at).collect();
            assert!((2..=40).contains(&pages.len()), "{name}: {} pages", pages.len());
            assert!(reported <= 2, "{name}: reported {reported} times");
        }
    }
}

#[test]
fn list_failure_is_reported_and_recovers() {
    for (status, body, kind) in [(500, "", "Server"), (200, "[1, {}]", "Undecodable")] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..5 {
            watched.add(&insert(&mut host, 1_000_000));
        }
        let mut pages = Vec::new();
        let event = next_with(&mut watched, &mut world, |exchange, now| {
            if is_page(&exchange) {
                pages.push(now.monotonic);
                return respond(status, body);
            }
            host.serve(&exchange, *now).unwrap()
        });
        assert_eq!((event.as_str(), pages.len(), watched.len()), (kind, 11, 5));
        let gaps: Vec<_> = pages.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[0] >= Duration::from_millis(1800), "{gaps:?}");
        assert!(gaps[4] > gaps[2] && gaps[2] > gaps[0], "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= seconds(200)), "{gaps:?}");
        // After the list recovers, pages are used again and the failure count is reset.
        let mut pages = 0;
        while pages < 5 {
            match watched.next().poll(world.now) {
                Step::Send(exchange) => {
                    pages += u32::from(is_page(&exchange));
                    watched.next().handle(host.serve(&exchange, world.now).unwrap(), world.now);
                }
                Step::Wait(wait) => world.advance(wait),
                Step::Done(result) => panic!("{}", describe(result)),
            }
        }
    }
}

#[test]
fn payments_are_reported_if_only_single_gets_fail() {
    for charges in [1, 5] {
        for (name, fails) in failures() {
            let (mut host, mut world) = (Host::new(), Virtual::new());
            let mut watched =
                CoreClient::new(endpoint(), RetryPolicy::never().max_body(100_000), 1).watcher();
            for _ in 0..charges {
                watched.add(&insert(&mut host, 100_000));
            }
            let mut paid = 0;
            while paid < charges && world.now.monotonic < seconds(900) {
                let event = next_with(&mut watched, &mut world, |exchange, now| {
                    let payers = now.monotonic.as_secs() / 10;
                    (1..=payers.min(charges)).for_each(|n| host.pay(&format!("ch_{n}"), START));
                    if is_page(&exchange) { host.serve(&exchange, *now).unwrap() } else { fails() }
                });
                paid += u64::from(event.ends_with(" paid"));
                assert!(!event.contains("failed"), "{name}: {event}");
            }
            assert_eq!(paid, charges, "{name}");
        }
    }
}

#[test]
fn html_for_every_request_does_not_fail_charges() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    for charges in [1, 5] {
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 1_000_000));
        }
        for reported in 1..=3 {
            let event = next_with(&mut watched, &mut world, |_, _| respond(200, "<html>back soon</html>"));
            assert_eq!((event.as_str(), watched.len()), ("Undecodable", charges), "{reported}");
        }
        host.rows.iter_mut().for_each(|row| row["paid"] = json!(true));
        for _ in 0..charges {
            assert!(next(&mut watched, &mut world, &mut host).ends_with(" paid"));
        }
    }
}

#[test]
fn payments_are_reported_if_the_list_shows_other_charges() {
    // The list is empty, shows other charges, or never changes.
    for kind in 0..4 {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..5 {
            watched.add(&insert(&mut host, 600));
        }
        let frozen = serde_json::to_string(&host.rows).unwrap();
        let other =
            |created: u64| support::charge_json(&[("id", json!("other")), ("created", json!(created))]);
        let list = match kind {
            0 => "[]".to_owned(),
            1 => json!([other(START + 1_000_000)]).to_string(),
            2 => json!([other(1)]).to_string(),
            _ => frozen,
        };
        let mut events = Vec::new();
        while !watched.is_empty() {
            events.push(next_with(&mut watched, &mut world, |exchange, now| {
                if now.monotonic > seconds(30) {
                    (1..=5).for_each(|n| host.pay(&format!("ch_{n}"), START));
                }
                if is_page(&exchange) {
                    respond(200, list.clone())
                } else {
                    host.serve(&exchange, *now).unwrap()
                }
            }));
        }
        events.sort();
        assert_eq!(events, ["ch_1 paid", "ch_2 paid", "ch_3 paid", "ch_4 paid", "ch_5 paid"], "{kind}");
        assert!(world.now.monotonic <= seconds(800), "{kind}: {:?}", world.now.monotonic);
    }
}
