//! The dialects that the SDK speaks, so that a test runs with each of them.

use std::fmt;

use strike_core::{ApiKey, Endpoint, EndpointBuilder, InvalidInput, Network, Password};

/// A dialect of the SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// The Strike API.
    Strike,
    /// phoenixd, ACINQ's node.
    Phoenixd,
    /// LNbits, a wallet server.
    Lnbits,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 3] = [Self::Strike, Self::Phoenixd, Self::Lnbits];

    /// Starts building an endpoint for a server. `origin` is its URL without a path, and `secret` is
    /// the API key, the password or the invoice key.
    ///
    /// # Errors
    /// Returns an error if the secret is not valid.
    pub fn builder(
        self,
        origin: &str,
        secret: &str,
        network: Network,
    ) -> Result<EndpointBuilder, InvalidInput> {
        Ok(match self {
            Self::Strike => Endpoint::builder(&format!("{origin}/api/v1/"), ApiKey::new(secret)?, network),
            Self::Phoenixd => EndpointBuilder::phoenixd(origin, Password::new(secret)?, network),
            Self::Lnbits => EndpointBuilder::lnbits(origin, ApiKey::new(secret)?, network),
        })
    }

    /// Returns an endpoint with the default rules.
    ///
    /// # Errors
    /// Returns an error if the URL or the secret is not valid.
    pub fn endpoint(self, origin: &str, secret: &str, network: Network) -> Result<Endpoint, InvalidInput> {
        self.builder(origin, secret, network)?.build()
    }

    /// Returns true if the path is that of a list.
    #[must_use]
    pub fn is_list(self, path: &str) -> bool {
        path.ends_with(match self {
            Self::Strike => "/charges",
            Self::Phoenixd => "/payments/incoming",
            Self::Lnbits => "/payments/paginated",
        })
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strike => "Strike",
            Self::Phoenixd => "phoenixd",
            Self::Lnbits => "LNbits",
        })
    }
}
