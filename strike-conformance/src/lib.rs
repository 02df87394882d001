//! Whether a transport of one's own keeps the rules: a check against servers that misbehave.
//!
//! Whoever moves the bytes in another way (over a Unix socket, through a proxy, with another HTTP client) implements a
//! trait of one function, an [`Exchange`] in and a [`Reply`] out. What it owes is more than the types say, and most HTTP
//! clients do something else unless they are told. [`check`] finds out: it starts servers on 127.0.0.1, hands the
//! transport exchanges with them, and says which of these rules it breaks.
//!
//! | rule | what is done | what is expected |
//! | --- | --- | --- |
//! | [`ExactRequest`](Rule::ExactRequest) | GET and POST with odd paths, queries and bodies; the same again after an answer that may be cached | each arrives: method, path and query byte for byte, each header once, the body |
//! | [`NothingAdded`](Rule::NothingAdded) | the same, also after an answer with a cookie | no other headers than those given and Host, Content-Length, Transfer-Encoding, Connection, Keep-Alive |
//! | [`NoRedirect`](Rule::NoRedirect) | 300 to 308, to another server and to the same | nobody comes there; the status is handed over, with its headers and body |
//! | [`NoRetry`](Rule::NoRetry) | every scene; among them servers that read a request and close, on a new connection and on a kept one | no server sees a request more than once |
//! | [`EveryStatus`](Rule::EveryStatus) | 200 to 599, 204 and 304, 100 and 103 before an answer, all framings of a body | the answer: status, headers, body |
//! | [`WholeAnswer`](Rule::WholeAnswer) | answers that are cut in the head, in the body, in chunks; that never end; that are not HTTP | an error |
//! | [`OwnAnswer`](Rule::OwnAnswer) | an exchange after one that ran out of time, and after one whose body was too large | its own answer, not the rest of the other |
//! | [`NewConnection`](Rule::NewConnection) | exchanges that demand a [new connection](strike_core::ConnectionUse::New), between others that do not | each is the first on its connection |
//! | [`NoInflation`](Rule::NoInflation) | an answer that is compressed without being asked | the compressed bytes, and their label |
//! | [`Timeout`](Rule::Timeout) | servers that never answer, stall, or send a byte now and then; one that is slow, but in time; timeouts of nothing and of `Duration::MAX` | the end within 3 seconds of the timeout; but the answer, where it is in time |
//! | [`BodyLimit`](Rule::BodyLimit) | bodies below, at and beyond the limit, announced in each way; one without end; a limit of `usize::MAX` | all of it up to the limit; beyond it, the limit and one byte more, at once |
//! | [`TrueUnsent`](Rule::TrueUnsent) | every scene | no error says [`Unsent`](strike_core::Delivery::Unsent) of a request of which the server read a byte |
//! | [`KnownUnsent`](Rule::KnownUnsent) | a port where nobody listens | an error that says [`Unsent`](strike_core::Delivery::Unsent) |
//! | [`Secrecy`](Rule::Secrecy) | every scene | no error, nor any of its sources, shows the key, the host or the path |
//! | [`NoPanic`](Rule::NoPanic) | every scene | a reply |
//!
//! # In a test
//!
//! Add `strike-conformance = "0.1"` to the `dev-dependencies`. The transport is handed over as a closure, here one around a bare
//! `ureq::Agent`:
//!
//! ```
//! use std::io::{ErrorKind, Read};
//! use std::time::Duration;
//!
//! use strike_core::{ConnectionUse, Delivery, Exchange, Reply, TransportError, TransportErrorKind as Kind, http::Response};
//!
//! fn exchange(agent: &ureq::Agent, exchange: Exchange) -> Reply {
//!     let maybe = |kind| TransportError::new(kind, Delivery::MaybeSent);
//!     // An agent of its own has no connection yet.
//!     let new = (exchange.connection == ConnectionUse::New).then(|| ureq::Agent::new_with_config(agent.config().clone()));
//!     let agent = new.as_ref().unwrap_or(agent);
//!     let timeout = exchange.timeout.min(Duration::from_secs(86_400)); // ureq cannot add more to the time of day
//!     let limited = agent.configure_request(exchange.request).timeout_global(Some(timeout)).build();
//!     let answer = agent.run(limited).map_err(|error| match error {
//!         ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
//!             TransportError::new(Kind::ConnectionRefused, Delivery::Unsent)
//!         }
//!         _ => maybe(Kind::Other),
//!     })?;
//!     let (parts, mut body) = answer.into_parts();
//!     let most = u64::try_from(exchange.max_body).unwrap_or(u64::MAX).saturating_add(1);
//!     let mut bytes = Vec::new();
//!     body.as_reader().take(most).read_to_end(&mut bytes).map_err(|_| maybe(Kind::Cut))?;
//!     Ok(Response::from_parts(parts, bytes))
//! }
//!
//! let rules = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
//! let rules = rules.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
//! let agent: ureq::Agent = rules.build().into();
//! strike_conformance::check(move |request| exchange(&agent, request))?.into_result()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An async transport is waited for by the closure, on a runtime of its own: `move |exchange|
//! runtime.block_on(transport.exchange(exchange))`. The page `docs/custom-transports.md` of the repository has both, as traits
//! of the two clients.
//!
//! It takes about seven seconds, most of which are spent waiting for timeouts.
//!
//! # What it cannot see
//!
//! It speaks HTTP/1 without TLS. What a transport makes of certificates and handshakes, of names that do not resolve and of
//! proxies is not looked at.
//!
//! A transport that does not go where the request's URL says, over a Unix socket for instance, is checked with its
//! connecting part replaced by one that does.

mod ask;
mod probe;
mod report;
mod rule;
mod scenes;
mod server;

use std::io;
use std::sync::Arc;

use strike_core::{Exchange, Reply};

use self::probe::Probe;
pub use self::report::{Finding, Report, Violations};
pub use self::rule::Rule;

/// Drives the transport through every scene, one exchange after the other, and reports what it did.
///
/// Each exchange runs in a thread of its own. One that has not ended 3 seconds after its timeout breaks
/// [`Rule::Timeout`], its thread is **left behind**, and the check goes on. So it ends whatever the transport does; one that
/// never gives a reply takes minutes.
///
/// # Errors
/// If the system gives no port or no thread, of which the transport is not to blame.
pub fn check(transport: impl Fn(Exchange) -> Reply + Send + Sync + 'static) -> io::Result<Report> {
    let mut probe = Probe::new(Arc::new(transport));
    scenes::play_all(&mut probe)?;
    Ok(Report::new(probe.findings))
}
