//! Which clock decides whether an invoice has expired, the same for both clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use strike_core::fixture::SimulatedHost;
use strike_core::{
    Advice, Charge, CheckedInvoice, Error, ErrorKind, Event, Exchange, Expectation, Mismatch, NewCharge, Now,
    UnixMillis, Wait,
};
use strike_sandbox::Sandbox;
use strike_tests::lnbits::{LnbitsQuirks, Status};
use strike_tests::{Backend, Dialect};

const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// A clock that does not advance.
#[derive(Clone, Copy)]
struct Stopped(Now);

impl strike_blocking::Timer for Stopped {
    fn now(&self) -> Now {
        self.0
    }

    fn wait(&self, _: Duration, _: &strike_blocking::Wake) {
        panic!("nothing should wait");
    }
}

impl strike_async::Timer for Stopped {
    fn now(&self) -> Now {
        self.0
    }

    fn wait(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        panic!("nothing should wait");
    }
}

/// The results of a create and of a check. The server's invoices expire an hour after [`START`],
/// and the client's clock is ahead by a given time.
type Outcome = (Result<Charge, Error>, Result<CheckedInvoice, Mismatch>);

fn outcomes(dialect: Dialect, ahead: Duration, dated: bool) -> [Outcome; 2] {
    let backend = Backend::new(dialect, Sandbox::builder().clock_at(START).build());
    let endpoint = backend.endpoint().unwrap();
    let order = NewCharge::satoshis(4200, "tea");
    let expected = Expectation::of(&order, backend.sandbox.network());
    let known = {
        let backend = backend.clone();
        let transport = move |exchange: Exchange| backend.reply(exchange);
        let timer = Stopped(Now::new(Duration::ZERO, START));
        let client = strike_blocking::Client::builder(endpoint.clone()).transport(transport).timer(timer);
        client.build().unwrap().create(order.clone()).unwrap()
    };
    let reply = move |exchange| {
        let mut reply = backend.reply(exchange)?;
        if !dated {
            reply.headers_mut().remove("date");
        }
        Ok(reply)
    };
    let timer = Stopped(Now::new(Duration::ZERO, START.saturating_add(ahead)));

    let transport = reply.clone();
    let client =
        strike_blocking::Client::builder(endpoint.clone()).transport(transport).timer(timer).build().unwrap();
    let blocking = (client.create(order.clone()), client.check(&known, &expected));

    let transport = move |exchange: Exchange| ready(reply(exchange));
    let client = strike_async::Client::builder(endpoint).transport(transport).timer(timer).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    [blocking, (runtime.block_on(client.create(order)), client.check(&known, &expected))]
}

#[test]
fn date_header_decides_expiry_instead_of_the_clients_clock() {
    // phoenixd sends no `Date`.
    for dialect in [Dialect::Strike, Dialect::Lnbits] {
        for (created, checked) in outcomes(dialect, Duration::from_secs(24 * 3600), true) {
            created.expect("the charge was just created");
            assert_eq!(
                checked.unwrap_err().field(),
                "invoice.expires_at",
                "a check uses only the client's clock"
            );
        }
    }
}

#[test]
fn without_a_date_header_the_clients_clock_decides_with_a_margin() {
    let cases = [(3600 + 599, true), (3600 + 600, false)];
    for (dialect, (ahead, payable)) in Dialect::ALL.into_iter().flat_map(|it| cases.map(|case| (it, case))) {
        for (created, checked) in outcomes(dialect, Duration::from_secs(ahead), false) {
            assert_eq!(
                (created.is_ok(), checked.is_ok()),
                (payable, payable),
                "{dialect}, {ahead}: {created:?} {checked:?}"
            );
            let Err(error) = created else { continue };
            assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "invoice.expires_at"));
            assert_eq!((error.advice(), error.charge().is_some()), (Advice::InvoiceExpired, true));
        }
    }
}

/// LNbits looks at its clock before it asks the node. A first read after the expiry would hide a
/// payment whose event was lost.
#[test]
fn a_payment_whose_event_lnbits_lost_is_seen_shortly_before_the_expiry() {
    for watches in [false, true] {
        let quirks = LnbitsQuirks { events_are_lost: true, ..LnbitsQuirks::default() };
        let sandbox = Sandbox::builder().clock_at(START).build();
        let backend = Backend::with_quirks(Dialect::Lnbits, sandbox, quirks);
        let host = SimulatedHost::new(backend.clone());
        let builder = strike_blocking::Client::builder(backend.endpoint().unwrap()).simulated(&host);
        let client = builder.build().unwrap();
        let charge = client.create(NewCharge::satoshis(4200, "tea").expiry_sec(600)).unwrap();
        // 6 s before the expiry. By then, the interval between two reads is longer.
        backend.pay_at(charge.id(), START.saturating_add(Duration::from_secs(594)));
        let paid = if watches {
            let mut watcher = client.watcher();
            watcher.add(&charge);
            matches!(client.watch(watcher).next(), Some(Ok(Event::Paid(_))))
        } else {
            client.wait_until_paid(&charge, Wait::until_expiry()).unwrap().is_paid()
        };
        assert!(paid, "watches: {watches}");
        assert!(host.elapsed() < Duration::from_secs(600), "{:?}", host.elapsed());
    }
}

/// A late event of the node heals a payment that LNbits called expired.
#[test]
fn a_late_success_of_lnbits_is_honoured_within_the_grace_period() {
    let quirks = LnbitsQuirks { events_are_lost: true, ..LnbitsQuirks::default() };
    let backend = Backend::with_quirks(Dialect::Lnbits, Sandbox::builder().clock_at(START).build(), quirks);
    let host = SimulatedHost::new(backend.clone());
    let builder = strike_blocking::Client::builder(backend.endpoint().unwrap()).simulated(&host);
    let client = builder.build().unwrap();
    let charge = client.create(NewCharge::satoshis(4200, "tea").expiry_sec(600)).unwrap();
    // In the last second. Nobody asks the node between the payment and the expiry.
    backend.pay_at(charge.id(), START.saturating_add(Duration::from_millis(599_500)));
    let until_expiry = Wait::at_most(Duration::from_secs(630));
    assert!(!client.wait_until_paid(&charge, until_expiry).unwrap().is_paid());
    assert_eq!(backend.lnbits().status(charge.id().as_str()), Some(Status::Failed));
    backend.lnbits().deliver(charge.id().as_str(), backend.sandbox.now());
    assert!(client.wait_until_paid(&charge, Wait::until_expiry()).unwrap().is_paid());
}
