//! The default transport, which uses ureq.
//!
//! - `builder.rs`: its settings
//! - `connect.rs`: resolves names and opens connections
//! - `connection.rs`, `buffers.rs`: a connection as ureq sees it
//! - `tunnel.rs`: the time limit of a connection through a proxy
//! - `mask.rs`: hides response headers from ureq
//! - `classify.rs`: converts ureq's errors

mod buffers;
mod builder;
mod classify;
mod connect;
mod connection;
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

/// The longest timeout that is passed to ureq. ureq adds timeouts to its clock, and panics if the
/// sum overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How much memory is reserved for a body before it arrives. A server may announce any length.
const TRUSTED_LENGTH: u64 = 64 << 10;

/// The default transport: HTTP/1.1 with ureq and a connection pool.
///
/// Share one transport between clients with an [`Arc`](std::sync::Arc).
///
/// - **TLS**: rustls with ring. It trusts Mozilla's roots, unless the [builder](Self::builder)
///   changes that.
/// - **Proxy**: none by default. The proxy variables of the environment are not read.
/// - **Connections**: an exchange that requires a [new connection](ConnectionUse::New) gets one,
///   which is closed after the response. It resumes an earlier TLS session if the server permits
///   it.
/// - **DNS**: a host name is resolved for each new connection, and not cached. The resolver of the
///   operating system runs on its own thread, which may continue to run after a timeout.
///
/// ```
/// use strike_blocking::UreqTransport;
///
/// let transport = UreqTransport::new()?;
/// # let _ = transport;
/// # Ok::<(), strike_blocking::strike_core::Error>(())
/// ```
pub struct UreqTransport {
    /// The agent with the connection pool.
    agent: Agent,
    connect: Connect,
    proxied: bool,
}

impl UreqTransport {
    /// Creates a transport with Mozilla's roots, no proxy, and a connect timeout of 10 s.
    ///
    /// # Errors
    /// It never fails in practice.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts building a transport with settings of your own.
    pub fn builder() -> UreqTransportBuilder {
        UreqTransportBuilder::new()
    }

    fn from_config(config: Config, proxied: bool) -> Self {
        let connect = Connect::default();
        Self { agent: Agent::with_parts(config, connect.clone(), Deferred), connect, proxied }
    }

    /// Returns an agent with an empty connection pool.
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
        // Send no empty body with a GET, because ureq would add `Content-Length: 0`. Methods that
        // usually have a body need that header.
        let empty = body.is_empty() && !matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH");
        if empty {
            agent.run(limit(agent, http::Request::from_parts(parts, ()), timeout, direct))
        } else {
            agent.run(limit(agent, http::Request::from_parts(parts, body), timeout, direct))
        }
    }
}

/// Sets the options of one request. All requests share the connection pool, which keeps direct and
/// proxied connections apart.
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

/// Reads the body, but at most one byte more than the limit. The extra byte shows that the body was
/// too large.
fn read(response: http::Response<ureq::Body>, max_body: usize) -> Reply {
    let (parts, body) = response.into_parts();
    let limit = u64::try_from(max_body).unwrap_or(u64::MAX).saturating_add(1);
    let expected = body.content_length().unwrap_or_default().min(limit).min(TRUSTED_LENGTH);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    body.into_reader()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| classify(ureq::Error::from(error), Phase::Body))?;
    // Do not copy the extensions. ureq stores its own data in them, including the URL.
    let mut response = HttpResponse::new(bytes);
    *response.status_mut() = parts.status;
    *response.version_mut() = parts.version;
    *response.headers_mut() = parts.headers;
    mask::restore(response.headers_mut());
    Ok(response)
}

impl fmt::Debug for UreqTransport {
    /// Shows whether there is a proxy, but not its URL, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").field("proxied", &self.proxied).finish_non_exhaustive()
    }
}

/// Returns true if the host of a URL is this machine, which a proxy could not reach.
fn is_loopback(host: &str) -> bool {
    let bare = bare(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Returns the host of a URL without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
