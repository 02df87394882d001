//! How many requests each verb takes, per backend, on an account with 10,000 charges.
//!
//! `cargo test -p strike-tests --test shop requests_per_verb -- --nocapture` prints the table.

use std::time::Duration;

use strike_core::http::Method;
use strike_core::machine::{Machine, Step};
use strike_core::{
    CoreClient, Create, CreateOnceOptions, CreateOutcome, Delivery, Error, Get, List, Network, NewCharge,
    Now, RetryPolicy, TransportError, TransportErrorKind, UnixMillis,
};
use strike_tests::lnbits::{Kind, LnbitsQuirks};
use strike_tests::{Dialect, ORIGIN, secrets};

use super::host::Host;
use super::plan::START;
use super::service::Service;

const CHARGES: usize = 10_000;

/// An account with charges, and a counter of requests.
struct Account {
    dialect: Dialect,
    host: Host,
    /// In milliseconds since the start.
    time: u64,
    requests: usize,
    /// The response to the next create is lost.
    loses_create: bool,
}

impl Account {
    fn new(dialect: Dialect, charges: usize, old_lnbits: bool) -> Self {
        let mut service = Service::new(1000, 0, dialect != Dialect::Phoenixd);
        let time = 1000 * charges as u64;
        for row in 0..charges {
            service.create_charge(1, "tea", None, 3600, START + 1000 * row as u64);
        }
        let quirks = LnbitsQuirks { ignores_external_id: old_lnbits, ..LnbitsQuirks::default() };
        let host = Host::simulated(dialect, service, quirks);
        Self { dialect, host, time, requests: 0, loses_create: false }
    }

    /// Another process: it knows no order.
    fn client(&self) -> CoreClient {
        let endpoint = self.dialect.endpoint(ORIGIN, secrets::KEY, Network::Testnet).unwrap();
        CoreClient::new(endpoint, RetryPolicy::default(), 7)
    }

    fn now(&self) -> Now {
        Now::new(Duration::from_millis(self.time), UnixMillis::from_millis(START + self.time))
    }

    /// Runs a machine. Returns its result and the number of its requests.
    fn count<M: Machine>(&mut self, mut machine: M) -> (Result<M::Output, Error>, usize) {
        let before = self.requests;
        loop {
            match machine.poll(self.now()) {
                Step::Send(exchange) => {
                    self.requests += 1;
                    let (response, _) = self.host.respond(&exchange.request, START + self.time);
                    let is_lost =
                        exchange.request.method() == Method::POST && std::mem::take(&mut self.loses_create);
                    let lost = TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent);
                    machine.handle(if is_lost { Err(lost) } else { Ok(response) }, self.now());
                }
                Step::Wait(wait) => self.time += u64::try_from(wait.as_millis()).unwrap().max(1),
                Step::Done(result) => return (result, self.requests - before),
            }
        }
    }

    fn once(&mut self, options: impl Into<CreateOnceOptions>) -> (CreateOutcome, usize) {
        let machine = self.client().create_once(order(), options);
        let (outcome, requests) = self.count(machine);
        (outcome.unwrap(), requests)
    }

    /// Reads the whole list, in pages of 250 rows.
    fn list_all(&mut self) -> usize {
        let (mut pager, mut rows, mut requests) = (self.client().pager().page_size(250), 0, 0);
        loop {
            let (charge, sent) = self.count(pager.next());
            requests += sent;
            match charge.unwrap() {
                Some(_) => rows += 1,
                None => break,
            }
        }
        assert!(rows >= CHARGES, "{rows} rows");
        requests
    }
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea").customer_id("table-4").expiry_sec(600)
}

/// The requests of each verb, in the order of [`VERBS`].
fn requests_per_verb(dialect: Dialect, old_lnbits: bool) -> [usize; VERBS.len()] {
    let mut account = Account::new(dialect, CHARGES, old_lnbits);
    let client = account.client();
    let list_all = account.list_all();
    let (outcome, new_order) = account.once("order-1");
    let first = outcome.into_charge();
    let (created, create) = account.count(client.call(Create::new(order())));
    let charge = created.unwrap();
    let (read, get) = account.count(client.call(Get::new(charge.id().clone())));
    assert_eq!(read.unwrap().payment_request(), charge.payment_request());
    let (page, list) = account.count(client.call(List::page(0)));
    assert_eq!(page.unwrap().rows(), 30);
    let (outcome, known_order) = account.once("order-1");
    assert_eq!(outcome.charge().id(), first.id());
    account.loses_create = true;
    let (outcome, lost_response) = account.once("order-2");
    assert!(matches!(outcome, CreateOutcome::Payable(_)), "{outcome:?}");
    let (outcome, recovered) =
        account.once(CreateOnceOptions::recover(CreateOnceOptions::named("order-2").key()));
    assert!(matches!(outcome, CreateOutcome::Payable(_)), "{outcome:?}");
    [create, get, list, list_all, new_order, known_order, lost_response, recovered]
}

const VERBS: [&str; 8] = [
    "create",
    "get",
    "list",
    "list_all",
    "create_once, new order",
    "create_once, known order",
    "create_once, lost response",
    "create_once, recover",
];

#[test]
fn requests_per_verb_do_not_grow_with_the_account_if_the_backend_can_find() {
    let columns = [
        ("Strike", requests_per_verb(Dialect::Strike, false)),
        ("phoenixd", requests_per_verb(Dialect::Phoenixd, false)),
        ("LNbits", requests_per_verb(Dialect::Lnbits, false)),
        ("LNbits before 1.5.6", requests_per_verb(Dialect::Lnbits, true)),
    ];
    println!("requests on an account with {CHARGES} charges:");
    print!("{:28}", "");
    columns.iter().for_each(|(name, _)| print!("{name:>20}"));
    println!();
    for (at, verb) in VERBS.iter().enumerate() {
        print!("{verb:28}");
        columns.iter().for_each(|(_, requests)| print!("{:20}", requests[at]));
        println!();
    }
    assert_eq!(columns[0].1, [1, 1, 1, 41, 14, 13, 15, 42]);
    assert_eq!(columns[1].1, [1, 1, 1, 42, 2, 2, 4, 2]);
    assert_eq!(columns[2].1, [1, 1, 1, 41, 2, 1, 3, 1]);
    // It ignores the filter, so the find is followed by a walk.
    assert_eq!(columns[3].1, [1, 1, 1, 41, 43, 43, 46, 43]);
}

#[test]
fn get_of_a_charge_that_its_own_wallet_paid_takes_two_requests() {
    let mut account = Account::new(Dialect::Lnbits, 0, false);
    let client = account.client();
    let charge = account.count(client.call(Create::new(order()))).0.unwrap();
    account.host.lnbits.mark(charge.id().as_str(), Kind::SelfPaid);
    let get = || client.call(Get::new(charge.id().clone()));
    assert_eq!(account.count(get()).1, 1, "the outgoing payment does not exist yet");
    assert!(account.host.pay(0, START + account.time, START + account.time));
    let (read, requests) = account.count(get());
    assert!(read.unwrap().is_paid());
    assert_eq!(requests, 2);
}

/// phoenixd finds one attempt at a time. LNbits finds all attempts of an order.
#[test]
fn each_further_attempt_costs_phoenixd_one_more_look() {
    for (dialect, looks_grow) in [(Dialect::Phoenixd, true), (Dialect::Lnbits, false)] {
        let mut account = Account::new(dialect, 100, false);
        let mut options = CreateOnceOptions::named("order-17");
        for attempt in 1..=5 {
            let looks = if looks_grow { attempt } else { 1 };
            let (outcome, requests) = account.once(options);
            assert!(matches!(outcome, CreateOutcome::Payable(_)), "{dialect}, {attempt}: {outcome:?}");
            assert_eq!(requests, looks + 1, "{dialect}, attempt {attempt}: the looks, and the create");

            let (outcome, requests) = account.once("order-17");
            assert!(matches!(outcome, CreateOutcome::Payable(_)), "{dialect}, {attempt}: {outcome:?}");
            let looks_if_found = if looks_grow { attempt + 1 } else { 1 };
            assert_eq!(requests, looks_if_found, "{dialect}, attempt {attempt} is found");

            // Its invoice expires. The local clock decides 10 minutes later, without a `Date`.
            account.time += 2 * 600_000;
            let (outcome, requests) = account.once("order-17");
            let CreateOutcome::Expired { next, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(requests, looks_if_found + 1, "{dialect}, attempt {attempt}: and a last read");
            options = next;
        }
    }
}
