//! Drives one machine along a path and checks what it does.

use std::time::Duration;

use http::{Method, Response};
use serde_json::{Value, json};
use strike_core::machine::{Machine, Step};
use strike_core::{Delivery, ErrorKind, Exchange, Now, Reply, TransportErrorKind, UnixMillis};

use super::{HOUR, ReplyKind, Rules, paid_charge, row};
use crate::path::Path;
use crate::support;
use crate::support::{START, charge_json, no_response, respond};

pub(super) struct Play<'a> {
    pub(super) path: &'a mut Path,
    pub(super) rules: Rules,
    pub(super) now: Now,
    /// The total time by which the monotonic clock was set back.
    pub(super) set_back_by: Duration,
    pub(super) replied_paid: bool,
    /// How many creates may have created a charge.
    pub(super) creates: u32,
    /// How many searches since then found nothing.
    pub(super) searches: u32,
    pub(super) reposted: bool,
}

impl Play<'_> {
    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix = self.now.unix.saturating_add(time);
    }

    fn set_back(&mut self) {
        let before = self.now.monotonic;
        self.now.monotonic = before.saturating_sub(HOUR);
        self.set_back_by += before - self.now.monotonic;
        self.now.unix = UnixMillis::from_millis(0);
    }

    /// Drives the machine along the path, and then with successful replies to its end.
    pub(super) fn run<M: Machine>(&mut self, machine: &mut M, is_paid: impl Fn(&M::Output) -> bool) {
        // A reply before the first request must be ignored.
        machine.handle(paid_charge(), self.now);
        for _ in 0..200 {
            match machine.poll(self.now) {
                Step::Send(exchange) => self.send(machine, &exchange),
                Step::Wait(wait) => self.wait(machine, wait),
                Step::Done(result) => {
                    if let Ok(output) = &result {
                        assert!(self.replied_paid || !is_paid(output), "paid without a paid reply");
                    }
                    if let Err(error) = &result {
                        assert_ne!(error.kind(), &ErrorKind::AlreadyFinished);
                        assert!(!error.to_string().contains(support::CANARY));
                    }
                    if self.rules.ends {
                        return self.after_the_end(machine);
                    }
                    if self.path.position == self.path.depth {
                        return;
                    }
                    if self.path.choose(1).is_none() {
                        return;
                    }
                }
            }
        }
        panic!("no end after 200 steps: {:?}", self.path.choices);
    }

    fn send<M: Machine>(&mut self, machine: &mut M, exchange: &Exchange) {
        let kinds = self.rules.kinds;
        let kind = self.path.choose(kinds.len()).map_or(ReplyKind::Paid, |choice| kinds[choice]);
        let first_page = exchange.request.uri().query().is_some_and(|query| query.starts_with("page=0&"));
        if exchange.request.method() == Method::POST {
            if self.creates > 0 {
                assert!(self.rules.repost, "a create that was possibly sent was repeated");
                assert!(
                    self.creates == 1 && (self.reposted || self.searches >= 2),
                    "a third create, or one without two searches"
                );
                self.reposted = true;
            }
            self.creates += u32::from(kind.may_have_created());
            self.searches = 0;
        } else if first_page {
            self.searches += u32::from(matches!(kind, ReplyKind::Good | ReplyKind::Twice | ReplyKind::Back));
        }
        self.pass(Duration::from_millis(100));
        match kind {
            ReplyKind::Lost => {
                self.pass(Duration::from_secs(30));
                return;
            }
            ReplyKind::Back => self.set_back(),
            ReplyKind::Weeks => self.pass(40 * 24 * HOUR),
            _ => {}
        }
        self.replied_paid |= kind == ReplyKind::Paid;
        machine.handle(reply(kind, exchange), self.now);
        if kind == ReplyKind::Twice {
            machine.handle(reply(ReplyKind::Paid, exchange), self.now);
        }
    }

    fn wait<M: Machine>(&mut self, machine: &mut M, wait: Duration) {
        assert!(!wait.is_zero(), "a wait of zero is a busy loop");
        let most = Duration::from_secs(120)
            + if self.rules.stores_times { self.set_back_by } else { Duration::ZERO };
        assert!(wait <= most, "{wait:?} is too long");
        match self.path.choose(self.rules.waits).unwrap_or_default() {
            0 => self.pass(wait),
            1 => {
                // An early poll returns the remaining wait, to the millisecond.
                self.pass(wait / 2);
                let Step::Wait(rest) = machine.poll(self.now) else { panic!("expected a wait") };
                assert!(rest <= wait - wait / 2 + Duration::from_millis(1), "{rest:?} of {wait:?}");
                self.pass(rest);
            }
            2 => self.set_back(),
            3 => self.pass(40 * 24 * HOUR),
            _ => {
                machine.handle(paid_charge(), self.now);
                let Step::Wait(rest) = machine.poll(self.now) else { panic!("an unexpected reply was used") };
                assert_eq!(rest, wait);
                self.pass(wait);
            }
        }
    }

    fn after_the_end<M: Machine>(&mut self, machine: &mut M) {
        for time in [Duration::ZERO, HOUR, 40 * 24 * HOUR] {
            self.pass(time);
            let Step::Done(Err(error)) = machine.poll(self.now) else { panic!("expected Finished") };
            assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
            machine.handle(paid_charge(), self.now);
        }
    }
}

pub(super) fn reply(kind: ReplyKind, exchange: &Exchange) -> Reply {
    let uri = exchange.request.uri();
    let first = uri.query().is_some_and(|query| query.starts_with("page=0&"));
    let id = uri.path().rsplit('/').next().unwrap();
    let rows = |rows: Vec<Value>| json!(if first { rows } else { Vec::new() });
    let body = |paid: bool| match (uri.query(), id) {
        // An unreadable row, and a charge of another order.
        (Some(_), _) if !paid => {
            let other = charge_json(&[("id", json!("ch_8")), ("created", json!(START - 3 * 3_600_000))]);
            rows(vec![json!({"id": "ch_7", "customer_id": "x"}), other])
        }
        (Some(_), _) => rows(vec![row("ch_2", true), row("ch_1", true)]),
        (None, "charges") => {
            let echo = form_urlencoded::parse(exchange.request.body())
                .find(|(name, _)| name == "customer_id")
                .map(|(_, value)| value.into_owned());
            charge_json(&[("paid", json!(paid)), ("customer_id", json!(echo))])
        }
        (None, id) => row(id, paid),
    };
    match kind {
        ReplyKind::Good | ReplyKind::Twice | ReplyKind::Back => respond(200, body(false).to_string()),
        ReplyKind::Paid => respond(200, body(true).to_string()),
        ReplyKind::Other if uri.query().is_some() => {
            respond(200, rows(vec![row("ch_2", false), row("ch_1", false)]).to_string())
        }
        ReplyKind::Other => {
            let other = charge_json(&[("id", json!("ch_9")), ("amount", json!(1)), ("paid", json!(true))]);
            respond(200, other.to_string())
        }
        ReplyKind::Status(status) => respond(status, ""),
        ReplyKind::Limited => {
            Ok(Response::builder().status(429).header("retry-after", "7").body(Vec::new()).unwrap())
        }
        ReplyKind::Html => respond(200, "<html>back soon</html>"),
        ReplyKind::Unsent => no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent),
        ReplyKind::Closed => no_response(TransportErrorKind::Closed, Delivery::MaybeSent),
        ReplyKind::Timeout | ReplyKind::Weeks => {
            no_response(TransportErrorKind::Timeout, Delivery::MaybeSent)
        }
        ReplyKind::Lost => unreachable!("handled by the caller"),
    }
}

/// Runs all sequences of up to this many choices.
pub(super) fn explore(name: &str, depth: usize, rules: Rules, play: impl Fn(&mut Play<'_>)) {
    let mut path = Path { choices: Vec::new(), position: 0, depth };
    let mut sequences = 0_u64;
    loop {
        sequences += 1;
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            play(&mut Play {
                path: &mut path,
                rules,
                now: Now::new(10 * HOUR, UnixMillis::from_millis(START)),
                set_back_by: Duration::ZERO,
                replied_paid: false,
                creates: 0,
                searches: 0,
                reposted: false,
            });
        }));
        if let Err(panic) = result {
            println!("{name}: sequence {sequences}: {:?}", path.choices);
            std::panic::resume_unwind(panic);
        }
        if !path.advance() {
            break;
        }
    }
    println!("{name}: {sequences} sequences of up to {depth} choices");
    assert!(sequences > 1000, "{name}: only {sequences} sequences");
}
