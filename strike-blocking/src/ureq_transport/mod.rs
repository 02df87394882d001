//! The transport that moves the bytes with ureq: one exchange, from the request to the last byte that is wanted.
//!
//! How it is set up is in `builder.rs`, how a connection is made in `connect.rs` and through a proxy in
//! `tunnel.rs`, which response headers ureq must not see in `mask.rs`, and what an error says about delivery in `classify.rs`.

mod builder;
mod classify;
mod connect;
mod mask;
mod tunnel;

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;

use strike_core::{
    ConnectionUse, Delivery, Error, Exchange, HttpRequest, HttpResponse, Reply, TransportError,
    TransportErrorKind, http,
};
use ureq::Agent;
use ureq::config::Config;

pub use self::builder::UreqTransportBuilder;
use self::classify::{Phase, classify};
use self::connect::{Connect, Deferred};
use crate::transport::Transport;

/// ureq adds timeouts to its clock, which panics when the sum does not fit; a year is as good as for ever.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Moves the bytes with ureq over HTTP/1.1, and keeps connections for the next exchange.
///
/// It is cheap to share (in an [`Arc`](std::sync::Arc)) and meant to be. TLS is rustls with ring, whatever
/// other providers the program holds; the roots are Mozilla's unless the [builder](Self::builder) says otherwise.
/// The environment's proxy variables are never read.
///
/// An exchange that demands a [new connection](ConnectionUse::New) gets one, which is closed after the response. It
/// resumes the TLS session of an earlier connection if the server allows it.
///
/// A name is looked up only when a new connection is made, so a kept connection costs no lookup and a new one
/// never uses a stale address. With a time limit, the system's resolver runs on a thread of its own, which may
/// outlive the limit.
///
/// ```
/// use strike_blocking::UreqTransport;
///
/// let transport = UreqTransport::new()?;
/// # let _ = transport;
/// # Ok::<(), strike_blocking::strike_core::Error>(())
/// ```
pub struct UreqTransport {
    /// Keeps connections.
    agent: Agent,
    connect: Connect,
    proxied: bool,
}

impl UreqTransport {
    /// A transport with public roots, no proxy, and 10 seconds to connect.
    ///
    /// # Errors
    /// None in practice.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A transport that can be set up first.
    pub fn builder() -> UreqTransportBuilder {
        UreqTransportBuilder::new()
    }

    fn from_config(config: Config, proxied: bool) -> Self {
        let connect = Connect::default();
        Self { agent: Agent::with_parts(config, connect.clone(), Deferred), connect, proxied }
    }

    /// An agent that has no connection yet.
    fn fresh_agent(&self) -> Agent {
        Agent::with_parts(self.agent.config().clone(), self.connect.clone(), Deferred)
    }

    fn run(
        &self,
        agent: &Agent,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let direct = self.proxied && request.uri().host().is_some_and(is_loopback);
        let (parts, body) = request.into_parts();
        // An empty body is none at all: ureq would declare a length of zero even for a GET. Where a method is
        // made to carry one, a length of zero says so.
        let empty = body.is_empty() && !matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH");
        if empty {
            agent.run(limit(agent, http::Request::from_parts(parts, ()), timeout, direct))
        } else {
            agent.run(limit(agent, http::Request::from_parts(parts, body), timeout, direct))
        }
    }
}

/// Adds what differs from one request to the next. Connections are shared all the same, except that a direct
/// one and a proxied one are kept apart.
fn limit<B: ureq::AsSendBody>(
    agent: &Agent,
    request: http::Request<B>,
    timeout: Duration,
    direct: bool,
) -> http::Request<B> {
    let limited = agent.configure_request(request).timeout_global(Some(timeout));
    if direct { limited.proxy(None) } else { limited }.build()
}

impl Transport for UreqTransport {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let Exchange { request, timeout, max_body, connection, .. } = exchange;
        if timeout.is_zero() {
            return Err(TransportError::new(TransportErrorKind::Timeout, Delivery::Unsent));
        }
        let fresh;
        let agent = match connection {
            ConnectionUse::Any => &self.agent,
            ConnectionUse::New => {
                fresh = self.fresh_agent();
                &fresh
            }
        };
        let response =
            self.run(agent, request, timeout.min(LONGEST)).map_err(|error| classify(error, Phase::Head))?;
        read(response, max_body)
    }
}

/// Reads the body up to one byte beyond the limit: enough for core to see that there was more.
fn read(response: http::Response<ureq::Body>, max_body: usize) -> Reply {
    let (parts, body) = response.into_parts();
    let limit = u64::try_from(max_body).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    body.into_reader()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| classify(ureq::Error::from(error), Phase::Body))?;
    // ureq leaves notes of its own in the extensions, the URL among them.
    let mut answer = HttpResponse::new(bytes);
    *answer.status_mut() = parts.status;
    *answer.version_mut() = parts.version;
    *answer.headers_mut() = parts.headers;
    mask::restore(answer.headers_mut());
    Ok(answer)
}

impl fmt::Debug for UreqTransport {
    /// Says whether there is a proxy, not which: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").field("proxied", &self.proxied).finish_non_exhaustive()
    }
}

/// Whether a URL's host is this machine, which no proxy could reach.
fn is_loopback(host: &str) -> bool {
    let bare = bare(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A URL's host without the brackets around an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
