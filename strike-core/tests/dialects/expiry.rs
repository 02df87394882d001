//! Tests of an expiry that hides payments: LNbits marks an unread invoice as failed without asking
//! the node.

use std::time::Duration;

use http::Response;
use serde_json::json;
use strike_core::{Charge, Event, Exchange, Now, Reply, UnixMillis, Wait, WaitOutcome};

use crate::support::{START, Virtual};
use crate::{client, details, get, hash, lnbits, payment};

/// The expiry of the invoice in these tests, in milliseconds since the epoch.
const EXPIRES_AT: u64 = 1_700_003_600_000;

/// An LNbits whose node got the payment at a time that no event reported. It asks the node about an
/// unexpired invoice only, and never again after it has called it failed.
struct Host {
    paid_at: u64,
    status: &'static str,
    dates: bool,
    /// How much the host's clock is ahead, in milliseconds.
    ahead: u64,
    gets: Vec<u64>,
    /// When an event heals a failed payment.
    healed_at: u64,
}

impl Host {
    fn new(paid_at: u64) -> Self {
        Self { paid_at, status: "pending", dates: true, ahead: 0, gets: Vec::new(), healed_at: u64::MAX }
    }

    fn serve(&mut self, exchange: &Exchange, now: Now) -> Reply {
        let clock = now.unix.as_millis() + self.ahead;
        let is_get = exchange.request.uri().query().is_none();
        if self.status == "pending" {
            self.status = match clock {
                clock if clock > EXPIRES_AT => "failed",
                clock if clock >= self.paid_at => "success",
                _ => "pending",
            };
        }
        if clock >= self.healed_at {
            self.status = "success";
        }
        let row = payment(&[("status", json!(self.status))]);
        let body = if is_get {
            self.gets.push(clock);
            details(&row)
        } else {
            json!({ "data": [row], "total": 1 })
        };
        let mut response = Response::builder().status(200);
        if self.dates {
            let date = httpdate::fmt_http_date(UnixMillis::from_millis(clock).to_system_time().unwrap());
            response = response.header("date", date);
        }
        Ok(response.body(body.to_string().into_bytes()).unwrap())
    }
}

fn charge() -> Charge {
    get(&lnbits(), 200, &details(&payment(&[])).to_string()).unwrap()
}

fn wait(host: &mut Host) -> WaitOutcome {
    let mut machine = client(lnbits()).wait(charge(), Wait::until_expiry());
    Virtual::new().run(&mut machine, |exchange, now| host.serve(&exchange, *now)).unwrap()
}

fn watch(host: &mut Host) -> Option<Event> {
    let mut watcher = client(lnbits()).watcher();
    watcher.add(&charge());
    Virtual::new().run(&mut watcher.next(), |exchange, now| host.serve(&exchange, *now)).unwrap()
}

#[test]
fn a_payment_shortly_before_the_expiry_is_seen_without_an_event() {
    for ahead in [0, 90_000] {
        // Checks are up to a minute apart, so only the read 5 s before the expiry can see it.
        for seconds_before in [40, 10, 6] {
            let paid_at = EXPIRES_AT - seconds_before * 1000;
            let host = || Host { ahead, ..Host::new(paid_at) };
            let mut waited = host();
            assert!(
                matches!(wait(&mut waited), WaitOutcome::Paid(_)),
                "{seconds_before} s: {:?}",
                waited.gets
            );
            let mut watched = host();
            assert!(
                matches!(watch(&mut watched), Some(Event::Paid(_))),
                "{seconds_before} s: {:?}",
                watched.gets
            );
        }
    }
}

#[test]
fn the_last_look_before_the_expiry_is_a_get() {
    for run in [|host: &mut Host| drop(wait(host)), |host: &mut Host| drop(watch(host))] {
        let mut host = Host::new(u64::MAX);
        run(&mut host);
        let looks = host.gets.iter().filter(|at| (EXPIRES_AT - 6000..EXPIRES_AT).contains(at)).count();
        assert!((1..=3).contains(&looks), "{looks}: {:?}", host.gets);
    }
}

#[test]
fn a_failed_charge_that_is_healed_within_the_grace_is_paid() {
    // Paid in the last seconds, after the last look. The event arrives half a minute later.
    let host = || Host { healed_at: EXPIRES_AT + 30_000, ..Host::new(EXPIRES_AT - 1) };
    assert!(matches!(wait(&mut host()), WaitOutcome::Paid(_)));
    assert!(matches!(watch(&mut host()), Some(Event::Paid(_))));
}

#[test]
fn an_unpaid_charge_expires_after_the_grace() {
    let mut host = Host::new(u64::MAX);
    assert!(matches!(wait(&mut host), WaitOutcome::Expired(_)));
    assert!(*host.gets.last().unwrap() >= EXPIRES_AT + 60_000, "{:?}", host.gets);
    assert!(matches!(watch(&mut Host::new(u64::MAX)), Some(Event::Expired(id)) if id.as_str() == hash()));
}

#[test]
fn without_a_date_the_local_clock_times_the_last_look() {
    let host = || Host { dates: false, ..Host::new(EXPIRES_AT - 10_000) };
    assert!(matches!(wait(&mut host()), WaitOutcome::Paid(_)));
    assert!(matches!(watch(&mut host()), Some(Event::Paid(_))));
}

#[test]
fn a_local_clock_that_jumps_ahead_does_not_hide_the_last_look() {
    // The host has a clock of its own and sends no `Date`.
    let server = |host: &mut Host, exchange: &Exchange, now: &mut Now| {
        let clock = Now::new(now.monotonic, UnixMillis::from_millis(START).saturating_add(now.monotonic));
        now.unix = clock.unix.saturating_add(Duration::from_secs(86_400));
        host.serve(exchange, clock)
    };
    let host = || Host { dates: false, ..Host::new(EXPIRES_AT - 10_000) };
    let mut waited = host();
    let mut machine = client(lnbits()).wait(charge(), Wait::until_expiry());
    let outcome = Virtual::new().run(&mut machine, |exchange, now| server(&mut waited, &exchange, now));
    assert!(matches!(outcome, Ok(WaitOutcome::Paid(_))), "{:?}", waited.gets);
    let (mut watched, mut watcher) = (host(), client(lnbits()).watcher());
    watcher.add(&charge());
    let event = Virtual::new().run(&mut watcher.next(), |exchange, now| server(&mut watched, &exchange, now));
    assert!(matches!(event, Ok(Some(Event::Paid(_)))), "{:?}", watched.gets);
}

#[test]
fn a_look_before_the_expiry_does_not_make_a_busy_loop() {
    let mut host = Host::new(u64::MAX);
    let mut world = Virtual::new();
    let mut machine = client(lnbits()).wait(charge(), Duration::from_secs(4000));
    world.run(&mut machine, |exchange, now| host.serve(&exchange, *now)).unwrap();
    assert!(world.sends() < 100, "{}", world.sends());
    assert!(world.now.unix < UnixMillis::from_millis(EXPIRES_AT + 130_000));
}
