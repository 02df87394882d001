//! How a connection is made, and why it was not: whatever fails in here fails before the request leaves.
//!
//! ureq's own errors do not tell: a handshake that ends early looks like an answer that does, and a name that
//! does not resolve is an input/output error of no particular kind. So both of ureq's parts that can fail before
//! sending are wrapped: the lookup happens inside the connector, and the connector marks its errors.
//!
//! ureq asks its resolver before it looks for a kept connection. [`Deferred`] answers that question with a
//! placeholder and [`Connect`] looks the name up when a connection is really made. That needs no cache, hence no
//! clock and no rule for when an address is stale.
//!
//! These are `unversioned` parts of ureq, which may change with its minor version: the dependency is held to one.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use strike_core::{TransportErrorKind, http};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, LazyBuffers, NextTimeout, Transport,
};

use super::bare;
use super::classify::{Cause, cause, connect_kind};
use super::mask::{self, Mask};
use super::tunnel::{Limit, remaining};

/// A failure before the request left, as it travels through ureq.
pub(super) struct BeforeSend {
    pub(super) kind: TransportErrorKind,
    pub(super) cause: Option<Cause>,
}

impl fmt::Debug for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BeforeSend").field(&self.kind).finish()
    }
}

impl fmt::Display for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())
    }
}

impl std::error::Error for BeforeSend {}

/// Marks an error as one from before sending; one that bears the mark keeps it.
fn mark(error: ureq::Error, looking_up: bool) -> ureq::Error {
    if matches!(&error, ureq::Error::Other(inner) if inner.is::<BeforeSend>()) {
        return error;
    }
    let kind = connect_kind(&error, looking_up);
    ureq::Error::Other(Box::new(BeforeSend { kind, cause: cause(&error) }))
}

/// A broken connection, as it travels through ureq.
///
/// ureq takes a reset inside a body that ends with the connection for its regular end. Wrapped, it is an error.
#[derive(Debug)]
pub(super) struct Broken(pub(super) io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Broken {}

/// A resolver that puts the lookup off until there is a connection to be made.
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

/// Looks the name up, connects with ureq's own connector, and marks what fails.
///
/// Clones share one TLS configuration, and with it the sessions that can be resumed.
#[derive(Debug, Clone, Default)]
pub(super) struct Connect(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    resolver: DefaultResolver,
    connector: DefaultConnector,
}

impl Connect {
    fn look_up(&self, details: &ConnectionDetails<'_>) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // What goes through a proxy is looked up by the proxy.
        if details.config.proxy().is_some_and(|proxy| !proxy.is_no_proxy(details.uri)) {
            return Ok(self.0.resolver.empty());
        }
        let is_address = details.uri.host().is_some_and(|host| bare(host).parse::<IpAddr>().is_ok());
        // An address needs no lookup. Without a limit, ureq reads it right here instead of on a new thread.
        let limit = if is_address { NextTimeout::default() } else { details.timeout };
        self.0.resolver.resolve(details.uri, details.config, limit)
    }

    /// Connects, to a host or to a proxy on the way to one.
    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> {
        let addrs = self.look_up(details).map_err(|error| mark(error, true))?;
        // The lookup took its share of the time to connect.
        let now = (details.current_time)();
        let after = remaining(details.timeout.after, details.now, now);
        if after.is_zero() {
            return Err(mark(ureq::Error::Timeout(details.timeout.reason), false));
        }
        let limit = Limit::new(after, now, details.current_time.clone());
        let connect = self.clone();
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            // ureq would otherwise build its TLS set-up anew for each connection, since every request carries
            // limits of its own. These never touch TLS, so the first one's serves all.
            request_level: false,
            resolver: details.resolver,
            now,
            timeout: NextTimeout { after, ..details.timeout },
            current_time: details.current_time.clone(),
            run_connector: limit.hold(Arc::new(move |proxy: &ConnectionDetails<'_>| connect.open(proxy))),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connection = self
            .0
            .connector
            .connect(&details, None)
            .and_then(|made| made.ok_or(ureq::Error::ConnectionFailed));
        let connection = connection.map_err(|error| mark(error, false))?;
        limit.lift();
        Ok(connection)
    }
}

impl Connector for Connect {
    type Out = Watched;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Watched>, ureq::Error> {
        Ok(Some(Watched::new(self.open(details)?, details.config)))
    }
}

/// A connection that reports a break as one, and that masks response headers which ureq must not act on.
#[derive(Debug)]
pub(super) struct Watched {
    inner: Box<dyn Transport>,
    buffers: LazyBuffers,
    mask: Mask,
}

impl Watched {
    fn new(inner: Box<dyn Transport>, config: &ureq::config::Config) -> Self {
        let input = config.input_buffer_size().saturating_add(mask::LONGEST);
        let buffers = LazyBuffers::new(input, config.output_buffer_size());
        Self { inner, buffers, mask: Mask::default() }
    }

    /// Moves what arrived to the buffer that ureq reads from.
    fn take_input(&mut self) {
        let room = self.buffers.input_append_buf();
        let arrived = self.inner.buffers().input();
        // The mask may hold back the beginning of a line and add it later.
        let amount = arrived.len().min(room.len().saturating_sub(mask::LONGEST));
        let mut masked = Vec::with_capacity(amount + mask::LONGEST);
        self.mask.apply(arrived.get(..amount).unwrap_or_default(), &mut masked);
        self.inner.buffers().input_consume(amount);
        self.append(&masked);
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(room) = self.buffers.input_append_buf().get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.buffers.input_appended(bytes.len());
        }
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.mask.expect_head();
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        for piece in output.chunks(self.inner.buffers().output().len().max(1)) {
            if let Some(room) = self.inner.buffers().output().get_mut(..piece.len()) {
                room.copy_from_slice(piece);
            }
            self.inner.transmit_output(piece.len(), timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let more = self.inner.maybe_await_input(timeout).map_err(|error| match error {
            ureq::Error::Io(error) => ureq::Error::Other(Box::new(Broken(error))),
            other => other,
        })?;
        if more {
            self.take_input();
        } else {
            let held = self.mask.end();
            self.append(&held);
        }
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.inner.buffers().input().is_empty() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
