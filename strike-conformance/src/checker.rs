//! Runs the transport against a scripted server, and records what it observes.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use strike_core::{Delivery, Exchange, Reply};

use super::request::{LONG_TIMEOUT, REDIRECT_PATH, TestRequest, revealed_secret};
use super::server::{Connection, Server, ServerLog};
use super::{Finding, Rule};

/// How long after its timeout an exchange may end. A busy machine needs some of it.
const GRACE: Duration = Duration::from_secs(3);

/// After so many exchanges that did not end, the remaining scenarios are skipped.
const MAX_LEFT_RUNNING: usize = 3;

/// A transport that hangs outlives the check, so it is shared.
pub(crate) type Transport = dyn Fn(Exchange) -> Reply + Send + Sync;

/// The transport, and the findings so far.
pub(crate) struct Checker {
    transport: Arc<Transport>,
    pub(crate) findings: Vec<Finding>,
    left_running: usize,
}

/// How a scenario ended.
pub(crate) struct Outcome {
    /// The reply to the last exchange.
    pub(crate) reply: Reply,
    /// How long the last exchange took.
    pub(crate) elapsed: Duration,
    pub(crate) log: ServerLog,
}

impl Checker {
    pub(crate) const fn new(transport: Arc<Transport>) -> Self {
        Self { transport, findings: Vec::new(), left_running: 0 }
    }

    pub(crate) fn record(
        &mut self,
        rule: Rule,
        scenario: &str,
        passed: bool,
        observed: String,
        expected: impl Display,
    ) {
        let expected = expected.to_string();
        self.findings.push(Finding { rule, scenario: scenario.to_owned(), observed, expected, passed });
    }

    /// Starts a server with this script, makes the requests one after the other, and checks the rules that hold in every
    /// scenario. Only the last request may fail. Returns `None` if an exchange before it failed, did not end or panicked;
    /// there is a finding about it.
    pub(crate) fn run(
        &mut self,
        scenario: &str,
        requests: &[TestRequest],
        script: impl Fn(Connection) + Send + Sync + 'static,
    ) -> io::Result<Option<Outcome>> {
        let server = Server::start(script)?;
        let last = self.exchange_all(scenario, requests, server.address());
        let log = server.finish();
        let redirected = log.requests.iter().filter(|request| request.target == REDIRECT_PATH).count();
        let arrived = log.begun - redirected;
        self.record(
            Rule::NoRetry,
            scenario,
            arrived <= requests.len(),
            format!("{arrived} request(s) at the server"),
            format!("at most {}, as given to the transport", requests.len()),
        );
        let Some((reply, elapsed)) = last? else { return Ok(None) };
        if let Err(error) = &reply
            && log.begun >= requests.len()
        {
            let passed = error.delivery() == Delivery::MaybeSent;
            let observed = format!("{:?}, although the server has read a part of it", error.delivery());
            self.record(Rule::NoFalseUnsent, scenario, passed, observed, "MaybeSent");
        }
        Ok(Some(Outcome { reply, elapsed, log }))
    }

    fn exchange_all(
        &mut self,
        scenario: &str,
        requests: &[TestRequest],
        server: SocketAddr,
    ) -> io::Result<Option<(Reply, Duration)>> {
        let mut last: Option<(Reply, Duration)> = None;
        for request in requests {
            if let Some((reply, _)) = &last
                && !matches!(reply, Ok(response) if response.status() == 200)
            {
                let observed = format!("{} to the exchange before it", describe(reply));
                self.record(Rule::EveryStatus, scenario, false, observed, "the response with status 200");
                return Ok(None);
            }
            last = self.exchange(scenario, request.to_exchange(server)?)?;
            if last.is_none() {
                return Ok(None);
            }
        }
        Ok(last)
    }

    /// Makes one exchange in its own thread. The thread is left running if the transport does not return.
    pub(crate) fn exchange(
        &mut self,
        scenario: &str,
        exchange: Exchange,
    ) -> io::Result<Option<(Reply, Duration)>> {
        if self.left_running == MAX_LEFT_RUNNING {
            return Ok(None);
        }
        let bound = exchange.timeout.min(LONG_TIMEOUT) + GRACE;
        let (transport, (sender, receiver)) = (Arc::clone(&self.transport), mpsc::channel());
        let start = Instant::now();
        thread::Builder::new().spawn(move || {
            // The receiver is gone if this reply comes too late.
            let _ = sender.send(transport(exchange));
        })?;
        let reply = match receiver.recv_timeout(bound) {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Timeout) => {
                self.left_running += 1;
                let skipped = if self.left_running == MAX_LEFT_RUNNING {
                    "; the remaining scenarios were skipped"
                } else {
                    ""
                };
                let observed = format!("no reply within {bound:?}{skipped}");
                self.record(
                    Rule::Timeout,
                    scenario,
                    false,
                    observed,
                    "a reply soon after the exchange's timeout",
                );
                return Ok(None);
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.record(Rule::NoPanic, scenario, false, "a panic".to_owned(), "a reply");
                return Ok(None);
            }
        };
        let elapsed = start.elapsed();
        self.record(Rule::NoPanic, scenario, true, "a reply".to_owned(), "a reply");
        if let Err(error) = &reply {
            let revealed = revealed_secret(error);
            let (passed, observed) = (revealed.is_none(), revealed.unwrap_or_else(|| format!("\"{error}\"")));
            self.record(
                Rule::NoSecretsInErrors,
                scenario,
                passed,
                observed,
                "no secret in Display and Debug of the error and its sources",
            );
        }
        Ok(Some((reply, elapsed)))
    }

    /// Records whether the transport returned an error for a truncated or malformed response.
    pub(crate) fn expect_error(&mut self, scenario: &str, outcome: &Outcome) {
        let observed = describe(&outcome.reply);
        self.record(Rule::CompleteResponse, scenario, outcome.reply.is_err(), observed, "an error");
    }

    /// Records whether the transport returned this response, with at least these headers.
    pub(crate) fn expect_response(
        &mut self,
        rule: Rule,
        scenario: &str,
        reply: &Reply,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) {
        let passed = reply.as_ref().is_ok_and(|response| {
            let has = |name: &str, expected: &str| {
                response.headers().get_all(name).iter().any(|value| value == expected)
            };
            response.status() == status
                && response.body() == body
                && headers.iter().all(|(name, value)| has(name, value))
        });
        let mut expected = format!("status {status} with {}", excerpt(body));
        for (name, value) in headers {
            expected.push_str(&format!(", and {name}: {value}"));
        }
        self.record(rule, scenario, passed, describe(reply), expected);
    }
}

/// Describes a reply in one line.
pub(crate) fn describe(reply: &Reply) -> String {
    match reply {
        Ok(response) => {
            let mut line = format!("status {} with {}", response.status().as_u16(), excerpt(response.body()));
            for (name, value) in response.headers() {
                line.push_str(&format!(", {name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
            line
        }
        Err(error) => format!("the error \"{error}\""),
    }
}

/// Returns the length and the first bytes of a body.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let most = 48;
    let shown = body.get(..most).unwrap_or(body).escape_ascii();
    let dots = if body.len() > most { "..." } else { "" };
    format!("{} bytes of body \"{shown}{dots}\"", body.len())
}
