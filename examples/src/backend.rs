//! The kinds of servers that the examples run on.

use std::error::Error;
use std::ffi::OsString;

use strike_core::Endpoint;
use strike_sandbox::Sandbox;

/// A kind of server: `STRIKE_BACKEND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the examples handle each backend")]
pub enum Backend {
    /// A server with the Strike API.
    Strike,
    /// A phoenixd node.
    Phoenixd,
    /// An LNbits server.
    Lnbits,
}

impl Backend {
    /// Returns the backend with this name. Without a name, it is Strike.
    pub(crate) fn named(name: Option<OsString>) -> Result<Self, Box<dyn Error>> {
        match name.as_deref().map(|name| name.to_str().unwrap_or_default()) {
            None | Some("" | "strike") => Ok(Self::Strike),
            Some("phoenixd") => Ok(Self::Phoenixd),
            Some("lnbits") => Ok(Self::Lnbits),
            Some(_) => Err("STRIKE_BACKEND must be `strike`, `phoenixd` or `lnbits`".into()),
        }
    }

    /// Returns the value of a variable that is not set.
    pub(crate) fn default_of(self, name: &str) -> Option<&'static str> {
        (self == Self::Strike && name == "STRIKE_NETWORK").then_some("testnet")
    }

    /// Returns the endpoint of a sandbox that acts as this backend.
    pub(crate) fn endpoint_of(self, sandbox: &Sandbox) -> Result<Endpoint, Box<dyn Error>> {
        Ok(if self == Self::Phoenixd { sandbox.phoenixd_endpoint()? } else { sandbox.endpoint()? })
    }

    /// Returns an example of the variables.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Strike => {
                "STRIKE_BASE_URL=https://pay.example.com/api/v1/ STRIKE_API_KEY=sk_... STRIKE_NETWORK=testnet"
            }
            Self::Phoenixd => {
                "STRIKE_BACKEND=phoenixd STRIKE_BASE_URL=http://127.0.0.1:9740 \
                 STRIKE_API_KEY=<http-password-limited-access of phoenix.conf> STRIKE_NETWORK=bitcoin"
            }
            Self::Lnbits => {
                "STRIKE_BACKEND=lnbits STRIKE_BASE_URL=https://wallet.example.com \
                 STRIKE_API_KEY=<invoice key of the wallet> STRIKE_NETWORK=bitcoin"
            }
        }
    }
}
