//! The requests that a transport is given, and the secrets in them that no error may reveal.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use strike_core::http::{Method, Request};
use strike_core::{ConnectionUse, Exchange, TransportError};

/// The timeout of exchanges that get a response at once. Only a transport that hangs uses it up.
pub(crate) const LONG_TIMEOUT: Duration = Duration::from_secs(4);

/// The timeout of exchanges that are meant to time out.
pub(crate) const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

/// The path of most requests.
pub(crate) const PATH: &str = "/api/v1/charges";

/// The path that redirects lead to.
pub(crate) const REDIRECT_PATH: &str = "/elsewhere";

/// A key that appears in no other text, and the header that carries it.
const KEY: &str = "sk_conformanceCanary7Q";
pub(crate) const AUTHORIZATION: &str = "Basic c2tfY29uZm9ybWFuY2VDYW5hcnk3UTo=";

/// A request whose server has no address yet.
#[derive(Debug, Clone)]
pub(crate) struct TestRequest {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) max_body: usize,
    pub(crate) connection: ConnectionUse,
}

impl TestRequest {
    fn new(method: Method) -> Self {
        Self {
            method,
            target: PATH.to_owned(),
            headers: vec![
                ("accept", "application/json"),
                ("authorization", AUTHORIZATION),
                ("user-agent", "strike-conformance"),
            ],
            body: Vec::new(),
            timeout: LONG_TIMEOUT,
            max_body: 1 << 20,
            connection: ConnectionUse::Any,
        }
    }

    /// A GET like the one for a charge.
    pub(crate) fn get() -> Self {
        Self::new(Method::GET)
    }

    /// A POST like the one that creates a charge.
    pub(crate) fn post() -> Self {
        let mut request = Self::new(Method::POST).body(b"amount=4200&currency=btc");
        request.headers.push(("content-type", "application/x-www-form-urlencoded"));
        request
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::get(), Self::post()]
    }

    pub(crate) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    pub(crate) const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) const fn max_body(mut self, max_body: usize) -> Self {
        self.max_body = max_body;
        self
    }

    pub(crate) const fn on_a_new_connection(mut self) -> Self {
        self.connection = ConnectionUse::New;
        self
    }

    /// Returns the exchange with the server at this address.
    pub(crate) fn to_exchange(&self, server: SocketAddr) -> io::Result<Exchange> {
        let mut request =
            Request::builder().method(self.method.clone()).uri(format!("http://{server}{}", self.target));
        for &(name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body.clone()).map_err(io::Error::other)?;
        let mut exchange = Exchange::new(request, self.timeout, self.max_body);
        exchange.connection = self.connection;
        Ok(exchange)
    }
}

/// Returns which secret an error or one of its sources reveals, and where.
pub(crate) fn revealed_secret(error: &TransportError) -> Option<String> {
    let credentials = AUTHORIZATION.trim_start_matches("Basic ").trim_end_matches('=');
    // `Debug` prints a vector of bytes as numbers.
    let in_numbers = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    let secrets = [
        ("the key", KEY.to_owned()),
        ("the key", credentials.to_owned()),
        ("the key", in_numbers(KEY)),
        ("the key", in_numbers(credentials)),
        ("the path", PATH.to_owned()),
        ("the host", "127.0.0.1".to_owned()),
    ];
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    // The chain could be a cycle.
    for depth in 0..32 {
        let error = next?;
        for (form, text) in
            [("Display", format!("{error} {error:#}")), ("Debug", format!("{error:?} {error:#?}"))]
        {
            if let Some((what, _)) = secrets.iter().find(|(_, secret)| text.contains(secret)) {
                return Some(format!("{what} in {form} of the error at depth {depth}: {text}"));
            }
        }
        next = error.source();
    }
    Some("the error has more than 32 sources".to_owned())
}
