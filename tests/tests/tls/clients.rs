//! Both adapters behind one face, so that each test is written once.

use std::time::Duration;

use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::{
    Advice, ApiKey, Attempt, Charge, ChargeId, Delivery, Endpoint, Error, ErrorKind, NewCharge, RetryPolicy,
    TransportErrorKind, Wait, WaitOutcome,
};
use strike_sandbox::RunningSandbox;
use tokio::runtime::Runtime;

/// What a shop does with a client.
pub(crate) trait Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error>;
    fn get(&self, id: &ChargeId) -> Result<Charge, Error>;
    fn list(&self) -> Result<Vec<Charge>, Error>;
    fn wait_until_paid(&self, charge: &Charge) -> Result<WaitOutcome, Error>;
}

impl Client for strike_blocking::Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.create(order)
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.get(id)
    }

    fn list(&self) -> Result<Vec<Charge>, Error> {
        self.list_all().collect()
    }

    fn wait_until_paid(&self, charge: &Charge) -> Result<WaitOutcome, Error> {
        self.wait_until_paid(charge, Wait::until_expiry())
    }
}

struct Async(Runtime, strike_async::Client);

impl Client for Async {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.0.block_on(self.1.create(order))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.0.block_on(self.1.get(id))
    }

    fn list(&self) -> Result<Vec<Charge>, Error> {
        self.0.block_on(async {
            let mut charges = self.1.list_all();
            let mut seen = Vec::new();
            while let Some(charge) = charges.next().await {
                seen.push(charge?);
            }
            Ok(seen)
        })
    }

    fn wait_until_paid(&self, charge: &Charge) -> Result<WaitOutcome, Error> {
        self.0.block_on(self.1.wait_until_paid(charge, Wait::until_expiry()))
    }
}

/// How both are set up.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) trusts: Option<String>,
    pub(crate) proxy: Option<String>,
}

impl Setup {
    pub(crate) fn trusting(sandbox: &RunningSandbox) -> Self {
        Self { trusts: sandbox.ca_certificate().map(str::to_owned), proxy: None }
    }

    pub(crate) fn through(self, proxy: String) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Both clients, which retry as often as they would, but without a pause.
    pub(crate) fn clients(&self, at: &Endpoint) -> [Box<dyn Client>; 2] {
        let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let (mut blocking, mut asynchronous) = (UreqTransport::builder(), ReqwestTransport::builder());
        if let Some(pem) = &self.trusts {
            (blocking, asynchronous) = (blocking.ca_certificate(pem), asynchronous.ca_certificate(pem));
        }
        if let Some(proxy) = &self.proxy {
            (blocking, asynchronous) = (blocking.proxy(proxy), asynchronous.proxy(proxy));
        }
        let blocking =
            strike_blocking::Client::builder(at.clone()).transport(blocking.build().unwrap()).retry(policy);
        let asynchronous =
            strike_async::Client::builder(at.clone()).transport(asynchronous.build().unwrap()).retry(policy);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        [Box::new(blocking.build().unwrap()), Box::new(Async(runtime, asynchronous.build().unwrap()))]
    }
}

pub(crate) fn endpoint(base_url: &str, sandbox: &RunningSandbox) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap()
}

pub(crate) fn order() -> NewCharge {
    NewCharge::satoshis(4200, "over TLS")
}

/// A shop's day: an order, its payment, and a look at the account.
pub(crate) fn sell(client: &dyn Client, sandbox: &RunningSandbox) {
    let charge = client.create(order()).unwrap();
    assert!(!client.get(charge.id()).unwrap().is_paid());
    sandbox.pay(charge.id()).unwrap();
    let WaitOutcome::Paid(paid) = client.wait_until_paid(&charge).unwrap() else { panic!("it is paid") };
    assert_eq!(client.list().unwrap()[0], *paid);
}

/// Nobody who could be trusted answered: nothing was sent, it is not tried again, and somebody must look at the host.
pub(crate) fn assert_untrusted(error: &Error, reason: &str) {
    let kind = ErrorKind::Connection { kind: TransportErrorKind::Tls, delivery: Delivery::Unsent };
    assert_eq!(error.kind(), &kind, "{error:?}");
    assert_eq!(error.advice(), Advice::CheckHost);
    assert_eq!(error.attempts().len(), 1, "{error:?}");
    assert!(format!("{error:?}").contains(reason), "{error:?}");
}

pub(crate) fn outcomes(error: &Error) -> Vec<strike_core::AttemptOutcome> {
    error.attempts().iter().map(Attempt::outcome).collect()
}
