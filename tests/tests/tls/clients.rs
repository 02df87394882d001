//! Both adapters with the same TLS and proxy settings, and checks that several tests share.

use std::time::Duration;

use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::{
    Advice, ApiKey, Attempt, Delivery, Endpoint, Error, ErrorKind, NewCharge, RetryPolicy,
    TransportErrorKind, Wait, WaitOutcome,
};
use strike_sandbox::RunningSandbox;
use strike_tests::{AnyClient, AsyncClient};

/// The TLS and proxy settings of both clients.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) ca_certificate: Option<String>,
    pub(crate) proxy: Option<String>,
}

impl Setup {
    pub(crate) fn with_ca_of(sandbox: &RunningSandbox) -> Self {
        Self { ca_certificate: sandbox.ca_certificate().map(str::to_owned), proxy: None }
    }

    pub(crate) fn with_proxy(self, proxy: String) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Builds both clients, with the default retries but without delays.
    pub(crate) fn clients(&self, endpoint: &Endpoint) -> [Box<dyn AnyClient>; 2] {
        let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let (mut blocking, mut asynchronous) = (UreqTransport::builder(), ReqwestTransport::builder());
        if let Some(pem) = &self.ca_certificate {
            (blocking, asynchronous) = (blocking.ca_certificate(pem), asynchronous.ca_certificate(pem));
        }
        if let Some(proxy) = &self.proxy {
            (blocking, asynchronous) = (blocking.proxy(proxy), asynchronous.proxy(proxy));
        }
        let blocking = strike_blocking::Client::builder(endpoint.clone())
            .transport(blocking.build().unwrap())
            .retry(policy);
        let asynchronous = strike_async::Client::builder(endpoint.clone())
            .transport(asynchronous.build().unwrap())
            .retry(policy);
        [Box::new(blocking.build().unwrap()), Box::new(AsyncClient::new(asynchronous.build().unwrap()))]
    }
}

pub(crate) fn endpoint(base_url: &str, sandbox: &RunningSandbox) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network()).unwrap()
}

pub(crate) fn order() -> NewCharge {
    NewCharge::satoshis(4200, "over TLS")
}

/// Creates a charge, pays it, waits for the payment, and reads the list.
pub(crate) fn sell(client: &dyn AnyClient, sandbox: &RunningSandbox) {
    let charge = client.create(order()).unwrap();
    assert!(!client.get(charge.id()).unwrap().is_paid());
    sandbox.pay(charge.id()).unwrap();
    let WaitOutcome::Paid(paid) = client.wait_until_paid(&charge, Wait::until_expiry()).unwrap() else {
        panic!("the charge should be paid")
    };
    assert_eq!(client.list_all().unwrap()[0], *paid);
}

/// Checks that the certificate was rejected, nothing was sent, and there was no retry.
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
