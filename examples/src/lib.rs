//! What the examples share: a host, named by the environment or a sandbox of their own.

use std::env::{self, VarError};
use std::error::Error;

use strike_core::{ApiKey, Endpoint, Network};
use strike_sandbox::{Builder, RunningSandbox, Sandbox};

/// A host to try things on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Host {
    /// Where it is, and the key.
    pub endpoint: Endpoint,
    /// The sandbox, if it is one of our own; it stops when dropped.
    pub sandbox: Option<RunningSandbox>,
}

/// The host that `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK` (testnet unless set) name, or without the first
/// two a sandbox inside this process. Says which, on standard output.
///
/// # Errors
/// If only one of URL and key is given, or one of the three is not valid, or no sandbox can be started.
pub fn host() -> Result<Host, Box<dyn Error>> {
    host_or(Sandbox::builder())
}

/// The same, with a sandbox of the caller's own make.
///
/// # Errors
/// As [`host`].
#[expect(clippy::print_stdout, reason = "examples talk to people")]
pub fn host_or(sandbox: Builder) -> Result<Host, Box<dyn Error>> {
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
        _ => Err("STRIKE_BASE_URL and STRIKE_API_KEY are given together, or not at all".into()),
    }
}

fn variable(name: &str) -> Result<Option<String>, Box<dyn Error>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not text").into()),
    }
}
