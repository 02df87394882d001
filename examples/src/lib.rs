//! The server for the examples: one from the environment variables, or a sandbox.

mod backend;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

pub use backend::Backend;
use strike_core::Endpoint;
use strike_sandbox::{Phoenixd, RunningSandbox, Sandbox, SandboxBuilder, Webhook};

/// The variables that name a server.
const REQUIRED: [&str; 3] = ["STRIKE_BASE_URL", "STRIKE_API_KEY", "STRIKE_NETWORK"];

/// A server to run an example on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Host {
    /// Its base URL, the credential, the backend and the network.
    pub endpoint: Endpoint,
    /// The sandbox, if the example has started one. It stops when it is dropped.
    pub sandbox: Option<RunningSandbox>,
}

/// Returns the server in `STRIKE_BACKEND`, `STRIKE_BASE_URL`, `STRIKE_API_KEY` and
/// `STRIKE_NETWORK`. Prints which one it uses.
///
/// | `STRIKE_BACKEND` | without URL and key | `STRIKE_NETWORK` |
/// | --- | --- | --- |
/// | `strike`, or not set | starts a sandbox in this process | `testnet` unless set |
/// | `phoenixd` | starts a sandbox, and uses it as a phoenixd | must be set |
/// | `lnbits` | returns an error that says what is missing | must be set |
///
/// # Errors
/// Returns an error if a variable is missing or not valid, or if the sandbox cannot be started.
pub fn host() -> Result<Host, Box<dyn Error>> {
    host_or(Sandbox::builder())
}

/// Like [`host`], but with the caller's sandbox builder.
///
/// # Errors
/// Returns the same errors as [`host`].
pub fn host_or(sandbox: SandboxBuilder) -> Result<Host, Box<dyn Error>> {
    host_from(sandbox, env::var_os)
}

/// Like [`host_or`], but reads the variables with a function.
///
/// # Errors
/// Returns the same errors as [`host`].
#[expect(clippy::print_stdout, reason = "the example prints its results")]
pub fn host_from(
    sandbox: SandboxBuilder,
    read: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Host, Box<dyn Error>> {
    let read = |name| read(name).filter(|value| !value.is_empty());
    let backend = Backend::named(read("STRIKE_BACKEND"))?;
    let read = |name| read(name).or_else(|| backend.default_of(name).map(OsString::from));
    let missing: Vec<_> = REQUIRED.into_iter().filter(|name| read(name).is_none()).collect();
    let has_sandbox = backend != Backend::Lnbits;
    if has_sandbox && read("STRIKE_BASE_URL").is_none() && read("STRIKE_API_KEY").is_none() {
        let sandbox = sandbox.start()?;
        let endpoint = backend.endpoint_of(&sandbox)?;
        println!("using a sandbox at {}", endpoint.base_url());
        return Ok(Host { endpoint, sandbox: Some(sandbox) });
    }
    if !missing.is_empty() {
        return Err(format!("not set: {}; for example: {}", missing.join(", "), backend.example()).into());
    }
    let endpoint = Endpoint::from_variables(read)?;
    println!("using {} ({})", endpoint.base_url(), endpoint.network());
    Ok(Host { endpoint, sandbox: None })
}

/// Prints the error of an example, if there is one. Returns its exit code.
#[expect(clippy::print_stderr, reason = "the example prints its errors")]
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the backend in `STRIKE_BACKEND`.
///
/// # Errors
/// Returns an error if there is no such backend.
pub fn backend() -> Result<Backend, Box<dyn Error>> {
    Backend::named(env::var_os("STRIKE_BACKEND"))
}

/// Starts a sandbox that acts as this backend, and sends its webhooks to this receiver.
///
/// # Errors
/// Returns an error if the sandbox cannot be started, and for LNbits, which it cannot be.
pub fn sandbox_with_webhook(
    backend: Backend,
    webhook: Webhook,
) -> Result<(RunningSandbox, Endpoint), Box<dyn Error>> {
    let builder = match backend {
        Backend::Strike => Sandbox::builder().webhook(webhook),
        Backend::Phoenixd => Sandbox::builder().phoenixd(Phoenixd::new().webhook(webhook)),
        Backend::Lnbits => {
            return Err("there is no sandbox for LNbits; set STRIKE_BACKEND to `strike` or `phoenixd`".into());
        }
    };
    let sandbox = builder.start()?;
    let endpoint = backend.endpoint_of(&sandbox)?;
    Ok((sandbox, endpoint))
}
