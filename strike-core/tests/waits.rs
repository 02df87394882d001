//! Tests that a wait ends exactly once, with a poll that began after its deadline or expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use http::Response;
use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::{Machine, Step, WaitPaid};
use strike_core::{
    Charge, CoreClient, Delivery, Error, ErrorKind, Now, Reply, RetryPolicy, Schedule, TransportErrorKind,
    UnixMillis, Wait, WaitOutcome,
};
use support::invoices::written;
use support::{Did, START, Virtual, charge, charge_json, endpoint, no_response, ok, respond};

/// Returns an invoice with this expiry in seconds, created 1 s before the virtual clock starts.
fn invoice(expiry: u64) -> Value {
    json!(written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(expiry)))
}

fn pending(expiry: u64) -> Charge {
    charge(&[("payment_request", invoice(expiry))])
}

fn wait(charge: Charge, wait: impl Into<Wait>) -> WaitPaid {
    CoreClient::new(endpoint(), RetryPolicy::default(), 1).wait(charge, wait)
}

fn unpaid() -> Reply {
    ok(&charge_json(&[("payment_request", invoice(600))]))
}

fn paid() -> Reply {
    ok(&charge_json(&[("payment_request", invoice(600)), ("paid", json!(true))]))
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn wait_for_a_paid_charge_sends_no_request() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(charge(&[("paid", json!(true))]), seconds(9)), |_, _| panic!()).unwrap();
    assert!(waited.is_paid() && world.log.is_empty());
}

#[test]
fn wait_polls_immediately_and_then_at_growing_intervals() {
    let mut world = Virtual::new();
    let mut polls = 0;
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, _| {
            polls += 1;
            if polls == 5 { paid() } else { unpaid() }
        })
        .unwrap();
    assert!(matches!(waited, WaitOutcome::Paid(charge) if charge.is_paid()));
    let waits: Vec<_> = world
        .log
        .iter()
        .filter_map(|did| if let Did::Wait(w) = did { Some(w.as_millis()) } else { None })
        .collect();
    assert_eq!(waits, [1000, 1250, 1562, 1953]);
    assert_eq!(world.log[0], Did::Send("GET /api/v1/charges/ch_1".into()));
}

#[test]
fn deadline_ends_the_wait_after_a_last_poll() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), seconds(10)), |_, _| unpaid()).unwrap();
    assert!(matches!(waited, WaitOutcome::Payable(_)) && !waited.is_paid());
    assert_eq!(world.waited(), seconds(10));
    assert!(matches!(world.log.last(), Some(Did::Send(_))));

    // The payment arrives at the deadline.
    let mut world = Virtual::new();
    let waited = world
        .run(&mut wait(pending(600), seconds(10)), |_, now| {
            if now.monotonic == seconds(10) { paid() } else { unpaid() }
        })
        .unwrap();
    assert!(waited.is_paid());

    // A wait of zero seconds still polls once.
    let mut world = Virtual::new();
    assert!(matches!(
        world.run(&mut wait(pending(600), seconds(0)), |_, _| unpaid()),
        Ok(WaitOutcome::Payable(_))
    ));
    assert_eq!(world.sends(), 1);
}

#[test]
fn wait_ends_after_the_invoice_expiry_and_grace() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| unpaid()).unwrap();
    assert!(matches!(waited, WaitOutcome::Expired(_)) && !waited.is_paid());
    // Without a `Date`, the local clock has a margin. So the invoice's lifetime plus the minute of
    // grace ends the wait first.
    assert_eq!(world.waited(), seconds(660));
    assert!(matches!(world.log.last(), Some(Did::Send(_))));

    let late = |grace, paid_at| {
        let mut world = Virtual::new();
        let options = Wait::until_expiry().grace(seconds(grace));
        world.run(&mut wait(pending(600), options), |_, now| {
            if now.monotonic >= seconds(paid_at) { paid() } else { unpaid() }
        })
    };
    assert!(late(60, 659).unwrap().is_paid());
    assert!(matches!(late(0, 601), Ok(WaitOutcome::Expired(_))));
}

#[test]
fn wait_for_an_unreadable_invoice_ends_as_still_payable() {
    let mut world = Virtual::new();
    let schedule = Schedule::every(seconds(3600));
    let waited = world
        .run(&mut wait(charge(&[]), Wait::until_expiry().schedule(schedule)), |_, _| ok(&charge_json(&[])))
        .unwrap();
    assert!(matches!(waited, WaitOutcome::Payable(_)));
    assert_eq!(world.waited(), seconds(604_860));
}

#[test]
fn wait_for_an_endless_invoice_ends_after_a_week() {
    let mut world = Virtual::new();
    let schedule = Schedule::every(seconds(3600));
    let endless = json!(written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(u64::MAX >> 4)));
    let seen = charge(&[("payment_request", endless)]);
    let reply = serde_json::to_value(&seen).unwrap();
    let waited =
        world.run(&mut wait(seen, Wait::until_expiry().schedule(schedule)), |_, _| ok(&reply)).unwrap();
    assert!(matches!(waited, WaitOutcome::Payable(_)));
    assert_eq!(world.waited(), seconds(604_860));
}

#[test]
fn consecutive_failures_are_tolerated_up_to_the_limit() {
    let refused = || no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
    let html = || respond(200, "<html>back soon</html>");
    // Ten consecutive failures do not end the wait, even several times.
    let mut world = Virtual::new();
    let mut polls = 0;
    let policy = RetryPolicy::never();
    let machine = |options: Wait| CoreClient::new(endpoint(), policy, 1).wait(pending(600), options);
    let waited = world
        .run(&mut machine(Wait::until_expiry()), |_, _| {
            polls += 1;
            match polls {
                11 | 22 => unpaid(),
                33 => paid(),
                n if n % 2 == 0 => html(),
                _ => refused(),
            }
        })
        .unwrap();
    assert!(waited.is_paid());

    // With two tolerated failures, the third ends the wait. The error lists all three attempts.
    let mut world = Virtual::new();
    let error = world.run(&mut machine(Wait::until_expiry().max_failures(2)), |_, _| refused()).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }
    ));
    assert_eq!((world.sends(), error.attempts().len()), (3, 3));
}

#[test]
fn wait_does_not_expire_during_an_outage() {
    // The server is down from before the expiry until after the grace. The wait ends only after a
    // successful poll.
    let mut world = Virtual::new();
    let away = |now: &Now| (seconds(600)..seconds(700)).contains(&now.monotonic);
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if away(now) {
                no_response(TransportErrorKind::Timeout, Delivery::MaybeSent)
            } else if now.monotonic >= seconds(700) {
                paid()
            } else {
                unpaid()
            }
        })
        .unwrap();
    assert!(waited.is_paid());
}

#[test]
fn permanent_errors_end_the_wait() {
    for (reply, kind) in [
        (respond(401, ""), ErrorKind::Unauthorized),
        (respond(404, r#"{"code":404,"message":"not found"}"#), ErrorKind::NotFound),
        (respond(302, ""), ErrorKind::Redirected),
    ] {
        let mut world = Virtual::new();
        let mut reply = Some(reply);
        let error =
            world.run(&mut wait(pending(600), seconds(99)), |_, _| reply.take().unwrap()).unwrap_err();
        assert_eq!(error.kind(), &kind);
    }
    // A response about another payment is a mismatch.
    for (field, other) in [
        ("payment_hash", json!("cd".repeat(32))),
        ("payment_request", json!("another")),
        ("amount", json!(1)),
        ("amount_satoshi", json!(1)),
        ("description", json!("coffee")),
    ] {
        let reply = charge_json(&[("payment_request", invoice(600)), (field, other), ("paid", json!(true))]);
        let error = Virtual::new().run(&mut wait(pending(600), seconds(99)), |_, _| ok(&reply)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == field),
            "{error}"
        );
        assert!(error.charge().is_some());
    }
}

#[test]
fn deadline_holds_despite_retry_after_and_failures() {
    let limited =
        || Ok(Response::builder().status(429).header("retry-after", "3600").body(Vec::new()).unwrap());
    let refused = || no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
    let replies: [&dyn Fn() -> Reply; 3] = [&limited, &refused, &|| respond(503, "")];
    for reply in replies {
        for schedule in [Schedule::default(), Schedule::every(seconds(3600)), Schedule::every(Duration::MAX)]
        {
            let mut world = Virtual::new();
            let options = Wait::at_most(seconds(5)).schedule(schedule);
            world.run(&mut wait(pending(600), options), |_, _| reply()).unwrap_err();
            assert!(world.waited() <= seconds(5 + 10 + 5), "{:?}", world.waited());
        }
    }
}

#[test]
fn proxy_404_does_not_end_a_wait() {
    let mut world = Virtual::new();
    let mut replies = vec![paid(), respond(404, "<html>nginx</html>"), unpaid()];
    let waited = world.run(&mut wait(pending(600), seconds(99)), |_, _| replies.pop().unwrap()).unwrap();
    assert!(waited.is_paid());
}

fn limited(status: u16, retry_after: &str) -> Reply {
    Ok(Response::builder().status(status).header("retry-after", retry_after).body(Vec::new()).unwrap())
}

#[test]
fn wait_honors_retry_after_up_to_the_policy_limit() {
    for (retry_after, longest, rest) in [("45", 60, 45), ("90", 60, 60), ("3600", 60, 60), ("90", 120, 90)] {
        for status in [429, 503] {
            let mut world = Virtual::new();
            let mut first = true;
            let policy = RetryPolicy::default().max_retry_after(seconds(longest)).attempts(1);
            let mut machine = CoreClient::new(endpoint(), policy, 1).wait(pending(600), Wait::until_expiry());
            let waited = world.run(&mut machine, |_, _| {
                if std::mem::take(&mut first) { limited(status, retry_after) } else { paid() }
            });
            assert!(waited.unwrap().is_paid());
            assert_eq!(world.log[1..2], [Did::Wait(seconds(rest))], "{status} {retry_after}");
        }
    }
}

fn with_date(reply: Reply, date: &str) -> Reply {
    let mut response = reply?;
    response.headers_mut().insert("date", date.parse().unwrap());
    Ok(response)
}

#[test]
fn wrong_date_header_does_not_end_a_wait() {
    // Dates one hour ahead, one day ahead, in 2100, and in the older formats.
    for date in [
        "Tue, 14 Nov 2023 23:13:21 GMT",
        "Wed, 15 Nov 2023 22:13:21 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "Wednesday, 15-Nov-23 22:13:21 GMT",
        "Wed Nov 15 22:13:21 2023",
    ] {
        for (expiry, paid_at) in [(600, 500), (120, 100)] {
            // The date is wrong once, twice in a row, or always.
            for wrong in [1, 2, usize::MAX] {
                let reply = |paid: bool| {
                    ok(&charge_json(&[("payment_request", invoice(expiry)), ("paid", json!(paid))]))
                };
                let mut polls = 0;
                let options = Wait::until_expiry().grace(seconds(0));
                let waited = Virtual::new().run(&mut wait(pending(expiry), options), |_, now| {
                    polls += 1;
                    let reply = reply(now.monotonic >= seconds(paid_at));
                    if polls <= wrong { with_date(reply, date) } else { reply }
                });
                assert!(waited.unwrap().is_paid(), "{date} {expiry} {wrong}");
            }
        }
    }
}

#[test]
fn past_date_header_does_not_make_a_wait_endless() {
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 14 Nov 2023 21:13:21 GMT"] {
        let mut world = Virtual::new();
        let waited =
            world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| with_date(unpaid(), date));
        assert!(matches!(waited, Ok(WaitOutcome::Expired(_))));
        assert_eq!(world.waited(), seconds(660));
    }
}

fn dated(at: u64) -> Reply {
    let date = ["22:13:21", "22:23:19", "22:24:20", "22:24:30"][usize::try_from(at).unwrap()];
    unpaid().map(|mut response| {
        response.headers_mut().insert("date", format!("Tue, 14 Nov 2023 {date} GMT").parse().unwrap());
        response
    })
}

#[test]
fn server_date_takes_precedence_over_a_wrong_local_clock() {
    // The local clock says 2033. The server's clock is right: ten minutes are left.
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if now.monotonic >= seconds(300) { paid() } else { dated(0) }
        })
        .unwrap();
    assert!(waited.is_paid());

    // The server's clock is a few minutes fast. The wait goes on until the invoice expires by ours.
    let mut world = Virtual::new();
    world.advance(seconds(300));
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if now.monotonic >= seconds(600) { paid() } else { dated(3) }
        })
        .unwrap();
    assert!(waited.is_paid());

    // Both clocks are past the grace, a few seconds apart.
    let mut world = Virtual::new();
    world.advance(seconds(661));
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(3)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.sends(), 1);

    // The local clock says 1970. The clocks disagree, so the whole lifetime of the invoice passes.
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(0);
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(3)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.waited(), seconds(660));

    // A server whose clock stands still does not make the wait endless.
    let mut world = Virtual::new();
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(0)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.waited(), seconds(660));
}

#[test]
fn wait_ends_by_elapsed_time_if_the_clock_is_set_back() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
        now.unix = UnixMillis::from_millis(START - 1_000_000_000);
        unpaid()
    });
    assert!(matches!(waited, Ok(WaitOutcome::Expired(_))));
    assert_eq!(world.waited(), seconds(660));
}

#[test]
fn clock_that_jumps_ahead_during_a_wait_does_not_end_it_without_a_date() {
    for jump in [3600, 10 * 365 * 86_400] {
        let mut world = Virtual::new();
        let mut has_jumped = false;
        let waited = world.run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if !std::mem::replace(&mut has_jumped, true) {
                now.unix = now.unix.saturating_add(seconds(jump));
            }
            if now.monotonic >= seconds(599) { paid() } else { unpaid() }
        });
        assert!(waited.unwrap().is_paid(), "{jump} s ahead: {:?}", world.waited());
    }
}

#[test]
fn lost_response_is_retried_and_early_poll_returns_remaining_wait() {
    let mut machine = wait(pending(600), Wait::until_expiry());
    let now = |s| Now::new(seconds(s), UnixMillis::from_millis(START + s * 1000));
    assert!(matches!(machine.poll(now(0)), Step::Send(_)));
    assert!(matches!(machine.poll(now(1)), Step::Wait(_)), "expected a backoff");
    assert!(matches!(machine.poll(now(10)), Step::Send(_)));
    machine.handle(unpaid(), now(10));
    machine.handle(paid(), now(10));
    let Step::Wait(rest) = machine.poll(now(10)) else { panic!("an unexpected reply was used") };
    assert_eq!(rest, seconds(1));
    assert!(matches!(machine.poll(now(11)), Step::Send(_)));
    machine.handle(paid(), now(11));
    assert!(matches!(machine.poll(now(11)), Step::Done(Ok(WaitOutcome::Paid(_)))));
    let Step::Done(Err(error)) = machine.poll(now(11)) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    let _: Error = error;
}

#[test]
fn wait_for_a_deserialised_paid_charge_reads_it_first() {
    let paid = charge(&[("paid", serde_json::json!(true))]);
    let stored: Charge = serde_json::from_str(&serde_json::to_string(&paid).unwrap()).unwrap();
    let client = CoreClient::new(endpoint(), RetryPolicy::never(), 7);
    let mut confirmed = client.wait(paid, Wait::until_expiry());
    assert!(matches!(confirmed.poll(support::start()), Step::Done(Ok(WaitOutcome::Paid(_)))));
    let mut unconfirmed = client.wait(stored, Wait::until_expiry());
    assert!(matches!(unconfirmed.poll(support::start()), Step::Send(_)));
}
