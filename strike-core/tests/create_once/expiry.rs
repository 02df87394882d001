//! Tests of expired charges and the next invoice of the same order.

use std::time::Duration;

use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::OrderRecord;
use strike_core::{CreateOnceOptions, CreateOutcome, ErrorKind, NewCharge, Now, UnixMillis};

use super::{HOUR, MINUTE, charge_of, describe, insert_own, key, machine, order, run_with_record, steps};
use crate::support;
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual};

/// Returns an invoice with the timestamp 1,700,000,000 s and this expiry.
fn payable_for(seconds: u64) -> Value {
    json!(support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(seconds)))
}

#[test]
fn expired_charge_is_retrieved_before_it_is_reported_expired() {
    // The list shows the charge as unpaid. The charge itself may be paid.
    for paid in [false, true] {
        let mut host = Host::new();
        let id = insert_own(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
        host.stale_list = true;
        let mut world = Virtual::new();
        world.advance(Duration::from_secs(3600));
        if paid {
            host.pay(&id, START);
        }
        let mut machine = machine(order(), CreateOnceOptions::named("order-17"));
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(describe(&made), if paid { "paid ch_1" } else { "expired ch_1" });
        assert_eq!(steps(&world), "list, page 1, get ch_1");
    }
}

#[test]
fn charge_expires_only_if_both_clocks_agree() {
    // Seconds that each clock is past the expiry, and whether the host sends a `Date`.
    for (host_past, local_past, dates, expected) in [
        (-60, -60, true, "to pay ch_1"),
        (60, 60, true, "expired ch_1"),
        (-60, 3600, true, "to pay ch_1"),
        // The host's clock may be slightly fast, so the payer can still try.
        (60, -1, true, "to pay ch_1"),
        (60, -540, true, "to pay ch_1"),
        // The clocks disagree: no invoice is returned, and no second one is created.
        (60, -660, true, "mismatch of date"),
        (3_000_000_000, -3600, true, "mismatch of date"),
        // Only the local clock is known, and it has a margin.
        (60, 540, false, "to pay ch_1"),
        (60, 660, false, "expired ch_1"),
    ] {
        let mut host = Host::new();
        host.dates = dates;
        insert_own(&mut host, MINUTE, &[("payment_request", payable_for(7200))]);
        let expires_at = 1_700_007_200_000_i64;
        host.clock = u64::try_from(expires_at + host_past * 1000).unwrap();
        let mut world = Virtual::new();
        let local = u64::try_from(expires_at + local_past * 1000).unwrap();
        world.now = Now::new(Duration::ZERO, UnixMillis::from_millis(local));
        let mut machine = machine(order(), CreateOnceOptions::named("order-17"));
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(describe(&made), expected, "{host_past} {local_past} {dates}");
        assert_eq!(host.sent("POST"), 0);
    }
}

#[test]
fn expired_order_gets_one_new_invoice_under_the_same_name() {
    let mut host = Host::new();
    insert_own(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
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
    // The price has changed since the first invoice.
    let dearer = || NewCharge::satoshis(4300, "tea").customer_id("table 4");
    let second = call(&mut host, &mut world, dearer(), next);
    assert_eq!(describe(&second), "to pay ch_2");
    let own = charge_of(&second.unwrap()).customer_id().map(str::to_owned);
    assert_eq!(own.as_deref(), Some("table 4"));
    // Later calls with the name or with `next` return the second invoice and create no third one.
    for once in [named, next, named] {
        assert_eq!(describe(&call(&mut host, &mut world, dearer(), once)), "to pay ch_2");
    }
    assert_eq!(describe(&call(&mut host, &mut world, order(), named)), "mismatch of amount");
    assert_eq!(host.sent("POST"), 1);
    // If the first invoice was paid after all, it is returned despite the new price.
    host.pay("ch_1", START);
    for once in [next, named] {
        assert_eq!(describe(&call(&mut host, &mut world, dearer(), once)), "paid ch_1");
    }
}

#[test]
fn next_invoice_is_created_only_once() {
    let mut host = Host::new();
    insert_own(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
    let (mut world, mut record) = (Virtual::new(), OrderRecord::default());
    world.advance(Duration::from_secs(3600));
    let made = run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::named("order-17"));
    let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
    host.posts = [Fault::ReplyLost].into();
    host.hidden = 1000;
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, next)), "OutcomeUnknown");
    for once in [next, CreateOnceOptions::named("order-17"), next] {
        assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, once)), "OutcomeUnknown");
    }
    host.hidden = 0;
    for once in [next, CreateOnceOptions::named("order-17"), next] {
        assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, once)), "to pay ch_2");
    }
    assert_eq!(host.sent("POST"), 1);
}

#[test]
fn recovered_expired_order_gets_its_next_invoice() {
    let mut host = Host::new();
    insert_own(&mut host, MINUTE, &[("payment_request", payable_for(60))]);
    let (mut world, mut record) = (Virtual::new(), OrderRecord::default());
    world.advance(Duration::from_secs(3600));
    let made = run_with_record(&mut host, &mut world, &mut record, CreateOnceOptions::recover(key()));
    let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
    assert_eq!(describe(&run_with_record(&mut host, &mut world, &mut record, next)), "to pay ch_2");
}

#[test]
fn order_has_at_most_58_invoices() {
    let mut host = Host::new();
    let mut once = CreateOnceOptions::named("order-17");
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(START + 30 * 24 * HOUR);
    host.clock = START + 30 * 24 * HOUR;
    for attempt in 1..=58 {
        let mut machine = machine(order(), once);
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(describe(&made), format!("to pay ch_{attempt}"));
        host.rows[0]["payment_request"] = payable_for(60);
        let mut machine = self::machine(order(), once);
        let made = world.run_losing(&mut machine, |exchange, now| host.serve(&exchange, *now));
        let Ok(CreateOutcome::Expired { next, .. }) = made else { panic!("{made:?}") };
        once = next;
    }
    let mut last = machine(order(), once);
    let error = world.run(&mut last, |_, _| panic!("a request was sent")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidInput(input) if input.field() == "attempt"), "{error}");
}
