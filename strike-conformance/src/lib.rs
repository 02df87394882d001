//! Checks an HTTP transport for Strike clients against servers that misbehave.
//!
//! A transport is a function from an [`Exchange`] to a [`Reply`]. Write your own to use another HTTP client, a Unix
//! socket or a special proxy. A transport has to keep rules that the types do not express, and most HTTP clients break
//! some of them by default. [`check`] starts servers on 127.0.0.1, runs your transport against them, and reports which
//! rules it breaks.
//!
//! | rule | scenarios | expected |
//! | --- | --- | --- |
//! | [`ExactRequest`](Rule::ExactRequest) | GET and POST with unusual paths, queries and bodies; the same request again after a cacheable response | every request arrives unchanged: method, path and query byte for byte, each header once, the body |
//! | [`NoAddedHeaders`](Rule::NoAddedHeaders) | the same, also after a response with a cookie | no headers besides the given ones and Host, Content-Length, Transfer-Encoding, Connection, Keep-Alive |
//! | [`NoRedirect`](Rule::NoRedirect) | status 300 to 308, to another server and to the same one | no redirect is followed; the response is returned with its status, headers and body |
//! | [`NoRetry`](Rule::NoRetry) | all; some servers read a request and close, on a new connection and on a kept one | no request reaches a server twice |
//! | [`EveryStatus`](Rule::EveryStatus) | 200 to 599, 204 and 304, interim responses (100, 103), every way to frame a body | the response: status, headers, body |
//! | [`CompleteResponse`](Rule::CompleteResponse) | responses truncated in the head, in the body and in chunks; responses that never end; bytes that are not HTTP | an error |
//! | [`MatchingResponse`](Rule::MatchingResponse) | a request after one that timed out, and after one whose body was too large | its own response, not the rest of the previous one |
//! | [`NewConnection`](Rule::NewConnection) | exchanges that ask for a [new connection](strike_core::ConnectionUse::New), between others that do not | each is the first request on its connection |
//! | [`NoDecompression`](Rule::NoDecompression) | a compressed response, although the request did not ask for compression | the compressed bytes, and `Content-Encoding` |
//! | [`Timeout`](Rule::Timeout) | servers that never respond, stall, or send a byte now and then; a slow server that responds in time; timeouts of zero and of `Duration::MAX` | a reply within 3 seconds after the timeout; the response, if it came in time |
//! | [`BodyLimit`](Rule::BodyLimit) | bodies below, at and above the limit, framed in each way; a body without end; a limit of `usize::MAX` | the whole body up to the limit; above it, the limit plus one byte, without waiting for more |
//! | [`NoFalseUnsent`](Rule::NoFalseUnsent) | all | no error says [`Unsent`](strike_core::Delivery::Unsent) if the server read a byte of the request |
//! | [`RefusedIsUnsent`](Rule::RefusedIsUnsent) | a port that refuses connections | an error that says [`Unsent`](strike_core::Delivery::Unsent) |
//! | [`NoSecretsInErrors`](Rule::NoSecretsInErrors) | all | no error, and none of its sources, contains the key, the host or the path |
//! | [`NoPanic`](Rule::NoPanic) | all | a reply |
//!
//! # In a test
//!
//! Add `strike-conformance = "0.1"` to the `dev-dependencies`, and pass the transport as a closure. This one uses a
//! `ureq::Agent`:
//!
//! ```
//! use std::io::{ErrorKind, Read};
//! use std::time::Duration;
//!
//! use strike_core::{ConnectionUse, Delivery, Exchange, Reply, TransportError, TransportErrorKind as Kind, http::Response};
//!
//! fn exchange(agent: &ureq::Agent, exchange: Exchange) -> Reply {
//!     let maybe_sent = |kind| TransportError::new(kind, Delivery::MaybeSent);
//!     // A new agent has no open connection yet.
//!     let new = (exchange.connection == ConnectionUse::New).then(|| ureq::Agent::new_with_config(agent.config().clone()));
//!     let agent = new.as_ref().unwrap_or(agent);
//!     let timeout = exchange.timeout.min(Duration::from_secs(86_400)); // ureq cannot add more to the time of day
//!     let request = agent.configure_request(exchange.request).timeout_global(Some(timeout)).build();
//!     let response = agent.run(request).map_err(|error| match error {
//!         ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
//!             TransportError::new(Kind::ConnectionRefused, Delivery::Unsent)
//!         }
//!         _ => maybe_sent(Kind::Other),
//!     })?;
//!     let (parts, mut body) = response.into_parts();
//!     let limit = u64::try_from(exchange.max_body).unwrap_or(u64::MAX).saturating_add(1);
//!     let mut bytes = Vec::new();
//!     body.as_reader().take(limit).read_to_end(&mut bytes).map_err(|_| maybe_sent(Kind::Cut))?;
//!     Ok(Response::from_parts(parts, bytes))
//! }
//!
//! let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
//! let config = config.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
//! let agent: ureq::Agent = config.build().into();
//! strike_conformance::check(move |request| exchange(&agent, request))?.into_result()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For an async transport, block on it in the closure: `move |exchange| runtime.block_on(transport.exchange(exchange))`.
//! The page `docs/custom-transports.md` of the repository shows both, as implementations of the clients' traits.
//!
//! A check takes about six seconds. It spends most of them waiting for timeouts.
//!
//! # What is not checked
//!
//! The servers speak HTTP/1 without TLS. Certificates, handshakes, name resolution and proxies are not checked.
//!
//! The transport has to connect to the address in the request's URL. To check one that does not, for instance one over a
//! Unix socket, replace the part that connects.

mod checker;
mod report;
mod request;
mod rule;
mod scenarios;
mod server;

use std::io;
use std::sync::Arc;

use strike_core::{Exchange, Reply};

use self::checker::Checker;
pub use self::report::{Finding, Report, Violations};
pub use self::rule::Rule;

/// Runs every scenario with the transport, one exchange at a time, and reports what it observed.
///
/// Each exchange runs in its own thread. If the transport does not return within 3 seconds after the timeout, that
/// breaks [`Rule::Timeout`]. The thread is **left running** and the check continues. After three such exchanges the check
/// skips the remaining scenarios, so it always ends.
///
/// # Errors
/// If the system provides no port or no thread. This is not the transport's fault.
pub fn check(transport: impl Fn(Exchange) -> Reply + Send + Sync + 'static) -> io::Result<Report> {
    let mut checker = Checker::new(Arc::new(transport));
    scenarios::run_all(&mut checker)?;
    Ok(Report::new(checker.findings))
}

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}
