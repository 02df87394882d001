//! Which clock decides whether an invoice has expired, the same for both clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use strike_core::{
    Advice, ApiKey, Charge, CheckedInvoice, Endpoint, Error, ErrorKind, Exchange, Expectation, Mismatch,
    NewCharge, Now, UnixMillis,
};
use strike_sandbox::Sandbox;

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

fn outcomes(ahead: Duration, dated: bool) -> [Outcome; 2] {
    let sandbox = Sandbox::builder().clock_at(START).build();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let endpoint = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    let order = NewCharge::satoshis(4200, "tea");
    let expected = Expectation::of(&order, sandbox.network());
    let known = {
        let sandbox = sandbox.clone();
        let transport = move |exchange: Exchange| sandbox.reply(exchange);
        let client = strike_blocking::Client::builder(endpoint.clone()).transport(transport).build().unwrap();
        client.create(order.clone()).unwrap()
    };
    let reply = move |exchange| {
        let mut reply = sandbox.reply(exchange)?;
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
    for (created, checked) in outcomes(Duration::from_secs(24 * 3600), true) {
        created.expect("the charge was just created");
        assert_eq!(
            checked.unwrap_err().field(),
            "invoice.expires_at",
            "a check uses only the client's clock"
        );
    }
}

#[test]
fn without_a_date_header_the_clients_clock_decides_with_a_margin() {
    for (ahead, payable) in [(3600 + 599, true), (3600 + 600, false)] {
        for (created, checked) in outcomes(Duration::from_secs(ahead), false) {
            assert_eq!(
                (created.is_ok(), checked.is_ok()),
                (payable, payable),
                "{ahead}: {created:?} {checked:?}"
            );
            let Err(error) = created else { continue };
            assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "invoice.expires_at"));
            assert_eq!((error.advice(), error.charge().is_some()), (Advice::InvoiceExpired, true));
        }
    }
}
