//! A sandbox in the making: which key, network, seed and clock, and where it listens.

use strike_core::{Network, UnixMillis};

use crate::clock::Clock;
use crate::entropy::{Entropy, NAME_LENGTH};
use crate::ledger::Ledger;
use crate::node::{NodeKey, Settlement, Shape};
use crate::quirks::Quirks;
use crate::sandbox::Sandbox;
use crate::service::{Service, Setup};
use crate::webhooks::Webhook;

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
    pub(crate) api_key: Option<String>,
    pub(crate) network: Network,
    seed: Option<u64>,
    pub(crate) clock_at: Option<UnixMillis>,
    settlement: Settlement,
    pub(crate) webhook: Option<Webhook>,
    quirks: Quirks,
    #[cfg(feature = "server")]
    listen: std::net::SocketAddr,
    #[cfg(feature = "server")]
    plain_listen: Option<std::net::SocketAddr>,
    #[cfg(feature = "tls")]
    tls: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            api_key: None,
            network: Network::Testnet,
            seed: None,
            clock_at: None,
            settlement: Settlement::Instant,
            webhook: None,
            quirks: Quirks::new(),
            #[cfg(feature = "server")]
            listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(),
            #[cfg(feature = "server")]
            plain_listen: None,
            #[cfg(feature = "tls")]
            tls: false,
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

    /// How charges are paid; at once unless set.
    pub const fn settlement(mut self, settlement: Settlement) -> Self {
        self.settlement = settlement;
        self
    }

    /// What it does otherwise than by default; nothing unless set.
    pub const fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// A sandbox that answers in memory.
    #[must_use]
    pub fn build(self) -> Sandbox {
        self.build_at(Self::IN_MEMORY.to_owned())
    }

    /// Where the API is without a server.
    pub(crate) const IN_MEMORY: &'static str = "http://127.0.0.1/api/v1/";

    fn build_at(self, base_url: String) -> Sandbox {
        let (identity, clock) = (self.identity(), Clock::new(self.clock_at));
        self.assemble(identity, clock, Ledger::default(), base_url)
    }

    /// Who a new sandbox is.
    pub(crate) fn identity(&self) -> Identity {
        let mut entropy = self.seed.map_or_else(Entropy::from_system, Entropy::from_seed);
        // Both are always drawn: what follows in the stream must not depend on who chose the key.
        let drawn = entropy.name("sk_", NAME_LENGTH);
        let node_key = NodeKey::draw(&mut entropy);
        entropy.mark();
        Identity { api_key: self.api_key.clone().unwrap_or(drawn), node_key, entropy }
    }

    pub(crate) fn assemble(
        self,
        identity: Identity,
        clock: Clock,
        ledger: Ledger,
        base_url: String,
    ) -> Sandbox {
        let Identity { api_key, node_key, entropy } = identity;
        let shape = if self.quirks.invoices_of_2018 { Shape::Of2018 } else { Shape::OfToday };
        let node = self.settlement.node(self.network, shape, node_key, clock.now());
        let service = Service::new(Setup {
            api_key,
            entropy,
            clock,
            node,
            ledger,
            webhook: self.webhook,
            quirks: self.quirks,
        });
        Sandbox::assemble(service, self.network, base_url)
    }
}

/// What makes a sandbox the one that it is, from one start to the next.
pub(crate) struct Identity {
    pub(crate) api_key: String,
    pub(crate) node_key: NodeKey,
    pub(crate) entropy: Entropy,
}

#[cfg(feature = "server")]
mod start {
    use std::io;
    use std::net::SocketAddr;

    use super::Builder;
    use crate::sandbox::Sandbox;
    use crate::server::{Port, Protocol, RunningSandbox};

    impl Builder {
        /// Where [`start`](Self::start) listens: 127.0.0.1 and a free port unless set; port 0 means a free one.
        ///
        /// Anyone who reaches the address can pay charges, since the sandbox's own routes ask for no key.
        pub const fn listen(mut self, address: SocketAddr) -> Self {
            self.listen = address;
            self
        }

        /// Speaks plain HTTP on this address, too: the same sandbox by a second port, for clients that know no
        /// TLS. Port 0 means a free one, which [`RunningSandbox::plain_base_url`] tells.
        pub const fn plain_listen(mut self, address: SocketAddr) -> Self {
            self.plain_listen = Some(address);
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
            let sandbox = make(self, front.base_url())?;
            RunningSandbox::start(sandbox, front, plain, ca_certificate)
        }

        /// What to speak, and with TLS the authority to trust.
        #[cfg(feature = "tls")]
        fn protocol(&self) -> io::Result<(Protocol, Option<String>)> {
            use crate::clock::Clock;
            use crate::server::Acceptor;

            if !self.tls {
                return Ok((Protocol::Http, None));
            }
            let moments = [Clock::new(None).now(), Clock::new(self.clock_at).now()];
            let (acceptor, authority) = Acceptor::new(self.listen.ip(), &moments)?;
            Ok((Protocol::Https(acceptor), Some(authority)))
        }

        #[cfg(not(feature = "tls"))]
        fn protocol(&self) -> io::Result<(Protocol, Option<String>)> {
            Ok((Protocol::Http, None))
        }
    }
}

impl std::fmt::Debug for Builder {
    /// Shows neither key nor seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("network", &self.network).finish_non_exhaustive()
    }
}
