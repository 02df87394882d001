//! A sandbox in the making: which key, network, seed and clock, and where it listens.

use strike_core::{Network, UnixMillis};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::faults::Plan;
use crate::node::Instant;
use crate::sandbox::Sandbox;
use crate::service::Service;

/// A [`Sandbox`] in the making.
///
/// With a seed and a manual clock, everything it answers is the same in every run:
///
/// ```
/// use strike_core::{Network, UnixMillis};
/// use strike_sandbox::Sandbox;
///
/// let sandbox = || {
///     let builder = Sandbox::builder().network(Network::Regtest).seed(7);
///     builder.clock_at(UnixMillis::from_secs(1_542_221_803)).build()
/// };
/// assert_eq!(sandbox().api_key(), sandbox().api_key());
/// assert_eq!(sandbox().payee(), sandbox().payee());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    api_key: Option<String>,
    network: Network,
    seed: Option<u64>,
    clock_at: Option<UnixMillis>,
    pub(crate) faults: Plan,
    #[cfg(feature = "server")]
    listen: std::net::SocketAddr,
    #[cfg(feature = "server")]
    limits: crate::server::Limits,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            api_key: None,
            network: Network::Testnet,
            seed: None,
            clock_at: None,
            faults: Plan::new(),
            #[cfg(feature = "server")]
            listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(),
            #[cfg(feature = "server")]
            limits: crate::server::Limits::default(),
        }
    }
}

impl Builder {
    /// The key that opens the account. Unless set, one is drawn: `sk_` and 29 base58 characters.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The network that invoices are for; testnet unless set.
    pub const fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Draws the node's key, the API key, ids and preimages from this seed, so that they are the same in every
    /// run, and no secret. Unless set, the system's entropy is the seed.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Stops the clock at this moment; it moves only with [`Sandbox::advance`]. Unless set, it is the system's.
    pub const fn clock_at(mut self, now: UnixMillis) -> Self {
        self.clock_at = Some(now);
        self
    }

    /// A sandbox that answers in memory.
    #[must_use]
    pub fn build(self) -> Sandbox {
        self.build_at("http://127.0.0.1/api/v1/".to_owned())
    }

    fn build_at(self, base_url: String) -> Sandbox {
        let mut entropy = self.seed.map_or_else(Entropy::from_system, Entropy::from_seed);
        // Both are always drawn: what follows in the stream must not depend on who chose the key.
        let drawn = entropy.name("sk_");
        let node = Instant::new(self.network, &mut entropy);
        let clock = Clock::new(self.clock_at);
        let key = self.api_key.unwrap_or(drawn);
        let service = Service::new(key, entropy, clock, Box::new(node), self.faults);
        Sandbox::assemble(service, self.network, base_url)
    }
}

#[cfg(feature = "server")]
mod start {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::time::Duration;

    use super::Builder;
    use crate::server::RunningSandbox;

    /// As good as for ever, and still within what clocks can count.
    const LONGEST_IDLE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    impl Builder {
        /// Where [`start`](Self::start) listens: 127.0.0.1 and a free port unless set; port 0 means a free one.
        ///
        /// Anyone who reaches the address can pay charges, since the sandbox's own routes ask for no key.
        pub const fn listen(mut self, address: SocketAddr) -> Self {
            self.listen = address;
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
        /// If the address cannot be listened on (another program has it, most often), or if the system has no
        /// thread left.
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
            let listener = std::net::TcpListener::bind(self.listen)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            let limits = self.limits;
            let sandbox = self.build_at(format!("http://{}/api/v1/", reachable(address)));
            RunningSandbox::start(sandbox, listener, address, limits)
        }
    }

    /// An address to connect to: a listener on every address is reached on this machine's own.
    fn reachable(mut address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    }
}

impl std::fmt::Debug for Builder {
    /// Shows neither key nor seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("network", &self.network).finish_non_exhaustive()
    }
}
