//! Every machine through every short sequence of replies and clocks: the contract of `machine.rs` holds in all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "it says how much it explored")]

mod support;

use std::time::Duration;

use http::{Method, Response};
use lightning_invoice::Currency;
use serde_json::{Value, json};
use strike_core::machine::{Machine, Pager, Step};
use strike_core::mirror::{Change, Mirror, Query, State};
use strike_core::{
    Charge, CoreClient, Create, CreateOnceOptions, CreateOutcome, Delivery, Endpoint, ErrorKind, Event,
    Exchange, Get, List, NewCharge, Now, OrderKey, Reply, RetryPolicy, TransportErrorKind, UnixMillis, Wait,
    Watcher,
};
use support::invoices::written;
use support::{START, answer, charge_json, endpoint, no_answer};

/// What may come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    /// What the API promises: made, unpaid, or a page without the order's charge.
    Good,
    Paid,
    /// Another charge than was asked for; in a list, the order's own, unpaid.
    Other,
    Status(u16),
    Limited,
    Html,
    Unsent,
    Closed,
    Timeout,
    /// Polled instead of told.
    Lost,
    /// Told twice: the second says that it is paid.
    Twice,
    /// Good, but the clocks were set back meanwhile.
    Back,
    /// Time ran out, and the clocks say that it took weeks.
    Weeks,
}

const ALL: [Letter; 19] = [
    Letter::Good,
    Letter::Paid,
    Letter::Other,
    Letter::Status(302),
    Letter::Status(400),
    Letter::Status(401),
    Letter::Status(404),
    Letter::Status(408),
    Letter::Status(429),
    Letter::Limited,
    Letter::Status(500),
    Letter::Html,
    Letter::Unsent,
    Letter::Closed,
    Letter::Timeout,
    Letter::Lost,
    Letter::Twice,
    Letter::Back,
    Letter::Weeks,
];

/// One of each sort, to go deeper.
const FEW: [Letter; 6] =
    [Letter::Good, Letter::Paid, Letter::Status(401), Letter::Unsent, Letter::Timeout, Letter::Lost];

impl Letter {
    /// Whether a create that was answered like this may have made a charge.
    fn may_have_acted(self) -> bool {
        match self {
            Self::Status(status) => status == 408 || status == 500,
            Self::Limited | Self::Unsent => false,
            _ => true,
        }
    }
}

/// One sequence of choices, and how to come to the next.
struct Path {
    /// Each choice, and out of how many.
    choices: Vec<(usize, usize)>,
    at: usize,
    depth: usize,
}

impl Path {
    /// The next choice, or `None` beyond the depth.
    fn choose(&mut self, of: usize) -> Option<usize> {
        if self.at == self.choices.len() {
            if self.at == self.depth {
                return None;
            }
            self.choices.push((0, of));
        }
        let (choice, known) = self.choices[self.at];
        assert_eq!(known, of, "a machine must be deterministic");
        self.at += 1;
        Some(choice)
    }

    /// Goes to the next sequence; false after the last.
    fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.choices.pop() {
            if choice + 1 < of {
                self.choices.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// What is known about a machine, for judging it.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// It can be told to create again, once, after two looks.
    repost: bool,
    /// It ends, and then says so; a stream goes on.
    ends: bool,
    /// It holds moments of the monotonic clock: set back, it waits for them.
    holds_moments: bool,
    letters: &'static [Letter],
    /// How many of the ways to wait are tried; the first is to wait just as long as was asked.
    waits: usize,
}

const USUAL: Rules = Rules { repost: false, ends: true, holds_moments: false, letters: &ALL, waits: 5 };

/// Fewer letters, more choices.
const DEEP: Rules = Rules { letters: &FEW, waits: 2, ..USUAL };

struct Play<'a> {
    path: &'a mut Path,
    rules: Rules,
    now: Now,
    /// How far the monotonic clock was set back, in all.
    back: Duration,
    said_paid: bool,
    /// How many creates may have made a charge.
    acted: u32,
    /// How many looks since then found nothing.
    looks: u32,
    posts_again: bool,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Play<'_> {
    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix = self.now.unix.saturating_add(time);
    }

    fn set_back(&mut self) {
        let before = self.now.monotonic;
        self.now.monotonic = before.saturating_sub(HOUR);
        self.back += before - self.now.monotonic;
        self.now.unix = UnixMillis::from_millis(0);
    }

    /// Drives the machine along the path, and then with good replies to its end.
    fn run<M: Machine>(&mut self, machine: &mut M, is_paid: impl Fn(&M::Output) -> bool) {
        // Nobody has asked yet.
        machine.handle(paid_charge(), self.now);
        for _ in 0..200 {
            match machine.poll(self.now) {
                Step::Send(exchange) => self.send(machine, &exchange),
                Step::Wait(wait) => self.wait(machine, wait),
                Step::Done(result) => {
                    if let Ok(output) = &result {
                        assert!(self.said_paid || !is_paid(output), "nobody said that it is paid");
                    }
                    if let Err(error) = &result {
                        assert_ne!(error.kind(), &ErrorKind::AlreadyFinished);
                        assert!(!error.to_string().contains(support::CANARY));
                    }
                    if self.rules.ends {
                        return self.after_the_end(machine);
                    }
                    if self.path.at == self.path.depth {
                        return;
                    }
                    if self.path.choose(1).is_none() {
                        return;
                    }
                }
            }
        }
        panic!("no end, although all is well: {:?}", self.path.choices);
    }

    fn send<M: Machine>(&mut self, machine: &mut M, exchange: &Exchange) {
        let letters = self.rules.letters;
        let letter = self.path.choose(letters.len()).map_or(Letter::Paid, |choice| letters[choice]);
        let first_page = exchange.request.uri().query().is_some_and(|query| query.starts_with("page=0&"));
        if exchange.request.method() == Method::POST {
            if self.acted > 0 {
                assert!(self.rules.repost, "a create that may have left was sent again");
                assert!(
                    self.acted == 1 && (self.posts_again || self.looks >= 2),
                    "a third create, or a blind one"
                );
                self.posts_again = true;
            }
            self.acted += u32::from(letter.may_have_acted());
            self.looks = 0;
        } else if first_page {
            self.looks += u32::from(matches!(letter, Letter::Good | Letter::Twice | Letter::Back));
        }
        self.pass(Duration::from_millis(100));
        match letter {
            Letter::Lost => {
                self.pass(Duration::from_secs(30));
                return;
            }
            Letter::Back => self.set_back(),
            Letter::Weeks => self.pass(40 * 24 * HOUR),
            _ => {}
        }
        self.said_paid |= letter == Letter::Paid;
        machine.handle(reply(letter, exchange), self.now);
        if letter == Letter::Twice {
            machine.handle(reply(Letter::Paid, exchange), self.now);
        }
    }

    fn wait<M: Machine>(&mut self, machine: &mut M, wait: Duration) {
        assert!(!wait.is_zero(), "a wait of nothing is a busy loop");
        let most =
            Duration::from_secs(120) + if self.rules.holds_moments { self.back } else { Duration::ZERO };
        assert!(wait <= most, "{wait:?} is too long");
        match self.path.choose(self.rules.waits).unwrap_or_default() {
            0 => self.pass(wait),
            1 => {
                // Early: the remainder, to the millisecond.
                self.pass(wait / 2);
                let Step::Wait(rest) = machine.poll(self.now) else { panic!("too early for anything else") };
                assert!(rest <= wait - wait / 2 + Duration::from_millis(1), "{rest:?} of {wait:?}");
                self.pass(rest);
            }
            2 => self.set_back(),
            3 => self.pass(40 * 24 * HOUR),
            _ => {
                machine.handle(paid_charge(), self.now);
                let Step::Wait(rest) = machine.poll(self.now) else { panic!("nobody asked for that") };
                assert_eq!(rest, wait);
                self.pass(wait);
            }
        }
    }

    fn after_the_end<M: Machine>(&mut self, machine: &mut M) {
        for time in [Duration::ZERO, HOUR, 40 * 24 * HOUR] {
            self.pass(time);
            let Step::Done(Err(error)) = machine.poll(self.now) else { panic!("it had ended") };
            assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
            machine.handle(paid_charge(), self.now);
        }
    }
}

thread_local! {
    static AT: Endpoint = endpoint();
    static INVOICE: String = written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(600));
}

fn at() -> Endpoint {
    AT.with(Clone::clone)
}

fn key() -> OrderKey {
    OrderKey::named("order-17")
}

fn row(id: &str, paid: bool) -> Value {
    charge_json(&[
        ("id", json!(id)),
        ("paid", json!(paid)),
        ("payment_request", json!(INVOICE.with(Clone::clone))),
        ("customer_id", json!(key().customer_id(""))),
    ])
}

fn charge(id: &str) -> Charge {
    serde_json::from_value(row(id, false)).unwrap()
}

fn paid_charge() -> Reply {
    answer(200, row("ch_1", true).to_string())
}

fn reply(letter: Letter, exchange: &Exchange) -> Reply {
    let uri = exchange.request.uri();
    let first = uri.query().is_some_and(|query| query.starts_with("page=0&"));
    let id = uri.path().rsplit('/').next().unwrap();
    let rows = |rows: Vec<Value>| json!(if first { rows } else { Vec::new() });
    let body = |paid: bool| match (uri.query(), id) {
        // A bad row, and one of somebody else.
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
    match letter {
        Letter::Good | Letter::Twice | Letter::Back => answer(200, body(false).to_string()),
        Letter::Paid => answer(200, body(true).to_string()),
        Letter::Other if uri.query().is_some() => {
            answer(200, rows(vec![row("ch_2", false), row("ch_1", false)]).to_string())
        }
        Letter::Other => {
            let other = charge_json(&[("id", json!("ch_9")), ("amount", json!(1)), ("paid", json!(true))]);
            answer(200, other.to_string())
        }
        Letter::Status(status) => answer(status, ""),
        Letter::Limited => {
            Ok(Response::builder().status(429).header("retry-after", "7").body(Vec::new()).unwrap())
        }
        Letter::Html => answer(200, "<html>back soon</html>"),
        Letter::Unsent => no_answer(TransportErrorKind::ConnectionRefused, Delivery::Unsent),
        Letter::Closed => no_answer(TransportErrorKind::Closed, Delivery::MaybeSent),
        Letter::Timeout | Letter::Weeks => no_answer(TransportErrorKind::Timeout, Delivery::MaybeSent),
        Letter::Lost => unreachable!("nobody is told"),
    }
}

/// Plays every sequence of that many choices, and those that end before.
fn explore(name: &str, depth: usize, rules: Rules, play: impl Fn(&mut Play<'_>)) {
    let mut path = Path { choices: Vec::new(), at: 0, depth };
    let mut sequences = 0_u64;
    loop {
        sequences += 1;
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            play(&mut Play {
                path: &mut path,
                rules,
                now: Now::new(10 * HOUR, UnixMillis::from_millis(START)),
                back: Duration::ZERO,
                said_paid: false,
                acted: 0,
                looks: 0,
                posts_again: false,
            });
        }));
        if let Err(panic) = told {
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

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

fn once(name: &str, depth: usize, once: CreateOnceOptions, rules: Rules) {
    explore(name, depth, rules, |play| {
        // What is recovered was sent before.
        play.acted = u32::from(name.contains("recover"));
        play.run(&mut CoreClient::new(at(), policy(), 1).create_once(order(), once), |made| {
            matches!(made, CreateOutcome::Paid(_))
        });
    });
}

#[test]
fn get() {
    explore("get", 5, USUAL, |play| {
        let get = Get::new("ch_1".parse().unwrap());
        play.run(&mut CoreClient::new(at(), policy(), 1).call(get), Charge::is_paid);
    });
}

#[test]
fn list() {
    explore("list", 5, USUAL, |play| {
        let mut call = CoreClient::new(at(), policy(), 1).call(List::page(0));
        play.run(&mut call, |page| page.charges().any(Charge::is_paid));
    });
}

#[test]
fn create() {
    explore("create", 6, USUAL, |play| {
        play.run(&mut CoreClient::new(at(), policy(), 1).call(Create::new(order())), Charge::is_paid);
    });
}

#[test]
fn wait_paid() {
    for (name, depth, rules) in [("wait until paid", 4, USUAL), ("wait until paid, deep", 8, DEEP)] {
        explore(name, depth, rules, |play| {
            let mut wait = CoreClient::new(at(), policy(), 1).wait(charge("ch_1"), Wait::until_expiry());
            play.run(&mut wait, strike_core::WaitOutcome::is_paid);
        });
    }
}

#[test]
fn create_once_named() {
    once("create once, named", 4, CreateOnceOptions::with_key(key()), USUAL);
    once("create once, named, deep", 7, CreateOnceOptions::with_key(key()), DEEP);
}

#[test]
fn create_once_fresh() {
    once("create once, fresh", 4, CreateOnceOptions::fresh(key()), USUAL);
    once("create once, fresh, deep", 7, CreateOnceOptions::fresh(key()), DEEP);
}

#[test]
fn create_once_recover() {
    once("create once, recover", 4, CreateOnceOptions::recover(key()), USUAL);
    once("create once, recover, deep", 7, CreateOnceOptions::recover(key()), DEEP);
}

#[test]
fn create_once_repost() {
    once(
        "create once, may post again",
        4,
        CreateOnceOptions::fresh(key()).repost(true),
        Rules { repost: true, ..USUAL },
    );
    once(
        "create once, may post again, deep",
        8,
        CreateOnceOptions::fresh(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
    once(
        "recover, may post again, deep",
        8,
        CreateOnceOptions::recover(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
}

fn is_some_paid(charge: &Option<Charge>) -> bool {
    charge.as_ref().is_some_and(Charge::is_paid)
}

#[test]
fn pager() {
    explore("pager", 5, USUAL, |play| {
        let mut pager = CoreClient::new(at(), policy(), 1).pager();
        play.run(&mut pager.next(), is_some_paid);
    });
}

/// A stream, each of whose machines is dropped after every step.
struct Dropped<S>(S);

impl Machine for Dropped<Pager> {
    type Output = Option<Charge>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        self.0.next().poll(now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.next().handle(reply, now);
    }
}

impl Machine for Dropped<Watcher> {
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        self.0.next().poll(now)
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.0.next().handle(reply, now);
    }
}

#[test]
fn pager_dropped() {
    explore("pager, dropped at each step", 4, Rules { ends: false, ..USUAL }, |play| {
        play.run(&mut Dropped(CoreClient::new(at(), policy(), 1).pager()), is_some_paid);
    });
}

fn watcher(charges: &[&str]) -> Watcher {
    let mut watcher = CoreClient::new(at(), policy(), 1).watcher();
    for id in charges {
        watcher.add(&charge(id));
    }
    watcher
}

fn is_paid_event(event: &Option<Event>) -> bool {
    matches!(event, Some(Event::Paid(_)))
}

#[test]
fn watcher_of_one() {
    for (name, depth, rules) in [("watcher of one", 4, USUAL), ("watcher of one, deep", 8, DEEP)] {
        explore(name, depth, Rules { holds_moments: true, ..rules }, |play| {
            play.run(&mut watcher(&["ch_1"]).next(), is_paid_event);
        });
    }
}

#[test]
fn watcher_of_two() {
    for (name, depth, rules) in [("watcher of two", 4, USUAL), ("watcher of two, deep", 8, DEEP)] {
        explore(name, depth, Rules { holds_moments: true, ..rules }, |play| {
            play.run(&mut watcher(&["ch_1", "ch_2"]).next(), is_paid_event);
        });
    }
}

#[test]
fn watcher_dropped() {
    let rules = Rules { holds_moments: true, ends: false, ..USUAL };
    explore("watcher of two, dropped at each step", 4, rules, |play| {
        let mut watcher = watcher(&["ch_1", "ch_2"]);
        watcher.check_soon(charge("ch_2").id());
        play.run(&mut Dropped(watcher), is_paid_event);
    });
}

#[test]
fn fetch() {
    let machines = CoreClient::new(at(), policy(), 1);
    let now = UnixMillis::from_millis(START);
    for (name, depth, mirror, want) in [
        ("fetch of a draft", 4, Mirror::draft(order(), key(), now), Query::Id),
        ("fetch of a known charge", 5, Mirror::known("ch_1".parse().unwrap()), Query::Charge),
        ("fetch of a pending charge", 5, Mirror::of(charge("ch_1")), Query::Paid),
    ] {
        explore(name, depth, USUAL, |play| {
            let mut mirror = mirror.clone();
            play.run(&mut mirror.fetch(want, &machines), |change| *change == Change::Paid);
            assert!(play.said_paid || mirror.state() != State::Paid);
            assert!(play.acted == 0 || mirror.state() != State::Draft, "what may have left is no draft");
        });
    }
}
