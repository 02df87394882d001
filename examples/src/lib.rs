//! The server for the examples: one from the environment variables, or a sandbox.

use std::env::{self, VarError};
use std::error::Error;

use strike_core::{ApiKey, Endpoint, Network};
use strike_sandbox::{RunningSandbox, Sandbox, SandboxBuilder};

/// A server to run an example on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Host {
    /// Its base URL, the key and the network.
    pub endpoint: Endpoint,
    /// The sandbox, if the example has started one. It stops when it is dropped.
    pub sandbox: Option<RunningSandbox>,
}

/// Returns the server in `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK` (testnet unless
/// set). Without the first two, it starts a sandbox in this process. Prints which one it uses.
///
/// # Errors
/// Returns an error if only one of URL and key is set, if a value is not valid, or if the sandbox
/// cannot be started.
pub fn host() -> Result<Host, Box<dyn Error>> {
    host_or(Sandbox::builder())
}

/// Like [`host`], but with the caller's sandbox builder.
///
/// # Errors
/// Returns the same errors as [`host`].
#[expect(clippy::print_stdout, reason = "the example prints its results")]
pub fn host_or(sandbox: SandboxBuilder) -> Result<Host, Box<dyn Error>> {
    match (variable("STRIKE_BASE_URL")?, variable("STRIKE_API_KEY")?) {
        (Some(url), Some(key)) => {
            let network = variable("STRIKE_NETWORK")?.map_or(Ok(Network::Testnet), |name| name.parse())?;
            let endpoint = Endpoint::new(&url, ApiKey::new(key)?, network)?;
            println!("using {} ({network})", endpoint.base_url());
            Ok(Host { endpoint, sandbox: None })
        }
        (None, None) => {
            let sandbox = sandbox.start()?;
            let endpoint =
                Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
            println!("using a sandbox at {}", endpoint.base_url());
            Ok(Host { endpoint, sandbox: Some(sandbox) })
        }
        _ => Err("set both STRIKE_BASE_URL and STRIKE_API_KEY, or neither".into()),
    }
}

fn variable(name: &str) -> Result<Option<String>, Box<dyn Error>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not valid UTF-8").into()),
    }
}
