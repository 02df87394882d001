//! The builder's server options: addresses, TLS, timeouts, limits, and `start`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Listen, Opening, Port, Protocol, RunningSandbox};
use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

/// The longest idle timeout. A longer one could overflow a clock.
const LONGEST_IDLE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl SandboxBuilder {
    /// Sets the address that [`start`](Self::start) listens on. Port 0 selects a free port.
    ///
    /// The default is 127.0.0.1 and a free port. Anyone who can reach the address can pay charges, since the control
    /// routes need no API key.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Listen::At(address);
        self
    }

    /// Makes [`start`](Self::start) listen on both 127.0.0.1 and ::1, with the same port.
    ///
    /// Use this for clients that connect to `localhost` and try only one address family. Port 0 selects a port that is
    /// free on both. On a machine without IPv6 the server listens on 127.0.0.1 only.
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().listen_localhost(0).start()?;
    /// assert!(sandbox.base_url().starts_with("http://127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn listen_localhost(mut self, port: u16) -> Self {
        self.listen = Listen::Localhost(port);
        self
    }

    /// Also serves plain HTTP on this address, for clients without TLS.
    ///
    /// Both ports serve the same sandbox. Port 0 selects a free port; see [`RunningSandbox::plain_base_url`].
    pub const fn plain_listen(mut self, address: SocketAddr) -> Self {
        self.plain_listen = Some(Listen::At(address));
        self
    }

    /// Also serves plain HTTP on both 127.0.0.1 and ::1, with the same port. See [`plain_listen`](Self::plain_listen).
    pub const fn plain_listen_localhost(mut self, port: u16) -> Self {
        self.plain_listen = Some(Listen::Localhost(port));
        self
    }

    /// Serves HTTPS on the address of [`listen`](Self::listen), with TLS 1.2 and 1.3.
    ///
    /// The server's certificate is valid for:
    ///
    /// * localhost, 127.0.0.1, ::1 and the address that the server listens on
    /// * the host names of the original service, such as api.strike.acinq.co and api.dev.strike.acinq.co
    ///
    /// It is valid for a year from the system's time, and at the time of the sandbox's own clock. Every start creates a
    /// new certificate authority, also with a fixed seed. Clients must trust [`RunningSandbox::ca_certificate`].
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().tls().plain_listen(([127, 0, 0, 1], 0).into()).start()?;
    /// assert!(sandbox.base_url().starts_with("https://127.0.0.1:"));
    /// assert!(sandbox.plain_base_url().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    /// // Pass this to `ca_certificate` of the transport's builder.
    /// let pem = sandbox.ca_certificate().unwrap_or_default();
    /// assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Sets how long a connection may be idle after a response before the server closes it. The default is 75 seconds,
    /// as in nginx.
    ///
    /// A client that sends a request just as the server closes the connection cannot know whether the request was read.
    /// Use a short time to test this case.
    ///
    /// The first request on a connection may always take 75 seconds, and longer only if `idle` is longer.
    pub fn close_idle_after(mut self, idle: Duration) -> Self {
        self.limits.idle = idle.min(LONGEST_IDLE);
        self
    }

    /// Sets the maximum number of open connections, on all ports together. The default is 512, the minimum 1.
    ///
    /// At the limit, a new connection is still accepted, and the connection that has been idle longest is closed.
    /// Connections with a response under way are closed only if no other is left.
    pub const fn most_connections(mut self, most: usize) -> Self {
        self.limits.connections = if most == 0 { 1 } else { most };
        self
    }

    /// Starts an HTTP server for the sandbox, on a thread of its own.
    ///
    /// The server is listening when this returns, unless [`opens_after`](crate::Phoenixd::opens_after) delays that. It serves sync and async callers and other processes alike.
    ///
    /// # Errors
    /// * an address cannot be bound, usually because the port is in use
    /// * the system cannot create a thread
    /// * a webhook's URL or certificates are invalid
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().start()?;
    /// let mut stream = std::net::TcpStream::connect(sandbox.address())?;
    /// stream.write_all(b"GET /api/v1/charges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    /// let mut response = String::new();
    /// stream.read_to_string(&mut response)?;
    /// assert!(response.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    /// assert_eq!(sandbox.requests(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start(self) -> io::Result<RunningSandbox> {
        self.start_with(|builder, base_url| Ok(builder.build_at(base_url)))
    }

    /// Starts a server. `make` creates the sandbox once the base URL is known.
    pub(crate) fn start_with(
        self,
        make: impl FnOnce(Self, String) -> io::Result<Sandbox>,
    ) -> io::Result<RunningSandbox> {
        let (protocol, ca_certificate) = self.protocol()?;
        let (limits, opens_after) = (self.limits, self.phoenixd.opens_after);
        let opening = if opens_after.is_zero() { Opening::AtOnce } else { Opening::Later };
        let front = Port::open(self.listen, protocol, opening)?;
        let plain =
            self.plain_listen.map(|listen| Port::open(listen, Protocol::Http, opening)).transpose()?;
        let sandbox = make(self, front.base_url())?;
        RunningSandbox::start(sandbox, front, plain, ca_certificate, limits, opens_after)
    }

    /// Returns the protocol, and for TLS the certificate of the authority in PEM.
    #[cfg(feature = "tls")]
    fn protocol(&self) -> io::Result<(Protocol, Option<String>)> {
        use super::Acceptor;
        use crate::clock::Clock;

        if !self.tls {
            return Ok((Protocol::Http, None));
        }
        let moments = [Clock::new(None).now(), Clock::new(self.clock_at).now()];
        let (acceptor, authority) = Acceptor::new(self.listen.address().ip(), &moments)?;
        Ok((Protocol::Https(acceptor), Some(authority)))
    }

    #[cfg(not(feature = "tls"))]
    fn protocol(&self) -> io::Result<(Protocol, Option<String>)> {
        Ok((Protocol::Http, None))
    }
}
