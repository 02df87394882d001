//! Tests of repeated calls that share a key record.

use std::time::Duration;

use strike_core::machine::{Machine, OrderRecord, Step};
use strike_core::{CoreClient, CreateOnceOptions, RetryPolicy};

use super::{describe, key, order, run_with_record, steps};
use crate::support::host::{Fault, Host};
use crate::support::{Virtual, endpoint};

#[test]
fn repeat_with_the_same_record_finds_a_charge_missing_from_the_list() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.hidden = 1000;
    for _ in 0..3 {
        let made = run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!(describe(&made), "to pay ch_1");
    }
    assert_eq!(steps(&world), "list, post, get ch_1, get ch_1");
    assert_eq!(host.sent("POST"), 1);
    // With an empty record, as in another process, only the list is used.
    let made = run_with_record(
        &mut host,
        &mut world,
        &mut OrderRecord::default(),
        CreateOnceOptions::named("order-17"),
    );
    assert_eq!(describe(&made), "to pay ch_2");
}

#[test]
fn clock_that_jumps_ahead_does_not_expire_a_known_charge_without_a_date() {
    const DAY: Duration = Duration::from_secs(86_400);
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.dates = false;
    let mut run = |host: &mut Host, world: &mut Virtual| {
        describe(&run_with_record(host, world, &mut record, CreateOnceOptions::named("order-17")))
    };
    assert_eq!(run(&mut host, &mut world), "to pay ch_1");
    // The invoice is unreadable, so it counts as payable for a week.
    for _ in 0..2 {
        world.now.unix = world.now.unix.saturating_add(8 * DAY);
        assert_eq!(run(&mut host, &mut world), "to pay ch_1");
    }
    world.advance(8 * DAY);
    assert_eq!(run(&mut host, &mut world), "expired ch_1");
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn used_key_is_not_posted_again_by_a_fresh_call() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    for once in [
        CreateOnceOptions::fresh(key()),
        CreateOnceOptions::fresh(key()),
        CreateOnceOptions::with_key(key()),
        CreateOnceOptions::recover(key()),
    ] {
        assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, once)), "to pay ch_1");
    }
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn create_is_not_repeated_for_ten_minutes_after_an_unknown_outcome() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.posts = [Fault::RequestLost].into();
    let named = || CreateOnceOptions::named("order-17");
    for _ in 0..3 {
        let made = run_with_record(&mut host, &mut world, &mut record, named());
        assert_eq!(describe(&made), "OutcomeUnknown");
    }
    assert_eq!(host.sent("POST"), 1);
    world.advance(Duration::from_secs(500));
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, named())), "OutcomeUnknown");
    assert_eq!(host.sent("POST"), 1);
    // After this time, a lost request no longer arrives.
    world.advance(Duration::from_secs(100));
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, named())), "to pay ch_1");
    assert_eq!(host.sent("POST"), 2);

    // With `repost`, the create is repeated without that delay.
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    host.posts = [Fault::RequestLost].into();
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, named())), "OutcomeUnknown");
    assert_eq!(
        describe(&run_with_record(&mut host, &mut world, &mut record, named().repost(true))),
        "to pay ch_1"
    );
}

#[test]
fn create_dropped_after_its_request_is_recorded() {
    let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
    let once = CreateOnceOptions::fresh(key());
    let mut machine =
        CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once_with(order(), once, &mut record);
    let Step::Send(exchange) = machine.poll(world.now) else { panic!() };
    host.serve(&exchange, world.now);
    drop(machine);
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, once)), "to pay ch_1");
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn rejected_create_can_be_retried_immediately() {
    for fault in [Fault::Refused, Fault::Before(400), Fault::Before(401), Fault::Before(429)] {
        let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
        host.posts = [fault].into();
        run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"))
            .unwrap_err();
        let made = run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!(describe(&made), "to pay ch_1", "{fault:?}");
    }
}

#[test]
fn failed_read_of_a_known_charge_creates_nothing() {
    for (fault, then) in [
        (Fault::Before(500), "get ch_1"),
        (Fault::Before(401), "get ch_1"),
        (Fault::RequestLost, "get ch_1"),
        // The charge is gone from the host, so the list is searched.
        (Fault::Fine, "get ch_1, list, 2s, list"),
    ] {
        let (mut host, mut world, mut record) = (Host::new(), Virtual::new(), OrderRecord::default());
        run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::fresh(key())).unwrap();
        if fault == Fault::Fine {
            host.rows.clear();
        }
        host.gets = [fault].into();
        world.log.clear();
        let made = run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
        assert_eq!((describe(&made).as_str(), steps(&world).as_str()), ("OutcomeUnknown", then), "{fault:?}");
        assert_eq!(host.sent("POST"), 1);
    }
}
