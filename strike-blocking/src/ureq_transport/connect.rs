//! Resolves host names and opens connections. Errors in this file occur before the request is sent.
//!
//! ureq's errors do not show that. A TLS handshake that ends early gives the same error as a
//! response that ends early. A name that cannot be resolved gives an I/O error of no particular
//! kind. So this connector does both steps, and marks their errors as errors from before sending.
//!
//! ureq resolves the host name before it looks for an idle connection. [`Deferred`] returns a
//! placeholder then, and [`Connect`] resolves the name when it opens a connection. So addresses
//! need no cache.
//!
//! The `unversioned` APIs of ureq may change with each minor version. So `Cargo.toml` pins the
//! minor version.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use strike_core::http;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};

use super::bare;
use super::classify::mark_unsent;
use super::connection::Connection;
use super::tunnel::{Limit, remaining};

/// A resolver that returns a placeholder. [`Connect`] resolves the name later.
#[derive(Debug)]
pub(super) struct Deferred;

impl Resolver for Deferred {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut placeholder = self.empty();
        placeholder.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        Ok(placeholder)
    }
}

/// Resolves the host name, connects with ureq's connector, and marks errors as errors from before
/// sending.
///
/// Clones share one TLS configuration, and so its resumable sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Connect(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    resolver: DefaultResolver,
    connector: DefaultConnector,
}

impl Connect {
    fn look_up(&self, details: &ConnectionDetails<'_>) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // The proxy resolves the host name.
        if details.config.proxy().is_some_and(|proxy| !proxy.is_no_proxy(details.uri)) {
            return Ok(self.0.resolver.empty());
        }
        let is_address = details.uri.host().is_some_and(|host| bare(host).parse::<IpAddr>().is_ok());
        // An IP address needs no lookup. Without a time limit, ureq parses it on this thread
        // instead of on a new one.
        let limit = if is_address { NextTimeout::default() } else { details.timeout };
        self.0.resolver.resolve(details.uri, details.config, limit)
    }

    /// Opens a connection to the host, or to the proxy.
    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> {
        let addrs = self.look_up(details).map_err(|error| mark_unsent(error, true))?;
        // The lookup counts towards the time limit.
        let now = (details.current_time)();
        let after = remaining(details.timeout.after, details.now, now);
        if after.is_zero() {
            return Err(mark_unsent(ureq::Error::Timeout(details.timeout.reason), false));
        }
        let limit = Limit::new(after, now, details.current_time.clone());
        let connect = self.clone();
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            // Every request has its own limits. ureq would therefore create a new TLS configuration
            // for each connection, although the limits do not affect TLS. With `false` it uses one
            // for all.
            request_level: false,
            resolver: details.resolver,
            now,
            timeout: NextTimeout { after, ..details.timeout },
            current_time: details.current_time.clone(),
            run_connector: limit.wrap(Arc::new(move |proxy: &ConnectionDetails<'_>| connect.open(proxy))),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connection = self
            .0
            .connector
            .connect(&details, None)
            .and_then(|connection| connection.ok_or(ureq::Error::ConnectionFailed));
        let connection = connection.map_err(|error| mark_unsent(error, false))?;
        limit.disable();
        Ok(connection)
    }
}

impl Connector for Connect {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        Ok(Some(Connection::new(self.open(details)?, details.config)))
    }
}
