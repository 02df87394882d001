//! [`SandboxBuilder`]: the settings of a new sandbox.

use strike_core::{Network, UnixMillis};

use crate::clock::Clock;
use crate::entropy::{Entropy, NAME_LENGTH};
use crate::faults::Plan;
use crate::ledger::Ledger;
use crate::node::{NodeKey, Settlement};
use crate::phoenixd::Phoenixd;
use crate::quirks::Quirks;
use crate::sandbox::Sandbox;
use crate::service::{Service, Setup};
use crate::webhooks::Webhook;

/// The settings of a new [`Sandbox`].
///
/// With a seed and a manual clock, all responses are the same in every run:
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
pub struct SandboxBuilder {
    pub(crate) api_key: Option<String>,
    pub(crate) network: Network,
    seed: Option<u64>,
    pub(crate) clock_at: Option<UnixMillis>,
    settlement: Settlement,
    pub(crate) webhook: Option<Webhook>,
    quirks: Quirks,
    pub(crate) phoenixd: Phoenixd,
    pub(crate) faults: Plan,
    #[cfg(feature = "server")]
    pub(crate) listen: crate::server::Listen,
    #[cfg(feature = "server")]
    pub(crate) plain_listen: Option<crate::server::Listen>,
    #[cfg(feature = "tls")]
    pub(crate) tls: bool,
    #[cfg(feature = "server")]
    pub(crate) limits: crate::server::Limits,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            api_key: None,
            network: Network::Testnet,
            seed: None,
            clock_at: None,
            settlement: Settlement::Instant,
            webhook: None,
            quirks: Quirks::new(),
            phoenixd: Phoenixd::new(),
            faults: Plan::new(),
            #[cfg(feature = "server")]
            listen: crate::server::Listen::At((std::net::Ipv4Addr::LOCALHOST, 0).into()),
            #[cfg(feature = "server")]
            plain_listen: None,
            #[cfg(feature = "tls")]
            tls: false,
            #[cfg(feature = "server")]
            limits: crate::server::Limits::default(),
        }
    }
}

impl SandboxBuilder {
    /// Sets the API key. Default: random, `sk_` and 29 base58 characters.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Sets the network of the invoices. Default: testnet.
    ///
    /// Invoices for `Network::Bitcoin` begin with `lnbc`, like real ones. Nobody can pay them,
    /// because the sandbox is not part of the network.
    pub const fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sets the seed for the node's key, the API key, ids and preimages. Default: random.
    ///
    /// With a fixed seed they are the same in every run, and not secret.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Uses a manual clock that starts at this time. Default: the system clock.
    ///
    /// A manual clock moves only with [`Sandbox::advance`] and [`Sandbox::advance_to`].
    pub const fn clock_at(mut self, now: UnixMillis) -> Self {
        self.clock_at = Some(now);
        self
    }

    /// Sets how charges are paid. Default: [`Settlement::Instant`].
    pub const fn settlement(mut self, settlement: Settlement) -> Self {
        self.settlement = settlement;
        self
    }

    /// Sets deviations from the default behavior. Default: none.
    pub const fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Creates a sandbox that works in memory, without a server.
    #[must_use]
    pub fn build(self) -> Sandbox {
        self.build_at(Self::IN_MEMORY.to_owned())
    }

    /// The base URL of a sandbox without a server.
    pub(crate) const IN_MEMORY: &'static str = "http://127.0.0.1/api/v1/";

    pub(crate) fn build_at(self, base_url: String) -> Sandbox {
        let (identity, clock) = (self.identity(), Clock::new(self.clock_at));
        self.assemble(identity, clock, Ledger::default(), base_url)
    }

    /// Draws the keys of a new sandbox.
    pub(crate) fn identity(&self) -> Identity {
        let mut entropy = self.seed.map_or_else(Entropy::from_system, Entropy::from_seed);
        // Always draw both, so that a chosen API key does not change the ids that follow.
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
        let node = self.settlement.node(self.network, node_key, clock.now());
        let service = Service::new(Setup {
            api_key,
            network: self.network,
            entropy,
            clock,
            node,
            ledger,
            webhook: self.webhook,
            quirks: self.quirks,
            phoenixd: self.phoenixd.account(node_key),
            faults: self.faults,
        });
        Sandbox::assemble(service, self.network, base_url)
    }
}

/// The keys and the random stream of a sandbox. A data file keeps them between runs.
pub(crate) struct Identity {
    pub(crate) api_key: String,
    pub(crate) node_key: NodeKey,
    pub(crate) entropy: Entropy,
}

impl std::fmt::Debug for SandboxBuilder {
    /// Omits the API key and the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxBuilder").field("network", &self.network).finish_non_exhaustive()
    }
}
