//! Tests of adding and removing charges, and of their events.

use std::time::Duration;

use serde_json::json;
use strike_core::machine::{Machine, Step};
use strike_core::{Event, Watcher, WatcherSnapshot};

use super::{describe, host_paid, id, insert, next, read, seconds, watcher};
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual, respond};

#[test]
fn empty_watcher_sends_no_request() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    assert!(watcher.is_empty() && watcher.snapshot().is_empty());
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert!(world.log.is_empty());
}

#[test]
fn each_charge_has_one_final_event() {
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
        events.push((describe(result), world.now.monotonic.as_secs()));
        assert_eq!(watcher.len() + events.len(), 4);
    }
    let words: Vec<_> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(words, ["ch_1 expired", "ch_2 paid", "ch_4 failed: NotFound", "ch_3 expired"]);
    // Each event may be late by the polling interval of a minute and its jitter.
    for ((event, at), begins) in events.iter().zip([359, 500, 700, 959]) {
        assert!((begins..=begins + 67).contains(at), "{event} at {at} s");
    }
    let requests = world.sends();
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert_eq!(world.sends(), requests);
}

#[test]
fn paid_charge_ends_without_a_request() {
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
fn charge_added_twice_is_watched_once() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watcher = watcher();
    let charge = insert(&mut host, 600);
    watcher.add(&charge);
    watcher.add(&charge);
    let saved = watcher.snapshot();
    watcher.restore(saved.clone());
    assert_eq!((watcher.len(), saved.len()), (1, 1));
    host.pay("ch_1", START);
    assert_eq!(next(&mut watcher, &mut world, &mut host), "ch_1 paid");
    assert_eq!(next(&mut watcher, &mut world, &mut host), "nothing");
    assert_eq!(world.sends(), 1);
}

#[test]
fn charges_can_be_added_and_removed_during_a_request() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.check_soon(&id("ch_1"));
    let Step::Send(exchange) = watched.next().poll(world.now) else { panic!() };
    // During the request, one charge is removed and another added.
    assert!(watched.remove(&id("ch_1")));
    assert!(!watched.remove(&id("ch_1")));
    watched.add(&insert(&mut host, 600));
    host.pay("ch_1", START);
    watched.next().handle(host.serve(&exchange, world.now).unwrap(), world.now);
    let result = world.run(&mut watched.next(), |exchange, now| {
        host.pay("ch_2", START);
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(describe(result), "ch_2 paid");
    // A charge removed before the first poll has no event. It can be added again.
    let third = insert(&mut host, 600);
    watched.add(&third);
    assert!(watched.remove(third.id()));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");
    watched.add(&third);
    host.pay("ch_3", START);
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_3 paid");
}

#[test]
fn removed_charge_has_no_event_even_if_it_has_ended() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges = [insert(&mut host, 600), insert(&mut host, 600)];
    for charge in &charges {
        watched.add(charge);
        host.pay(charge.id().as_str(), START);
    }
    // One page contains both charges.
    let first = next(&mut watched, &mut world, &mut host);
    let other = if first == "ch_1 paid" { 1 } else { 0 };
    assert!(watched.remove(charges[other].id()));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");

    // An earlier result is not used when the charge is watched again.
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
fn payment_replaces_an_unreported_expiry() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges = [insert(&mut host, 600), insert(&mut host, 600)];
    charges.iter().for_each(|charge| watched.add(charge));
    world.advance(seconds(700));
    // One page contains both charges.
    let first = next(&mut watched, &mut world, &mut host);
    let other = charges[usize::from(first == "ch_1 expired")].id().as_str();
    host.pay(other, START);
    watched.add(&read(&host, other));
    assert_eq!(next(&mut watched, &mut world, &mut host), format!("{other} paid"));
    assert_eq!(next(&mut watched, &mut world, &mut host), "nothing");
}

#[test]
fn charge_whose_details_changed_fails() {
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
        // The charge is paid but changed. That is detected by page and after a restart.
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
fn unknown_charge_fails_immediately() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    host.rows.clear();
    assert_eq!(next(&mut watched, &mut world, &mut host), "ch_1 failed: NotFound");
    assert_eq!(world.sends(), 1);
}

#[test]
fn failure_of_one_charge_does_not_delay_another() {
    for (removed, reply) in [
        (false, respond(200, "<html>back soon</html>")),
        (true, respond(200, "<html>back soon</html>")),
        (true, respond(404, r#"{"code":404,"message":"not found"}"#)),
    ] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher().request_interval(Duration::from_millis(20));
        watched.add(&insert(&mut host, 600));
        watched.add(&insert(&mut host, 600));
        watched.check_soon(&id("ch_1"));
        let Step::Send(_) = watched.next().poll(world.now) else { panic!() };
        assert!(!removed || watched.remove(&id("ch_1")));
        watched.next().handle(reply, world.now);
        watched.check_soon(&id("ch_2"));
        host.pay("ch_2", START);
        assert_eq!(next(&mut watched, &mut world, &mut host), "ch_2 paid");
        assert_eq!(world.waited(), Duration::from_millis(20), "expected only the interval between requests");
    }
}

#[test]
fn unexpected_response_is_ignored() {
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
    assert!(matches!(machine.poll(world.now), Step::Wait(_)), "a second reply was used");
}

#[test]
fn lost_response_is_requested_again() {
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
