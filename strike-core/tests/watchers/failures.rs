//! Tests of failures that are retried and failures that are reported.

use serde_json::json;

use super::{insert, next, next_with, seconds, times, watcher};
use crate::support::host::Host;
use crate::support::{Did, START, Virtual, respond};

#[test]
fn eleventh_consecutive_failure_is_reported() {
    let mut host = Host::new();
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    let (times, events) = times(&mut watched, || respond(503, ""), 2);
    assert_eq!(events, ["Server", "Server"]);
    assert_eq!(
        (times.len(), watched.len()),
        (22, 1),
        "ten failures are tolerated each time, and the charge stays"
    );
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
fn nonconsecutive_failures_are_not_reported() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 100_000));
    let mut requests = 0;
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        requests += 1;
        match requests {
            11 | 22 => host.serve(&exchange, *now).unwrap(),
            33 => {
                host.pay("ch_1", START);
                host.serve(&exchange, *now).unwrap()
            }
            _ => respond(500, ""),
        }
    });
    assert_eq!((event.as_str(), requests), ("ch_1 paid", 33));
}

#[test]
fn unauthorized_is_reported_at_once_and_charges_stay_watched() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600));
    watched.add(&insert(&mut host, 600));
    assert_eq!(next_with(&mut watched, &mut world, |_, _| respond(401, "")), "Unauthorized");
    assert_eq!((world.sends(), watched.len(), watched.snapshot().len()), (1, 2, 2));
    host.pay("ch_1", START);
    host.pay("ch_2", START);
    let mut events = [next(&mut watched, &mut world, &mut host), next(&mut watched, &mut world, &mut host)];
    events.sort();
    assert_eq!(events, ["ch_1 paid", "ch_2 paid"]);
}

#[test]
fn proxy_404_for_a_charge_is_retried() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charge = insert(&mut host, 600);
    watched.add(&charge);
    host.pay(charge.id().as_str(), START);
    let mut proxy = 3;
    let seen = next_with(&mut watched, &mut world, |exchange, now| {
        proxy -= 1;
        if proxy > 0 { respond(404, "<html>nginx</html>") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(seen, "ch_1 paid");
}

#[test]
fn proxy_404_for_a_page_is_retried() {
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    let charges: Vec<_> = (0..3).map(|_| insert(&mut host, 600)).collect();
    charges.iter().for_each(|charge| watched.add(charge));
    host.pay(charges[0].id().as_str(), START);
    let mut proxy = 3;
    let seen = next_with(&mut watched, &mut world, |exchange, now| {
        proxy -= 1;
        if proxy > 0 { respond(404, "<html>nginx</html>") } else { host.serve(&exchange, *now).unwrap() }
    });
    assert_eq!(seen, "ch_1 paid");
    assert!(host.log.iter().any(|line| line.contains("page=")), "{:?}", host.log);
}

#[test]
fn unreadable_charge_fails_after_eleven_polls() {
    for others in [1, 3] {
        let (mut host, mut world) = (Host::new(), Virtual::new());
        let mut watched = watcher();
        for _ in 0..=others {
            watched.add(&insert(&mut host, 600_000));
        }
        host.rows[0]["amount"] = json!("a lot");
        let bad = host.rows[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(next(&mut watched, &mut world, &mut host), format!("{bad} failed: Undecodable"));
        let polls =
            world.log.iter().filter(|did| matches!(did, Did::Send(line) if line.ends_with(&bad))).count();
        assert_eq!((polls, watched.len()), (11, others), "ten failures were tolerated");
    }
    // With one charge, the host may be at fault: the error is reported, and the charge stays.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600_000));
    host.rows[0]["amount"] = json!("a lot");
    assert_eq!(next(&mut watched, &mut world, &mut host), "Undecodable");
    assert_eq!(watched.len(), 1);
    // A readable response in between resets the count.
    let (mut host, mut world) = (Host::new(), Virtual::new());
    let mut watched = watcher();
    watched.add(&insert(&mut host, 600_000));
    let mut requests = 0;
    let event = next_with(&mut watched, &mut world, |exchange, now| {
        requests += 1;
        match requests {
            11 => host.serve(&exchange, *now).unwrap(),
            22 => {
                host.pay("ch_1", START);
                host.serve(&exchange, *now).unwrap()
            }
            _ => respond(200, "<html>back soon</html>"),
        }
    });
    assert_eq!(event, "ch_1 paid");
}
