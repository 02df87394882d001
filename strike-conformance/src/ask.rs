//! The exchanges that a transport is given, and what of them no error may show.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use strike_core::http::{Method, Request};
use strike_core::{ConnectionUse, Exchange, TransportError};

/// The time of an exchange that is answered at once: only what really hangs needs it.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// The time of an exchange that runs out of it.
pub(super) const HURRY: Duration = Duration::from_millis(500);

/// Where the requests go, unless a scene says otherwise.
pub(super) const PATH: &str = "/api/v1/charges";

/// Where redirects lead.
pub(super) const ELSEWHERE: &str = "/elsewhere";

/// A key as no other text holds it, and as it is sent.
const KEY: &str = "sk_conformanceCanary7Q";
pub(super) const AUTHORIZATION: &str = "Basic c2tfY29uZm9ybWFuY2VDYW5hcnk3UTo=";

/// One exchange to come: its server has no address yet.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) connection: ConnectionUse,
}

impl Ask {
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
            timeout: PATIENCE,
            max_body: 1 << 20,
            connection: ConnectionUse::Any,
        }
    }

    /// As a charge is asked for.
    pub(super) fn get() -> Self {
        Self::new(Method::GET)
    }

    /// As a charge is made.
    pub(super) fn post() -> Self {
        let mut ask = Self::new(Method::POST).body(b"amount=4200&currency=btc");
        ask.headers.push(("content-type", "application/x-www-form-urlencoded"));
        ask
    }

    pub(super) fn both() -> [Self; 2] {
        [Self::get(), Self::post()]
    }

    pub(super) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub(super) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    pub(super) const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(super) const fn max_body(mut self, max_body: usize) -> Self {
        self.max_body = max_body;
        self
    }

    pub(super) const fn on_a_new_connection(mut self) -> Self {
        self.connection = ConnectionUse::New;
        self
    }

    /// The exchange with the server at that address.
    pub(super) fn at(&self, server: SocketAddr) -> io::Result<Exchange> {
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

/// What an error gives away, if anything, and where.
pub(super) fn shown(error: &TransportError) -> Option<String> {
    let credentials = AUTHORIZATION.trim_start_matches("Basic ").trim_end_matches('=');
    // A vector of bytes shows its secret in numbers.
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
    // Bounded, since a chain could lead back to itself.
    for depth in 0..32 {
        let error = next?;
        for (form, text) in
            [("Display", format!("{error} {error:#}")), ("Debug", format!("{error:?} {error:#?}"))]
        {
            if let Some((what, _)) = secrets.iter().find(|(_, secret)| text.contains(secret)) {
                return Some(format!("{what} shows in {form} of the error at depth {depth}: {text}"));
            }
        }
        next = error.source();
    }
    Some("the chain of sources has no end".to_owned())
}
