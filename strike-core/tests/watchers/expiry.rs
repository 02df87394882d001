//! Tests of expiry, with clocks that are wrong or set back.

use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{Exchange, Now, Schedule, UnixMillis};

use super::{id, insert, next, next_with, seconds, watcher};
use crate::support::host::Host;
use crate::support::{START, Virtual, respond};

#[test]
fn clock_that_jumps_ahead_during_a_watch_expires_no_charge_without_a_date() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.dates = false;
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    let mut has_jumped = false;
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        if !std::mem::replace(&mut has_jumped, true) {
            now.unix = now.unix.saturating_add(seconds(86_400));
        }
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(event, "ch_1 expired");
    assert!((659..=730).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);
}

#[test]
fn expiry_uses_the_server_clock_and_the_invoice_lifetime() {
    // The host's clock is five minutes fast. The charge expires by the local clock.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(START + 360_000);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!(world.waited() >= Duration::from_secs(299), "{:?}", world.waited());

    // Both clocks are past the grace, a few seconds apart.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(START + 668_000);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert_eq!(world.sends(), 1);

    // The server's clock is past the grace, and the local clock says 1970. The clocks disagree, so
    // the whole lifetime of the invoice passes.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.clock = START + 660_000;
    world.now.unix = UnixMillis::from_millis(0);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!((659..=720).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);

    // Ten minutes are left by the server's clock. The local clock says 2033.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert!((659..=720).contains(&world.now.monotonic.as_secs()), "{:?}", world.now);

    // Without a `Date`, the local clock is used.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    host.dates = false;
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 expired");
    assert_eq!(world.sends(), 1);

    // Neither wall clock advances, so the monotonic time is used.
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
fn payment_during_the_grace_or_an_outage_is_reported() {
    for (away, paid_at) in [(0..0, 650), (590..900, 600), (590..900, 655)] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher().schedule(Schedule::every(seconds(5))).max_failures(20);
        watched.add(&insert(&mut host, 600));
        let event = next_with(&mut watched, &mut world, |exchange, now| {
            let second = now.monotonic.as_secs();
            if second >= paid_at {
                host.pay("ch_1", START);
            }
            if away.contains(&second) { respond(503, "") } else { host.serve(&exchange, *now).unwrap() }
        });
        assert_eq!(event, "ch_1 paid", "{away:?} {paid_at}");
    }
}

#[test]
fn wrong_date_header_does_not_expire_a_charge() {
    for date in ["Tue, 14 Nov 2023 23:13:21 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        for charges in [1, 3] {
            for wrong in [1, 2, usize::MAX] {
                let (mut host, mut world) = (Host::new(), Virtual::new());
                let mut watched = watcher().grace(seconds(0));
                for _ in 0..charges {
                    watched.add(&insert(&mut host, 300));
                }
                let mut requests = 0;
                let event = next_with(&mut watched, &mut world, |exchange, now| {
                    if now.monotonic > seconds(100) {
                        host.pay("ch_1", START);
                    }
                    requests += 1;
                    let mut response = host.serve(&exchange, *now).unwrap().unwrap();
                    if requests <= wrong {
                        response.headers_mut().insert("date", date.parse().unwrap());
                    }
                    Ok(response)
                });
                assert_eq!(event, "ch_1 paid", "{date} {charges} {wrong}");
            }
        }
    }
}

#[test]
fn watcher_tolerates_clocks_that_run_backwards() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 6000));
    watched.add(&insert(&mut host, 6000));
    world.now.monotonic = seconds(5000);
    let mut requests = 0;
    let mut server = |exchange: Exchange, now: &mut Now| {
        requests += 1;
        now.monotonic = now.monotonic.saturating_sub(seconds(40));
        now.unix = UnixMillis::from_millis(if requests % 2 == 0 { 0 } else { u64::MAX });
        if requests == 10 {
            host.pay("ch_1", START);
            host.pay("ch_2", START);
        }
        host.serve(&exchange, *now).unwrap()
    };
    assert!(next_with(&mut watched, &mut world, &mut server).ends_with("paid"));
    assert!(next_with(&mut watched, &mut world, &mut server).ends_with("paid"));
}

#[test]
fn polling_resumes_within_a_minute_after_the_clock_is_set_back() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    world.now.monotonic = seconds(100);
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.add(&insert(&mut host, 600));
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    world.advance(seconds(1));
    let Step::Send(_) = watched.next().poll(world.now) else { panic!() };
    watched.next().handle(respond(503, ""), world.now);
    assert!(matches!(watched.next().poll(world.now), Step::Wait(_)));
    watched.remove(&id("ch_2"));
    world.now.monotonic = seconds(50);
    host.pay("ch_1", START);
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 paid");
    assert!(world.waited() <= seconds(60), "{:?}", world.log);
}
