//! How a sandbox in the making comes to listen: where, in which protocol, and with how much patience.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Listen, Port, Protocol, RunningSandbox};
use crate::builder::Builder;
use crate::sandbox::Sandbox;

/// As good as for ever, and still within what clocks can count.
const LONGEST_IDLE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Builder {
    /// Where [`start`](Self::start) listens: 127.0.0.1 and a free port unless set; port 0 means a free one.
    ///
    /// Anyone who reaches the address can pay charges, since the sandbox's own routes ask for no key.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Listen::At(address);
        self
    }

    /// [`start`](Self::start) listens on 127.0.0.1 and on ::1, by the same port, for clients that look `localhost` up
    /// and try one of them. Port 0 means one that is free on both. A machine without IPv6 has 127.0.0.1 alone.
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

    /// Speaks plain HTTP on this address, too: the same sandbox by a second port, for clients that know no
    /// TLS. Port 0 means a free one, which [`RunningSandbox::plain_base_url`] tells.
    pub const fn plain_listen(mut self, address: SocketAddr) -> Self {
        self.plain_listen = Some(Listen::At(address));
        self
    }

    /// As [`plain_listen`](Self::plain_listen), on 127.0.0.1 and on ::1, by the same port.
    pub const fn plain_listen_localhost(mut self, port: u16) -> Self {
        self.plain_listen = Some(Listen::Localhost(port));
        self
    }

    /// Speaks HTTPS where it [`listen`](Self::listen)s, in TLS 1.2 and 1.3.
    ///
    /// The server's certificate is for localhost, 127.0.0.1, ::1 and the address that it listens on, and for
    /// the names of the service: api.strike.acinq.co, api.dev.strike.acinq.co, and the older and shorter
    /// ones. It is valid for a year from the system's time, and at the sandbox's own. The
    /// authority that signed it is made anew for every start, whatever the seed, and clients have to be told
    /// to trust it: [`RunningSandbox::ca_certificate`].
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().tls().plain_listen(([127, 0, 0, 1], 0).into()).start()?;
    /// assert!(sandbox.base_url().starts_with("https://127.0.0.1:"));
    /// assert!(sandbox.plain_base_url().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    /// // What a client is told to trust; of both of ours, by `ca_certificate` of the transport's builder.
    /// let pem = sandbox.ca_certificate().unwrap_or_default();
    /// assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Closes a connection on which a client stays quiet for so long after an answer: 75 seconds unless set, as
    /// nginx had it. A fresh connection may take 75 seconds over its first request however short this is, and
    /// longer only if this is longer.
    ///
    /// A client that asks again just then finds its kept connection closed, and cannot know whether its request
    /// was read: what the service's clients met with when a payer took his time.
    pub fn close_idle_after(mut self, idle: Duration) -> Self {
        self.limits.idle = idle.min(LONGEST_IDLE);
        self
    }

    /// How many connections are open at once: 512 unless set, and 1 at least. One more is taken all the same, and
    /// the one on which nothing has happened for longest is closed for it: one that waits for its client, if any
    /// does.
    pub const fn most_connections(mut self, most: usize) -> Self {
        self.limits.connections = if most == 0 { 1 } else { most };
        self
    }

    /// A sandbox behind an HTTP server on a thread of its own.
    ///
    /// It listens when this returns, for callers of every kind: sync, async, or another process.
    ///
    /// # Errors
    /// If an address cannot be listened on (another program has it, most often), if the system has no thread
    /// left, or if a webhook's address or certificates are of no use.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().start()?;
    /// let mut stream = std::net::TcpStream::connect(sandbox.address())?;
    /// stream.write_all(b"GET /api/v1/charges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    /// let mut answer = String::new();
    /// stream.read_to_string(&mut answer)?;
    /// assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    /// assert_eq!(sandbox.requests(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start(self) -> io::Result<RunningSandbox> {
        self.start_with(|builder, base_url| Ok(builder.build_at(base_url)))
    }

    /// A server for the sandbox that is made once its address is known.
    pub(crate) fn start_with(
        self,
        make: impl FnOnce(Self, String) -> io::Result<Sandbox>,
    ) -> io::Result<RunningSandbox> {
        let (protocol, ca_certificate) = self.protocol()?;
        let front = Port::open(self.listen, protocol)?;
        let plain = self.plain_listen.map(|listen| Port::open(listen, Protocol::Http)).transpose()?;
        let limits = self.limits;
        let sandbox = make(self, front.base_url())?;
        RunningSandbox::start(sandbox, front, plain, ca_certificate, limits)
    }

    /// What to speak, and with TLS the authority to trust.
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
