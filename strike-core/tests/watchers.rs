//! Each watched charge ends exactly once, and trouble only delays it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use http::Response;
use lightning_invoice::Currency;
use proptest::prelude::*;
use serde_json::json;
use strike_core::machine::{Machine, Step};
use strike_core::{
    Charge, ChargeId, CoreClient, Delivery, Error, Event, Exchange, Now, Reply, RetryPolicy, Schedule,
    TransportErrorKind, UnixMillis, Watcher, WatcherSnapshot,
};
use support::host::{Fault, Host};
use support::invoices::written;
use support::{Did, START, Virtual, answer, endpoint, no_answer, ok};

fn watcher() -> Watcher {
    CoreClient::new(endpoint(), RetryPolicy::never(), 1).watcher()
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// A charge of now, whose invoice was made 1 s ago and can be paid for that long.
fn insert(host: &mut Host, expiry: u64) -> Charge {
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(expiry));
    // Made one after the other, a second apart, the newest just now.
    let created = START + 1000 * u64::try_from(host.rows.len()).unwrap();
    let id = host.insert(created, &[("payment_request", json!(invoice))]);
    read(host, &id)
}

fn read(host: &Host, id: &str) -> Charge {
    let row = host.rows.iter().find(|row| row["id"] == id).unwrap();
    support::read_charge(row)
}

fn id(id: &str) -> ChargeId {
    id.parse().unwrap()
}

fn told(result: Result<Option<Event>, Error>) -> String {
    match result {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(Event::Paid(charge))) => {
            assert!(charge.is_paid());
            format!("{} paid", charge.id())
        }
        Ok(Some(Event::Expired(id))) => format!("{id} expired"),
        Ok(Some(Event::Failed(id, error))) => format!("{id} failed: {:?}", error.kind()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn next(watcher: &mut Watcher, world: &mut Virtual, host: &mut Host) -> String {
    told(world.run_losing(&mut watcher.next(), |exchange, now| host.serve(&exchange, *now)))
}

fn next_with(
    watcher: &mut Watcher,
    world: &mut Virtual,
    server: impl FnMut(Exchange, &mut Now) -> Reply,
) -> String {
    told(world.run(&mut watcher.next(), server))
}

#[test]
fn nothing_is_watched_and_nothing_asked() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    assert!(watcher.is_empty() && watcher.snapshot().is_empty());
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert!(world.log.is_empty());
}

#[test]
fn each_charge_ends_once() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    for expiry in [300, 600, 900, 1200] {
        watcher.add(&insert(&mut host, expiry));
    }
    let mut events = Vec::new();
    while !watcher.is_empty() {
        let result = world.run(&mut watcher.next(), |exchange, now| {
            if now.monotonic >= seconds(500) {
                host.pay("ch_2", START + 500_000);
            }
            if now.monotonic >= seconds(700) {
                host.rows.retain(|row| row["id"] != "ch_4");
            }
            host.serve(&exchange, *now).unwrap()
        });
        events.push((told(result), world.now.monotonic.as_secs()));
        assert_eq!(watcher.len() + events.len(), 4);
    }
    let words: Vec<_> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(words, ["ch_1 expired", "ch_2 paid", "ch_4 failed: NotFound", "ch_3 expired"]);
    // An interval of a minute, its jitter, and the grace of a minute.
    for ((event, at), begins) in events.iter().zip([359, 500, 700, 959]) {
        assert!((begins..=begins + 67).contains(at), "{event} at {at} s");
    }
    let asked = world.sends();
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert_eq!(world.sends(), asked);
}

#[test]
fn a_paid_charge_ends_without_a_request() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    let unpaid = insert(&mut host, 600);
    host.pay("ch_1", START);
    let paid = read(&host, "ch_1");
    watcher.add(&unpaid);
    watcher.add(&paid);
    watcher.add(&paid);
    assert_eq!(watcher.len(), 1);
    assert_eq!(next(&mut watcher, &mut world, &mut host), "ch_1 paid");
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert!(world.log.is_empty());
}

#[test]
fn an_add_twice_is_one() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    let charge = insert(&mut host, 600);
    watcher.add(&charge);
    watcher.add(&charge);
    let kept = watcher.snapshot();
    watcher.restore(kept.clone());
    assert_eq!((watcher.len(), kept.len()), (1, 1));
    host.pay("ch_1", START);
    assert_eq!(next(&mut watcher, &mut world, &mut host), "ch_1 paid");
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert_eq!(world.sends(), 1);
}

#[test]
fn the_servers_clock_says_what_has_expired() {
    // The host's clock is five minutes fast: the payer still has them.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(START + 360_000);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!(world.waited() >= Duration::from_secs(299), "{:?}", world.waited());

    // By both clocks the grace is over, though they differ by some seconds.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(START + 668_000);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert_eq!(world.sends(), 1);

    // By the server, the grace is over; by the local clock, it is 1970: the invoice's lifetime passes.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(0);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!((659..=720).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);

    // By the server, ten minutes are left; by the local clock, it is 2033.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!((659..=720).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);

    // The server does not tell: the local clock counts.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.dates = false;
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert_eq!(world.sends(), 1);

    // No clock goes on: then the time that passed does.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.dates = false;
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        now.unix = UnixMillis::from_millis(0);
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(event, "ch_1 expired");
    assert!((659..=730).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);
}

#[test]
fn a_payment_in_the_grace_or_during_an_outage_is_not_missed() {
    for (away, paid_at) in [(0..0, 650), (590..900, 600), (590..900, 655)] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher().schedule(Schedule::every(seconds(5))).max_failures(20);
        watched.add(&insert(&mut host, 600));
        let event = next_with(&mut watched, &mut world, |exchange, now| {
            let second = now.monotonic.as_secs();
            if second >= paid_at {
                host.pay("ch_1", START);
            }
            if away.contains(&second) { answer(503, "") } else { host.serve(&exchange, *now).unwrap() }
        });
        assert_eq!(event, "ch_1 paid", "{away:?} {paid_at}");
    }
}

/// When each request was sent, if all are answered like this.
fn times(watched: &mut Watcher, reply: impl Fn() -> Reply, events: usize) -> (Vec<Duration>, Vec<String>) {
    let mut world = Virtual::new();
    let mut times = Vec::new();
    let events = (0..events)
        .map(|_| {
            next_with(watched, &mut world, |_, now| {
                times.push(now.monotonic);
                reply()
            })
        })
        .collect();
    (times, events)
}

#[test]
fn trouble_is_passed_over_ten_times_and_then_told() {
    let mut host = Host::new();
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    let (times, events) = times(&mut watched, || answer(503, ""), 2);
    assert_eq!(events, ["Server", "Server"]);
    assert_eq!((times.len(), watched.len()), (22, 1), "ten are passed over each time, and nothing is lost");
    for (n, pair) in times[..11].windows(2).enumerate() {
        let least = seconds(1 << n).min(seconds(60));
        assert!(pair[1] - pair[0] >= least, "{n}: {pair:?}");
        assert!(pair[1] - pair[0] <= least.max(seconds(70)), "{n}: {pair:?}");
    }
    let (mut world, at) = (Virtual::new(), times[21]);
    world.advance(at);
    host.pay("ch_1", START);
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
}

#[test]
fn ten_failures_that_are_not_in_a_row_are_not_told() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    let mut asked = 0;
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        asked += 1;
        match asked {
            11 | 22 => host.serve(&exchange, *now).unwrap(),
            33 => {
                host.pay("ch_1", START);
                host.serve(&exchange, *now).unwrap()
            }
            _ => answer(500, ""),
        }
    });
    assert_eq!((event.as_str(), asked), ("ch_1 paid", 33));
}

#[test]
fn a_wrong_key_is_told_at_once_and_the_charges_stay() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.add(&insert(&mut host, 600));
    assert_eq!(next_with(&mut watched, &mut world, |_, _| answer(401, "")), "Unauthorized");
    assert_eq!((world.sends(), watched.len(), watched.snapshot().len()), (1, 2, 2));
    host.pay("ch_1", START);
    host.pay("ch_2", START);
    let mut events = [next(&mut watched, &mut world, &mut host), next(&mut watched, &mut world, &mut host)];
    events.sort();
    assert_eq!(events, ["ch_1 paid", "ch_2 paid"]);
}

fn limited(status: u16, retry_after: &str) -> Reply {
    Ok(Response::builder().status(status).header("retry-after", retry_after).body(Vec::new()).unwrap())
}

#[test]
fn a_limited_rate_is_kept() {
    for (charges, status) in [(1, 429), (3, 429), (1, 503), (3, 503)] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 6000));
        }
        let mut times = Vec::new();
        let event = next_with(&mut watched, &mut world, |exchange, now| {
            times.push(now.monotonic);
            host.pay("ch_1", START);
            if times.len() == 1 { limited(status, "45") } else { host.serve(&exchange, *now).unwrap() }
        });
        assert_eq!(event, "ch_1 paid");
        assert!(times[1] - times[0] >= seconds(45), "{times:?}");
    }
}

#[test]
fn an_absurd_retry_after_is_told_at_once_and_kept_for_a_minute() {
    for (charges, header) in [(1, "3600"), (3, "99999999999999999999"), (3, "Wed, 15 Nov 2023 22:13:21 GMT")]
    {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 6000));
        }
        host.pay("ch_1", START);
        let told = next_with(&mut watched, &mut world, |_, _| limited(429, header));
        assert!(told.starts_with("RateLimited"), "{told}");
        let at = world.now.monotonic;
        assert_eq!((world.sends(), watched.len()), (1, charges));
        assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
        assert!(world.now.monotonic - at <= seconds(61), "{header}: {:?}", world.now.monotonic - at);
    }
}

/// When a request for that charge is sent, if hints come every 10 ms for that long, and every reply is this one.
fn hinted(
    watched: &mut Watcher,
    world: &mut Virtual,
    id: &ChargeId,
    millis: u64,
    reply: &dyn Fn() -> Reply,
) -> Vec<u64> {
    let mut times = Vec::new();
    let until = world.now.monotonic + Duration::from_millis(millis);
    while world.now.monotonic < until {
        watched.check_soon(id);
        match watched.next().poll(world.now) {
            Step::Send(exchange) => {
                assert!(exchange.request.uri().path().ends_with(id.as_str()), "only the hinted one");
                times.push(u64::try_from(world.now.monotonic.as_millis()).unwrap());
                watched.next().handle(reply(), world.now);
            }
            Step::Wait(wait) => world.advance(wait.min(Duration::from_millis(10))),
            Step::Done(_) => {}
        }
    }
    times
}

#[test]
fn a_hint_breaks_a_rest_but_a_flood_of_them_does_not() {
    // The rest of the watch, and that of a call between two attempts.
    for policy in [RetryPolicy::never(), RetryPolicy::default()] {
        for retry_after in ["3600", "50"] {
            let (mut host, mut world) = (Host::new(), Virtual::new());
            let mut watched = CoreClient::new(endpoint(), policy, 1).watcher();
            for _ in 0..3 {
                watched.add(&insert(&mut host, 6000));
            }
            host.pay("ch_1", START);
            while world.sends() == 0 {
                match watched.next().poll(world.now) {
                    Step::Send(_) => {
                        world.log.push(Did::Send(String::new()));
                        watched.next().handle(limited(429, retry_after), world.now);
                    }
                    Step::Wait(wait) => world.advance(wait),
                    Step::Done(result) => panic!("{result:?}"),
                }
            }
            let began = u64::try_from(world.now.monotonic.as_millis()).unwrap();
            // Nobody hints: nothing is sent.
            for _ in 0..20 {
                match watched.next().poll(world.now) {
                    Step::Wait(wait) => {
                        world.advance(wait.min(Duration::from_millis(10)));
                    }
                    Step::Done(Err(_)) => {}
                    step => panic!("{step:?}"),
                }
            }
            let times = hinted(&mut watched, &mut world, &id("ch_1"), 5000, &|| limited(429, retry_after));
            assert!(times[0] <= began + 220, "{times:?} {began}");
            assert!((3..=6).contains(&times.len()), "{times:?}");
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1000), "{times:?}");
            // The host has come back.
            watched.check_soon(&id("ch_1"));
            let at = world.now.monotonic;
            let mut event = next(&mut watched, &mut world, &mut host);
            if event.starts_with("RateLimited") {
                event = next(&mut watched, &mut world, &mut host);
            }
            assert_eq!(event, "ch_1 paid");
            assert!(world.now.monotonic - at <= seconds(1), "{:?}", world.now.monotonic - at);
        }
    }
}

type Failure = (&'static str, Box<dyn Fn() -> Reply>);

/// Every way in which a list, or a get, can fail.
fn failures() -> Vec<Failure> {
    use TransportErrorKind as Kind;
    let mut failures: Vec<Failure> = vec![
        ("HTML", Box::new(|| answer(200, "<html>back soon</html>"))),
        ("nothing", Box::new(|| answer(200, ""))),
        ("no content", Box::new(|| answer(204, ""))),
        ("a number", Box::new(|| answer(200, "7"))),
        ("null", Box::new(|| answer(200, "null"))),
        ("an object", Box::new(|| answer(200, r#"{"charges":[]}"#))),
        ("cut JSON", Box::new(|| answer(200, "[{"))),
        ("an array of junk", Box::new(|| answer(200, "[1,null,\"x\",[],{}]"))),
        ("rows without fields", Box::new(|| answer(200, r#"[{"id":"ch_1"},{"id":"ch_2"}]"#))),
        ("an error with 200", Box::new(|| answer(200, r#"{"code":500,"message":"x"}"#))),
        ("too large", Box::new(|| answer(200, vec![b' '; 200_000]))),
        ("a proxy's 404", Box::new(|| answer(404, "<html>nginx</html>"))),
        ("429", Box::new(|| answer(429, ""))),
        ("429, seconds", Box::new(|| limited(429, "7"))),
        ("503, seconds", Box::new(|| limited(503, "7"))),
        ("closed", Box::new(|| no_answer(Kind::Closed, Delivery::MaybeSent))),
        ("cut", Box::new(|| no_answer(Kind::Cut, Delivery::MaybeSent))),
        ("timeout", Box::new(|| no_answer(Kind::Timeout, Delivery::MaybeSent))),
        ("protocol", Box::new(|| no_answer(Kind::Protocol, Delivery::MaybeSent))),
        ("refused", Box::new(|| no_answer(Kind::ConnectionRefused, Delivery::Unsent))),
        ("TLS", Box::new(|| no_answer(Kind::Tls, Delivery::Unsent))),
    ];
    for status in [301, 302, 307, 400, 401, 403, 405, 408, 410, 500, 502, 503] {
        failures.push(("a status", Box::new(move || answer(status, ""))));
    }
    failures
}

fn is_page(exchange: &Exchange) -> bool {
    exchange.request.uri().query().is_some()
}

#[test]
fn if_only_the_list_fails_every_paid_charge_is_told_all_the_same() {
    let unknown_list = || answer(404, r#"{"code":404,"message":"not found"}"#);
    let mut failures = failures();
    failures.push(("404", Box::new(unknown_list)));
    for (name, fails) in failures {
        for policy in [RetryPolicy::never(), RetryPolicy::default()] {
            let (mut host, mut world) = (Host::new(), Virtual::new());
            let mut watched = CoreClient::new(endpoint(), policy.max_body(100_000), 1).watcher();
            for _ in 0..7 {
                watched.add(&insert(&mut host, 100_000));
            }
            let (mut paid, mut told, mut sent) = (BTreeMap::new(), 0, Vec::new());
            while paid.len() < 7 && world.now.monotonic < seconds(600) {
                let event = next_with(&mut watched, &mut world, |exchange, now| {
                    sent.push((is_page(&exchange), now.monotonic));
                    // One more pays every ten seconds.
                    let payers = now.monotonic.as_secs() / 10;
                    (1..=payers.min(7)).for_each(|n| host.pay(&format!("ch_{n}"), START));
                    if is_page(&exchange) { fails() } else { host.serve(&exchange, *now).unwrap() }
                });
                match event.strip_suffix(" paid") {
                    Some(id) => assert_eq!(paid.insert(id.to_owned(), world.now.monotonic), None),
                    None => {
                        assert!(!event.contains(' ') || event.contains('{'), "{name}: {event}");
                        told += 1;
                    }
                }
            }
            assert_eq!(paid.len(), 7, "{name}");
            for n in 1..=7 {
                let late = paid[&format!("ch_{n}")] - seconds(10 * n);
                assert!(late <= seconds(45), "{name}: ch_{n} was told after {late:?}");
            }
            let pages: Vec<_> = sent.iter().filter(|(page, _)| *page).map(|(_, at)| *at).collect();
            assert!((2..=40).contains(&pages.len()), "{name}: {} pages", pages.len());
            assert!(told <= 2, "{name}: told {told} times");
        }
    }
}

#[test]
fn that_only_the_list_fails_is_told_and_passes() {
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
                return answer(status, body);
            }
            host.serve(&exchange, *now).unwrap()
        });
        assert_eq!((event.as_str(), pages.len(), watched.len()), (kind, 11, 5));
        let gaps: Vec<_> = pages.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[0] >= Duration::from_millis(1800), "{gaps:?}");
        assert!(gaps[4] > gaps[2] && gaps[2] > gaps[0], "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= seconds(200)), "{gaps:?}");
        // It works again: then pages are used again, and what was counted is forgotten.
        let mut pages = 0;
        while pages < 5 {
            match watched.next().poll(world.now) {
                Step::Send(exchange) => {
                    pages += u32::from(is_page(&exchange));
                    watched.next().handle(host.serve(&exchange, world.now).unwrap(), world.now);
                }
                Step::Wait(wait) => world.advance(wait),
                Step::Done(result) => panic!("{}", told(result)),
            }
        }
    }
}

#[test]
fn if_only_gets_fail_every_paid_charge_is_told_all_the_same() {
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
fn a_page_for_everything_does_not_make_charges_fail() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    for charges in [1, 5] {
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 1_000_000));
        }
        for told in 1..=3 {
            let event = next_with(&mut watched, &mut world, |_, _| answer(200, "<html>back soon</html>"));
            assert_eq!((event.as_str(), watched.len()), ("Undecodable", charges), "{told}");
        }
        host.rows.iter_mut().for_each(|row| row["paid"] = json!(true));
        for _ in 0..charges {
            assert!(next(&mut watched, &mut world, &mut host).ends_with(" paid"));
        }
    }
}

#[test]
fn a_list_that_shows_something_else_hides_no_payment() {
    // Empty, other charges, or what it showed once.
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
                    answer(200, list.clone())
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

#[test]
fn every_charge_has_its_turn_however_many_are_due() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher().schedule(Schedule::every(seconds(1)));
    for _ in 0..6000 {
        watched.add(&insert(&mut host, 1_000_000));
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100_000 {
        match watched.next().poll(world.now) {
            Step::Send(exchange) if is_page(&exchange) => watched.next().handle(answer(500, ""), world.now),
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
    panic!("{} of 6000 had a turn", seen.len());
}

#[test]
fn one_wrong_date_ends_no_watch() {
    for date in ["Tue, 14 Nov 2023 23:13:21 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        for charges in [1, 3] {
            for wrong in [1, 2, usize::MAX] {
                let (mut host, mut world) = (Host::new(), Virtual::new());
                let mut watched = watcher().grace(seconds(0));
                for _ in 0..charges {
                    watched.add(&insert(&mut host, 300));
                }
                let mut asked = 0;
                let event = next_with(&mut watched, &mut world, |exchange, now| {
                    if now.monotonic > seconds(100) {
                        host.pay("ch_1", START);
                    }
                    asked += 1;
                    let mut answer = host.serve(&exchange, *now).unwrap().unwrap();
                    if asked <= wrong {
                        answer.headers_mut().insert("date", date.parse().unwrap());
                    }
                    Ok(answer)
                });
                assert_eq!(event, "ch_1 paid", "{date} {charges} {wrong}");
            }
        }
    }
}

#[test]
fn a_hint_looks_next() {
    let (mut host, world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    for _ in 0..3 {
        watched.add(&insert(&mut host, 600));
    }
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)), "nothing is due yet");
    watched.check_soon(&id("ch_99"));
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)), "nobody watches that");
    watched.check_soon(&id("ch_2"));
    let Step::Send(exchange) = watched.next().poll(world.now) else { panic!() };
    assert_eq!(exchange.request.uri().path(), "/api/v1/charges/ch_2");
    host.pay("ch_2", START);
    watched.next().handle(host.serve(&exchange, world.now).unwrap(), world.now);
    assert!(
        matches!(watched.next().poll(world.now), Step::Done(Ok(Some(Event::Paid(charge)))) if *charge.id() == id("ch_2"))
    );
}

#[test]
fn charges_come_and_go_while_it_runs() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.check_soon(&id("ch_1"));
    let Step::Send(exchange) = watched.next().poll(world.now) else { panic!() };
    // While that is under way, one goes and one comes.
    assert!(watched.remove(&id("ch_1")));
    assert!(!watched.remove(&id("ch_1")));
    watched.add(&insert(&mut host, 600));
    host.pay("ch_1", START);
    watched.next().handle(host.serve(&exchange, world.now).unwrap(), world.now);
    let result = world.run(&mut watched.next(), |exchange, now| {
        host.pay("ch_2", START);
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(told(result), "ch_2 paid");
    // One that was added and removed before any poll was never there; one may come back.
    let third = insert(&mut host, 600);
    watched.add(&third);
    assert!(watched.remove(third.id()));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");
    watched.add(&third);
    host.pay("ch_3", START);
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_3 paid");
}

#[test]
fn a_removed_charge_has_no_event_even_if_its_end_is_known() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges = [insert(&mut host, 600), insert(&mut host, 600)];
    for charge in &charges {
        watched.add(charge);
        host.pay(charge.id().as_str(), START);
    }
    // One page tells about both.
    let first = next(&mut watched, &mut world, &mut host);
    let other = if first == "ch_1 paid" { 1 } else { 0 };
    assert!(watched.remove(charges[other].id()));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");

    // What came of it before says nothing about a new watch.
    host.rows[0]["paid"] = json!(false);
    host.rows[1]["paid"] = json!(false);
    let mut watched = watcher();
    for charge in &charges {
        watched.add(charge);
    }
    let mut world = Virtual::new();
    world.advance(seconds(700));
    watched.restore(WatcherSnapshot::default());
    let first = next(&mut watched, &mut world, &mut host);
    let other = if first == "ch_1 expired" { 1 } else { 0 };
    assert!(watched.remove(charges[other].id()));
    host.pay(charges[other].id().as_str(), START);
    watched.add(&read(&host, charges[other].id().as_str()));
    assert_eq!(next(&mut watched, &mut world, &mut host), format!("{} paid", charges[other].id()));
}

#[test]
fn news_of_a_payment_outranks_an_expiry_that_was_not_told_yet() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges = [insert(&mut host, 600), insert(&mut host, 600)];
    charges.iter().for_each(|charge| watched.add(charge));
    world.advance(seconds(700));
    // One page tells about both.
    let first = next(&mut watched, &mut world, &mut host);
    let other = charges[usize::from(first == "ch_1 expired")].id().as_str();
    host.pay(other, START);
    watched.add(&read(&host, other));
    assert_eq!(next(&mut watched, &mut world, &mut host), format!("{other} paid"));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");
}

#[test]
fn a_charge_that_has_become_another_fails() {
    for (field, other) in [
        ("payment_hash", json!("cd".repeat(32))),
        ("payment_request", json!("lntb1another")),
        ("amount", json!(1)),
        ("amount_satoshi", json!(1)),
        ("description", json!("a house")),
    ] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        let charges = [insert(&mut host, 600), insert(&mut host, 600)];
        charges.iter().for_each(|charge| watched.add(charge));
        // Paid, but for something else: by its page, and over a restart.
        let id = charges[1].id().as_str();
        host.pay(id, START);
        host.rows.iter_mut().find(|row| row["id"] == *id).unwrap()[field] = other;
        let mut restored = watcher();
        restored.restore(serde_json::from_value(serde_json::to_value(watched.snapshot()).unwrap()).unwrap());
        for mut watched in [watched, restored] {
            let event = watched_event(&mut watched, &mut world, &mut host);
            let Event::Failed(failed, error) = event else { panic!("{event:?}") };
            assert_eq!(failed.as_str(), id);
            assert!(matches!(error.kind(), strike_core::ErrorKind::Mismatch(_)), "{error}");
        }
    }
}

fn watched_event(watched: &mut Watcher, world: &mut Virtual, host: &mut Host) -> Event {
    world.run(&mut watched.next(), |exchange, now| host.serve(&exchange, *now).unwrap()).unwrap().unwrap()
}

#[test]
fn a_proxys_404_does_not_end_a_charge() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charge = insert(&mut host, 600);
    watched.add(&charge);
    host.pay(charge.id().as_str(), START);
    let mut proxy = 3;
    let seen = next_with(&mut watched, &mut world, |exchange, now| {
        proxy -= 1;
        if proxy > 0 { answer(404, "<html>nginx</html>") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(seen, "ch_1 paid");
}

#[test]
fn a_proxys_404_to_a_page_is_passed_over_like_one_to_a_charge() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges: Vec<_> = (0..3).map(|_| insert(&mut host, 600)).collect();
    charges.iter().for_each(|charge| watched.add(charge));
    host.pay(charges[0].id().as_str(), START);
    let mut proxy = 3;
    let seen = next_with(&mut watched, &mut world, |exchange, now| {
        proxy -= 1;
        if proxy > 0 { answer(404, "<html>nginx</html>") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(seen, "ch_1 paid");
    assert!(host.log.iter().any(|line| line.contains("page=")), "{:?}", host.log);
}

#[test]
fn a_schedule_without_an_end_still_takes_hints() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher().schedule(Schedule::every(Duration::MAX));
    let charge = insert(&mut host, 600);
    watched.add(&charge);
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    host.pay(charge.id().as_str(), START);
    watched.check_soon(charge.id());
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
    assert_eq!(world.waited(), Duration::ZERO);
}

#[test]
fn a_restart_misses_nothing() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    for _ in 0..3 {
        watched.add(&insert(&mut host, 600));
    }
    for id in ["ch_1", "ch_2", "ch_3"] {
        host.pay(id, START);
    }
    let first = next(&mut watched, &mut world, &mut host);
    assert_eq!(world.sends(), 1, "all three are known now, and one was told");
    // Kept as text, and back again, while a request may be under way.
    let kept = serde_json::to_string(&watched.snapshot()).unwrap();
    let state: WatcherSnapshot = serde_json::from_str(&kept).unwrap();
    assert!(!state.is_empty());
    assert_eq!((state.len(), &state), (2, &watched.snapshot()));
    let mut restarted = watcher();
    restarted.restore(state);
    let mut events =
        vec![first, next(&mut restarted, &mut world, &mut host), next(&mut restarted, &mut world, &mut host)];
    events.sort();
    assert_eq!(events, ["ch_1 paid", "ch_2 paid", "ch_3 paid"]);
    assert_eq!(next(&mut restarted, &mut world, &mut host), "nothing");
}

#[test]
fn a_charge_that_was_added_paid_survives_a_restart() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    insert(&mut host, 600);
    host.pay("ch_1", START);
    let mut watched = watcher();
    watched.add(&read(&host, "ch_1"));
    let mut restarted = watcher();
    restarted.restore(watched.snapshot());
    assert_eq!(next(&mut restarted, &mut world, &mut host), "ch_1 paid");
}

#[test]
fn an_unreadable_record_fails_after_ten_looks() {
    for others in [1, 3] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..=others {
            watched.add(&insert(&mut host, 600_000));
        }
        host.rows[0]["amount"] = json!("a lot");
        let bad = host.rows[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(next(&mut watched, &mut world, &mut host), format!("{bad} failed: Undecodable"));
        let looks =
            world.log.iter().filter(|did| matches!(did, Did::Send(line) if line.ends_with(&bad))).count();
        assert_eq!((looks, watched.len()), (11, others), "ten were passed over");
    }
    // Alone, nobody knows whether it is the record or the host: that is told, and it stays.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600_000));
    host.rows[0]["amount"] = json!("a lot");
    assert_eq!(next(&mut watched, &mut world, &mut host), "Undecodable");
    assert_eq!(watched.len(), 1);
    // Readable in between: then the count begins anew.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600_000));
    let mut asked = 0;
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        asked += 1;
        match asked {
            11 => host.serve(&exchange, *now).unwrap(),
            22 => {
                host.pay("ch_1", START);
                host.serve(&exchange, *now).unwrap()
            }
            _ => answer(200, "<html>back soon</html>"),
        }
    });
    assert_eq!(event, "ch_1 paid");
}

#[test]
fn an_unknown_charge_fails_at_once() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    host.rows.clear();
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 failed: NotFound");
    assert_eq!(world.sends(), 1);
}

#[test]
fn what_is_wrong_with_one_charge_does_not_hold_up_another() {
    for (removed, reply) in [
        (false, answer(200, "<html>back soon</html>")),
        (true, answer(200, "<html>back soon</html>")),
        (true, answer(404, r#"{"code":404,"message":"not found"}"#)),
    ] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        watched.add(&insert(&mut host, 600));
        watched.add(&insert(&mut host, 600));
        watched.check_soon(&id("ch_1"));
        let Step::Send(_) = watched.next().poll(world.now) else { panic!() };
        assert!(!removed || watched.remove(&id("ch_1")));
        watched.next().handle(reply, world.now);
        watched.check_soon(&id("ch_2"));
        host.pay("ch_2", START);
        assert_eq!(next(&mut watched, &mut world, &mut host), "ch_2 paid");
        assert_eq!(world.waited(), Duration::from_millis(20), "the usual pace");
    }
}

#[test]
fn what_is_kept_is_read_by_later_versions() {
    let mut watched = watcher();
    watched.add(&support::charge(&[]));
    // The digest is the first four bytes of the SHA-256 of hash, amounts and texts; the invoice has no end to be read.
    let kept = json!({
        "id": "ch_1", "created": 1_700_000_000_000_u64, "until": 1_700_604_860_000_u64, "digest": 3_876_468_656_u32
    });
    assert_eq!(serde_json::to_value(watched.snapshot()).unwrap(), json!({ "version": 1, "pending": [kept] }));
}

#[test]
fn a_page_is_read_where_two_are_due() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut alone = watcher();
    alone.add(&insert(&mut host, 600));
    let mut looks = 0;
    let event = next_with(&mut alone, &mut world, |exchange, now| {
        looks += 1;
        if looks == 3 {
            host.rows.clear();
        }
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(event, "ch_1 failed: NotFound");
    assert_eq!((host.sent("GET /api/v1/charges/"), host.log.len()), (3, 3), "one alone is read alone");

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

/// The path of each request until that many were answered; a wrong key ends it.
fn paths(watched: &mut Watcher, world: &mut Virtual, host: &mut Host, answered: usize) -> Vec<String> {
    let mut paths = Vec::new();
    let event = next_with(watched, world, |exchange, now| {
        let path = exchange.request.uri().path_and_query().unwrap().as_str();
        paths.push(path.trim_start_matches("/api/v1/charges").to_owned());
        if paths.len() > answered { answer(401, "") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(event, "Unauthorized");
    paths
}

#[test]
fn what_is_due_within_an_eighth_of_its_interval_is_taken_along() {
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
fn what_is_not_due_is_not_asked_about() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    assert_eq!(paths(&mut watched, &mut world, &mut host, 30), ["/ch_1"; 31]);
    // The first is looked at once a minute by now, the second in 1 s, 2.25 s, and so on.
    watched.add(&insert(&mut host, 100_000));
    // The wrong key has put gets in doubt, so the list is asked, too.
    let asked = paths(&mut watched, &mut world, &mut host, 4);
    assert!(asked.iter().all(|path| path != "/ch_1"), "{asked:?}");
}

#[test]
fn a_host_with_small_pages_is_asked_for_the_pages_that_tell() {
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
    // What is left stands on the last page, in this round and in the next.
    assert_eq!(paths(&mut watched, &mut world, &mut host, 2), [pages[3]; 3]);
}

#[test]
fn pages_too_large_to_be_read_are_asked_for_in_halves() {
    let mut host = Host::new();
    // Not due yet, and too far back to be seen by the way.
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
    // A hint while that is under way is not forgotten over it.
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
fn intervals_grow_from_a_second_to_a_minute() {
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
        // A tenth of jitter; what would be due within an eighth is taken along.
        assert!((interval * 7 / 10..=interval * 11 / 10 + 1).contains(&gap), "{n}: {gap} of {interval}");
        interval = (interval * 5 / 4).min(60_000);
    }
    assert_eq!(interval, 60_000);
}

fn host_paid(charge: &Charge) -> Reply {
    let mut paid = serde_json::to_value(charge).unwrap();
    paid["paid"] = json!(true);
    ok(&paid)
}

#[test]
fn a_reply_that_nobody_asked_for_is_ignored() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charge = insert(&mut host, 600);
    watched.add(&charge);
    let mut machine = watched.next();
    machine.handle(host_paid(&charge), world.now);
    let Step::Wait(wait) = machine.poll(world.now) else { panic!() };
    machine.handle(host_paid(&charge), world.now);
    assert!(matches!(machine.poll(world.now), Step::Wait(rest) if rest == wait));
    world.advance(wait);
    let Step::Send(exchange) = machine.poll(world.now) else { panic!() };
    machine.handle(host.serve(&exchange, world.now).unwrap(), world.now);
    machine.handle(host_paid(&charge), world.now);
    assert!(matches!(machine.poll(world.now), Step::Wait(_)), "only the first counts");
}

#[test]
fn a_lost_reply_is_asked_for_again() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.add(&insert(&mut host, 600));
    host.lists = [Fault::SilentAfter, Fault::SilentBefore].into();
    host.gets = [Fault::SilentAfter, Fault::SilentBefore].into();
    host.pay("ch_1", START);
    host.pay("ch_2", START);
    assert!(next(&mut watched, &mut world, &mut host).ends_with("paid"));
    assert!(next(&mut watched, &mut world, &mut host).ends_with("paid"));
}

#[test]
fn clocks_may_run_backwards() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 6000));
    watched.add(&insert(&mut host, 6000));
    world.now.monotonic = seconds(5000);
    let mut asked = 0;
    let mut server = |exchange: Exchange, now: &mut Now| {
        asked += 1;
        now.monotonic = now.monotonic.saturating_sub(seconds(40));
        now.unix = UnixMillis::from_millis(if asked % 2 == 0 { 0 } else { u64::MAX });
        if asked == 10 {
            host.pay("ch_1", START);
            host.pay("ch_2", START);
        }
        host.serve(&exchange, *now).unwrap()
    };
    assert!(next_with(&mut watched, &mut world, &mut server).ends_with("paid"));
    assert!(next_with(&mut watched, &mut world, &mut server).ends_with("paid"));
}

#[test]
fn what_is_no_longer_due_since_the_clock_was_set_back_is_due_again() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    world.now.monotonic = seconds(100);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.add(&insert(&mut host, 600));
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    world.advance(seconds(1));
    let Step::Send(_) = watched.next().poll(world.now) else { panic!() };
    watched.next().handle(answer(503, ""), world.now);
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    watched.remove(&id("ch_2"));
    world.now.monotonic = seconds(50);
    host.pay("ch_1", START);
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
    assert!(world.waited() <= seconds(60), "{:?}", world.log);
}

#[derive(Debug, Clone)]
enum Act {
    /// Whatever comes next, through that many failures.
    Next(Vec<Fault>),
    Pay(usize),
    Restart,
    Drop,
}

fn act() -> impl Strategy<Value = Act> {
    let fault = prop_oneof![
        Just(Fault::Fine),
        Just(Fault::Refused),
        Just(Fault::ReplyLost),
        Just(Fault::SilentAfter),
        Just(Fault::Before(503)),
    ];
    prop_oneof![
        2 => proptest::collection::vec(fault, 0..4).prop_map(Act::Next),
        2 => (0_usize..8).prop_map(Act::Pay),
        1 => Just(Act::Restart),
        1 => Just(Act::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever fails, restarts, or is dropped half-way: each charge is told exactly once if the state is kept after each event,
    /// and as paid exactly if the host says so.
    #[test]
    fn every_charge_is_told_once(charges in 1_usize..8, acts in proptest::collection::vec(act(), 0..20)) {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 600));
        }
        let mut events: BTreeMap<String, String> = BTreeMap::new();
        let mut note = |event: String, host: &Host| {
            if let Some((id, end)) = event.split_once(' ') {
                let before = events.insert(id.to_owned(), end.to_owned());
                assert_eq!(before, None, "{id} was told twice");
                assert_eq!(end == "paid", read(host, id).is_paid(), "{id} {end}");
            }
            events.len()
        };
        for act in acts {
            match act {
                Act::Next(faults) => {
                    host.lists = faults.iter().copied().collect();
                    host.gets = faults.into();
                    let event = next(&mut watched, &mut world, &mut host);
                    let told = note(if event == "nothing" { String::new() } else { event }, &host);
                    prop_assert_eq!(told + watched.len(), charges);
                }
                // Only within the invoice's life, as a payer could.
                Act::Pay(n) if world.now.monotonic < seconds(590) => {
                    host.pay(&format!("ch_{}", n % charges + 1), START);
                }
                Act::Pay(_) => {}
                Act::Restart => {
                    let state = serde_json::to_string(&watched.snapshot()).unwrap();
                    watched = watcher();
                    watched.restore(serde_json::from_str(&state).unwrap());
                }
                Act::Drop => {
                    for _ in 0..3 {
                        match watched.next().poll(world.now) {
                            Step::Send(_) => {}
                            Step::Wait(wait) => world.advance(wait),
                            Step::Done(result) => drop(note(told(result), &host)),
                        }
                    }
                }
            }
        }
        while !watched.is_empty() {
            let event = next(&mut watched, &mut world, &mut host);
            note(event, &host);
        }
        prop_assert_eq!(note(String::new(), &host), charges);
    }
}
