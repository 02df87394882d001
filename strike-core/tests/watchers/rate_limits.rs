//! Tests of rate limits, `Retry-After`, and hints that interrupt a wait.

use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{ChargeId, CoreClient, Event, Reply, RetryPolicy, Schedule, Watcher};

use super::{id, insert, limited, next, next_with, seconds, watcher};
use crate::support::host::Host;
use crate::support::{Did, START, Virtual, endpoint};

#[test]
fn watcher_honors_retry_after() {
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
fn long_retry_after_is_reported_and_limited_to_a_minute() {
    for (charges, header) in [(1, "3600"), (3, "99999999999999999999"), (3, "Wed, 15 Nov 2023 22:13:21 GMT")]
    {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..charges {
            watched.add(&insert(&mut host, 6000));
        }
        host.pay("ch_1", START);
        let reported = next_with(&mut watched, &mut world, |_, _| limited(429, header));
        assert!(reported.starts_with("RateLimited"), "{reported}");
        let at = world.now.monotonic;
        assert_eq!((world.sends(), watched.len()), (1, charges));
        assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
        assert!(world.now.monotonic - at <= seconds(61), "{header}: {:?}", world.now.monotonic - at);
    }
}

/// Returns the times of requests for the charge in milliseconds. Hints come every 10 ms for
/// `millis`, and every request gets this reply.
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
                assert!(
                    exchange.request.uri().path().ends_with(id.as_str()),
                    "a charge without a hint was polled"
                );
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
fn hints_interrupt_a_wait_at_most_once_a_second() {
    // With and without retries of the single call, the wait can be interrupted.
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
            // Without a hint nothing is sent.
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
            // The host has recovered.
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

#[test]
fn hinted_charge_is_polled_next() {
    let (mut host, world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    for _ in 0..3 {
        watched.add(&insert(&mut host, 600));
    }
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)), "nothing is due yet");
    watched.check_soon(&id("ch_99"));
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)), "the charge is not watched");
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
fn hint_interrupts_an_infinite_schedule() {
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
