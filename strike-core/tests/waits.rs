//! A wait ends once, by a look that began after its end, whatever server and clocks do.
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
use support::{Did, START, Virtual, answer, charge, charge_json, endpoint, no_answer, ok};

/// An invoice made 1 s before the virtual clock starts, which can be paid for that long.
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
fn a_paid_charge_needs_no_request() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(charge(&[("paid", json!(true))]), seconds(9)), |_, _| panic!()).unwrap();
    assert!(waited.is_paid() && world.log.is_empty());
}

#[test]
fn it_looks_at_once_and_then_ever_more_rarely() {
    let mut world = Virtual::new();
    let mut looks = 0;
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, _| {
            looks += 1;
            if looks == 5 { paid() } else { unpaid() }
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
fn a_deadline_is_an_answer_and_has_its_own_look() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), seconds(10)), |_, _| unpaid()).unwrap();
    assert!(matches!(waited, WaitOutcome::Payable(_)) && !waited.is_paid());
    assert_eq!(world.waited(), seconds(10));
    assert!(matches!(world.log.last(), Some(Did::Send(_))));

    // Paid in the last moment.
    let mut world = Virtual::new();
    let waited = world
        .run(&mut wait(pending(600), seconds(10)), |_, now| {
            if now.monotonic == seconds(10) { paid() } else { unpaid() }
        })
        .unwrap();
    assert!(waited.is_paid());

    // No time at all still means one look.
    let mut world = Virtual::new();
    assert!(matches!(
        world.run(&mut wait(pending(600), seconds(0)), |_, _| unpaid()),
        Ok(WaitOutcome::Payable(_))
    ));
    assert_eq!(world.sends(), 1);
}

#[test]
fn expiry_comes_by_the_invoice_and_a_grace() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| unpaid()).unwrap();
    assert!(matches!(waited, WaitOutcome::Expired(_)) && !waited.is_paid());
    // Without a `Date` the local clock counts less its margin, so the invoice's lifetime and the minute end it first.
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
fn an_unreadable_invoice_is_never_called_expired_and_still_ends() {
    let mut world = Virtual::new();
    let schedule = Schedule::every(seconds(3600));
    let waited = world
        .run(&mut wait(charge(&[]), Wait::until_expiry().schedule(schedule)), |_, _| ok(&charge_json(&[])))
        .unwrap();
    assert!(matches!(waited, WaitOutcome::Payable(_)));
    assert_eq!(world.waited(), seconds(604_860));
}

#[test]
fn an_invoice_that_lasts_for_ever_does_not() {
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
fn trouble_is_tolerated_up_to_a_bound_and_remembered() {
    let refused = || no_answer(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
    let html = || answer(200, "<html>back soon</html>");
    // Ten failures in a row, again and again, do not end it.
    let mut world = Virtual::new();
    let mut asked = 0;
    let policy = RetryPolicy::never();
    let machine = |options: Wait| CoreClient::new(endpoint(), policy, 1).wait(pending(600), options);
    let waited = world
        .run(&mut machine(Wait::until_expiry()), |_, _| {
            asked += 1;
            match asked {
                11 | 22 => unpaid(),
                33 => paid(),
                n if n % 2 == 0 => html(),
                _ => refused(),
            }
        })
        .unwrap();
    assert!(waited.is_paid());

    // Three in a row do, if two are tolerated; the history shows all of them.
    let mut world = Virtual::new();
    let error = world.run(&mut machine(Wait::until_expiry().max_failures(2)), |_, _| refused()).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Connection { kind: TransportErrorKind::ConnectionRefused, .. }
    ));
    assert_eq!((world.sends(), error.attempts().len()), (3, 3));
}

#[test]
fn trouble_at_the_end_is_not_taken_for_an_answer() {
    // The server is away from before the expiry until long after: no end without a look that worked.
    let mut world = Virtual::new();
    let away = |now: &Now| (seconds(600)..seconds(700)).contains(&now.monotonic);
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if away(now) {
                no_answer(TransportErrorKind::Timeout, Delivery::MaybeSent)
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
fn what_cannot_pass_ends_it_at_once() {
    for (reply, kind) in [
        (answer(401, ""), ErrorKind::Unauthorized),
        (answer(404, r#"{"code":404,"message":"not found"}"#), ErrorKind::NotFound),
        (answer(302, ""), ErrorKind::Redirected),
    ] {
        let mut world = Virtual::new();
        let mut reply = Some(reply);
        let error =
            world.run(&mut wait(pending(600), seconds(99)), |_, _| reply.take().unwrap()).unwrap_err();
        assert_eq!(error.kind(), &kind);
    }
    // An answer about another payment completes no order.
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
fn a_deadline_holds_whatever_the_host_asks_for() {
    let limited =
        || Ok(Response::builder().status(429).header("retry-after", "3600").body(Vec::new()).unwrap());
    let refused = || no_answer(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
    let replies: [&dyn Fn() -> Reply; 3] = [&limited, &refused, &|| answer(503, "")];
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
fn a_proxys_404_says_nothing_about_the_charge() {
    let mut world = Virtual::new();
    let mut replies = vec![paid(), answer(404, "<html>nginx</html>"), unpaid()];
    let waited = world.run(&mut wait(pending(600), seconds(99)), |_, _| replies.pop().unwrap()).unwrap();
    assert!(waited.is_paid());
}

fn limited(status: u16, retry_after: &str) -> Reply {
    Ok(Response::builder().status(status).header("retry-after", retry_after).body(Vec::new()).unwrap())
}

#[test]
fn a_limited_rate_is_kept_up_to_the_policys_limit() {
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
    let mut answer = reply?;
    answer.headers_mut().insert("date", date.parse().unwrap());
    Ok(answer)
}

#[test]
fn one_wrong_date_does_not_end_a_wait() {
    // An hour ahead, a day, 2100, and in the older forms; with an invoice of ten minutes, one of two, and no grace.
    for date in [
        "Tue, 14 Nov 2023 23:13:21 GMT",
        "Wed, 15 Nov 2023 22:13:21 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "Wednesday, 15-Nov-23 22:13:21 GMT",
        "Wed Nov 15 22:13:21 2023",
    ] {
        for (expiry, paid_at) in [(600, 500), (120, 100)] {
            // Once, twice in a row, or for ever.
            for wrong in [1, 2, usize::MAX] {
                let reply = |paid: bool| {
                    ok(&charge_json(&[("payment_request", invoice(expiry)), ("paid", json!(paid))]))
                };
                let mut asked = 0;
                let options = Wait::until_expiry().grace(seconds(0));
                let waited = Virtual::new().run(&mut wait(pending(expiry), options), |_, now| {
                    asked += 1;
                    let reply = reply(now.monotonic >= seconds(paid_at));
                    if asked <= wrong { with_date(reply, date) } else { reply }
                });
                assert!(waited.unwrap().is_paid(), "{date} {expiry} {wrong}");
            }
        }
    }
}

#[test]
fn a_date_in_the_past_does_not_make_a_wait_endless() {
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
    unpaid().map(|mut answer| {
        answer.headers_mut().insert("date", format!("Tue, 14 Nov 2023 {date} GMT").parse().unwrap());
        answer
    })
}

#[test]
fn the_servers_date_outranks_a_local_clock_that_jumps() {
    // The local clock says 2033; the server says that ten minutes are left, and it is right.
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(START * 12 / 10);
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if now.monotonic >= seconds(300) { paid() } else { dated(0) }
        })
        .unwrap();
    assert!(waited.is_paid());

    // The server's clock is a few minutes fast: the payer still has them.
    let mut world = Virtual::new();
    world.advance(seconds(300));
    let waited = world
        .run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
            if now.monotonic >= seconds(600) { paid() } else { dated(3) }
        })
        .unwrap();
    assert!(waited.is_paid());

    // Both clocks say that the grace is over, though not to the second.
    let mut world = Virtual::new();
    world.advance(seconds(661));
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(3)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.sends(), 1);

    // The local clock says 1970, so nobody knows which is right: the invoice's lifetime passes.
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(0);
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(3)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.waited(), seconds(660));

    // A server whose clock stands still cannot make it endless.
    let mut world = Virtual::new();
    assert!(matches!(
        world.run(&mut wait(pending(600), Wait::until_expiry()), |_, _| dated(0)),
        Ok(WaitOutcome::Expired(_))
    ));
    assert_eq!(world.waited(), seconds(660));
}

#[test]
fn a_clock_set_back_ends_by_the_time_that_passed() {
    let mut world = Virtual::new();
    let waited = world.run(&mut wait(pending(600), Wait::until_expiry()), |_, now| {
        now.unix = UnixMillis::from_millis(START - 1_000_000_000);
        unpaid()
    });
    assert!(matches!(waited, Ok(WaitOutcome::Expired(_))));
    assert_eq!(world.waited(), seconds(660));
}

#[test]
fn a_lost_reply_is_asked_for_again_and_an_early_poll_gets_the_rest() {
    let mut machine = wait(pending(600), Wait::until_expiry());
    let now = |s| Now::new(seconds(s), UnixMillis::from_millis(START + s * 1000));
    assert!(matches!(machine.poll(now(0)), Step::Send(_)));
    assert!(matches!(machine.poll(now(1)), Step::Wait(_)), "the call backs off");
    assert!(matches!(machine.poll(now(10)), Step::Send(_)));
    machine.handle(unpaid(), now(10));
    machine.handle(paid(), now(10));
    let Step::Wait(rest) = machine.poll(now(10)) else { panic!("a stray reply was taken") };
    assert_eq!(rest, seconds(1));
    assert!(matches!(machine.poll(now(11)), Step::Send(_)));
    machine.handle(paid(), now(11));
    assert!(matches!(machine.poll(now(11)), Step::Done(Ok(WaitOutcome::Paid(_)))));
    let Step::Done(Err(error)) = machine.poll(now(11)) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    let _: Error = error;
}
