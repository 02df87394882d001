//! Drives the transport: one scene is a server with a script, and one exchange with it or two.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use strike_core::{Delivery, Exchange, Reply};

use super::ask::{self, Ask, ELSEWHERE, PATIENCE};
use super::server::{Peer, Seen, Server};
use super::{Finding, Rule};

/// How long after its timeout an exchange may end: long enough for a machine that is busy with other things.
const GRACE: Duration = Duration::from_secs(3);

/// What is checked: it outlives the check if it does not end.
pub(super) type Transport = dyn Fn(Exchange) -> Reply + Send + Sync;

/// The transport, and what was found so far.
pub(super) struct Probe {
    transport: Arc<Transport>,
    pub(super) findings: Vec<Finding>,
}

/// How a scene ended.
pub(super) struct Scene {
    /// To the last exchange.
    pub(super) reply: Reply,
    /// How long the last exchange took.
    pub(super) took: Duration,
    /// By the server.
    pub(super) seen: Seen,
}

impl Probe {
    pub(super) const fn new(transport: Arc<Transport>) -> Self {
        Self { transport, findings: Vec::new() }
    }

    pub(super) fn find(&mut self, rule: Rule, done: &str, kept: bool, seen: String, expected: impl Display) {
        let expected = expected.to_string();
        self.findings.push(Finding { rule, done: done.to_owned(), seen, expected, kept });
    }

    /// Plays a scene: a server with that script, and the exchanges one after the other, of which only the last may fail.
    /// Looks at the rules that hold in every scene. `None` if it did not come to its end, of which there is a finding.
    pub(super) fn play(
        &mut self,
        done: &str,
        asks: &[Ask],
        script: impl Fn(Peer) + Send + Sync + 'static,
    ) -> io::Result<Option<Scene>> {
        let server = Server::start(script)?;
        let ended = self.all(done, asks, server.address());
        let seen = server.finish();
        let led = seen.requests.iter().filter(|request| request.target == ELSEWHERE).count();
        let again = seen.begun - led;
        self.find(
            Rule::NoRetry,
            done,
            again <= asks.len(),
            format!("{again} request(s) at the server"),
            format!("no more than the {} that the transport was given", asks.len()),
        );
        let Some((reply, took)) = ended? else { return Ok(None) };
        if let Err(error) = &reply
            && seen.begun >= asks.len()
        {
            let kept = error.delivery() == Delivery::MaybeSent;
            let what = format!("{:?}, and the server has read of it", error.delivery());
            self.find(Rule::TrueUnsent, done, kept, what, "MaybeSent");
        }
        Ok(Some(Scene { reply, took, seen }))
    }

    fn all(&mut self, done: &str, asks: &[Ask], server: SocketAddr) -> io::Result<Option<(Reply, Duration)>> {
        let mut last: Option<(Reply, Duration)> = None;
        for ask in asks {
            if let Some((reply, _)) = &last
                && !matches!(reply, Ok(answer) if answer.status() == 200)
            {
                let seen = format!("{} to the exchange before it", describe(reply));
                self.find(Rule::EveryStatus, done, false, seen, "the answer with status 200");
                return Ok(None);
            }
            last = self.exchange(done, ask.at(server)?)?;
            if last.is_none() {
                return Ok(None);
            }
        }
        Ok(last)
    }

    /// Makes one exchange in a thread of its own, which is left behind if it does not end.
    pub(super) fn exchange(
        &mut self,
        done: &str,
        exchange: Exchange,
    ) -> io::Result<Option<(Reply, Duration)>> {
        let bound = exchange.timeout.min(PATIENCE) + GRACE;
        let (transport, (tell, told)) = (Arc::clone(&self.transport), mpsc::channel());
        let start = Instant::now();
        thread::Builder::new().spawn(move || {
            // Nobody listens any more to one that comes too late.
            let _ = tell.send(transport(exchange));
        })?;
        let reply = match told.recv_timeout(bound) {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Timeout) => {
                let seen = format!("it did not end within {bound:?}, and was left behind");
                self.find(Rule::Timeout, done, false, seen, "an end soon after the exchange's timeout");
                return Ok(None);
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.find(Rule::NoPanic, done, false, "it panicked".to_owned(), "a reply");
                return Ok(None);
            }
        };
        let took = start.elapsed();
        self.find(Rule::NoPanic, done, true, "a reply".to_owned(), "a reply");
        if let Err(error) = &reply {
            let shown = ask::shown(error);
            let (kept, seen) = (shown.is_none(), shown.unwrap_or_else(|| format!("\"{error}\"")));
            self.find(Rule::Secrecy, done, kept, seen, "nothing of it in Display, Debug and all sources");
        }
        Ok(Some((reply, took)))
    }

    /// Finds whether there is no answer, where there was no whole one.
    pub(super) fn expect_error(&mut self, done: &str, scene: &Scene) {
        self.find(Rule::WholeAnswer, done, scene.reply.is_err(), describe(&scene.reply), "an error");
    }

    /// Finds whether this is the answer, whole.
    pub(super) fn expect_answer(
        &mut self,
        rule: Rule,
        done: &str,
        reply: &Reply,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) {
        let kept = reply.as_ref().is_ok_and(|answer| {
            let has =
                |name: &str, wanted: &str| answer.headers().get_all(name).iter().any(|one| one == wanted);
            answer.status() == status
                && answer.body() == body
                && headers.iter().all(|(name, value)| has(name, value))
        });
        let mut expected = format!("status {status} with {}", excerpt(body));
        for (name, value) in headers {
            expected.push_str(&format!(", and {name}: {value}"));
        }
        self.find(rule, done, kept, describe(reply), expected);
    }
}

/// A reply in a line.
pub(super) fn describe(reply: &Reply) -> String {
    match reply {
        Ok(answer) => {
            let mut told = format!("status {} with {}", answer.status().as_u16(), excerpt(answer.body()));
            for (name, value) in answer.headers() {
                told.push_str(&format!(", {name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
            told
        }
        Err(error) => format!("the error \"{error}\""),
    }
}

/// The beginning of a body, and its length.
pub(super) fn excerpt(body: &[u8]) -> String {
    let most = 48;
    let shown = body.get(..most).unwrap_or(body).escape_ascii();
    let dots = if body.len() > most { "..." } else { "" };
    format!("{} bytes of body \"{shown}{dots}\"", body.len())
}
