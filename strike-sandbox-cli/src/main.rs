//! The `strike-sandbox` program: starts the server and prints how to reach it.

mod cli;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use strike_core::{InvalidInput, Network};
use strike_sandbox::faults::Plan;
use strike_sandbox::{DataError, RunningSandbox, Sandbox};
use tempfile::NamedTempFile;

use crate::cli::Listen;

fn main() -> ExitCode {
    let options = match cli::parse(std::env::args_os().skip(1)) {
        Ok(cli::Command::Run(options)) => options,
        Ok(cli::Command::Help) => return finish(print(cli::HELP)),
        Ok(cli::Command::Version) => {
            return finish(print(concat!("strike-sandbox ", env!("CARGO_PKG_VERSION"), "\n")));
        }
        Err(error) => {
            complain(&format!("{error}\nTry 'strike-sandbox --help'."));
            return ExitCode::from(2);
        }
    };
    finish(run(options))
}

fn run(options: cli::Options) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        // Before the first output: a caller may send a signal as soon as it has read it.
        let stopped = stop_signal()?;
        let mut builder = Sandbox::builder()
            .network(options.network)
            .settlement(options.settlement)
            .quirks(options.quirks)
            .phoenixd(options.phoenixd);
        let addresses = [("listen", Some(options.listen)), ("plain-listen", options.plain_listen)];
        builder = match options.listen {
            Listen::At(address) => builder.listen(address),
            Listen::Localhost(port) => builder.listen_localhost(port),
        };
        if options.tls {
            builder = builder.tls();
        }
        builder = match options.plain_listen {
            Some(Listen::At(address)) => builder.plain_listen(address),
            Some(Listen::Localhost(port)) => builder.plain_listen_localhost(port),
            None => builder,
        };
        if let Some(key) = options.api_key {
            builder = builder.api_key(key);
        }
        if let Some(seed) = options.seed {
            builder = builder.seed(seed);
        }
        if let Some(webhook) = options.webhook {
            builder = builder.webhook(webhook);
        }
        if let Some(file) = options.faults {
            builder = builder.faults(plan(&file)?);
        }
        if let Some(idle) = options.idle_close {
            builder = builder.close_idle_after(idle);
        }
        let sandbox = match options.data {
            Some(path) => builder.data(path).on_storage_error(|error| complain(&error.to_string())).start(),
            None => builder.start(),
        };
        let sandbox =
            sandbox.map_err(|error| name_option(error, &addresses, options.webhook_ca.as_deref()))?;
        let ca = sandbox.ca_certificate().map(|pem| CaFile::write(pem, options.tls_ca_out)).transpose()?;
        let ca = ca.as_ref().map(CaFile::path);
        if sandbox.network() == Network::Bitcoin {
            complain(NOT_PAYABLE);
        }
        print(&if options.json { json(&sandbox, ca) } else { banner(&sandbox, ca) })?;
        stopped.await;
        Ok(())
    })
}

const NOT_PAYABLE: &str = "warning: these invoices look real (lnbc...), but nobody can pay them: no Lightning node \
     stands behind them. Use --network testnet if payers could see one";

/// Adds the name of the option that caused an error at the start.
fn name_option(
    error: io::Error,
    addresses: &[(&str, Option<Listen>)],
    webhook_ca: Option<&Path>,
) -> io::Error {
    let (kind, inner) = (error.kind(), error.get_ref());
    let is = |is_type: fn(&(dyn Error + 'static)) -> bool| inner.is_some_and(|inner| is_type(inner));
    let text = error.to_string();
    let message = if is(|inner| inner.is::<DataError>()) {
        format!("--data: {text}")
    } else if let (true, Some(file)) = (is(|inner| inner.is::<InvalidInput>()), webhook_ca) {
        format!("--webhook-ca: {}: {text}", file.display())
    } else if let Some((name, address)) = failed_address(&text, addresses) {
        if kind == io::ErrorKind::AddrInUse {
            let (port, free) = (address.port(), address.with_free_port());
            format!("--{name}: port {port} is in use; pass --{name} {free} for a free port")
        } else {
            format!("--{name}: {text}")
        }
    } else {
        return error;
    };
    io::Error::new(kind, message)
}

/// Returns the option and the address that the server could not listen on.
fn failed_address<'a>(text: &str, addresses: &[(&'a str, Option<Listen>)]) -> Option<(&'a str, Listen)> {
    addresses.iter().find_map(|&(name, address)| {
        let address = address?;
        text.starts_with(&format!("cannot listen on {address}: ")).then_some((name, address))
    })
}

/// Reads a plan of faults from a file.
fn plan(file: &Path) -> io::Result<Plan> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| io::Error::new(error.kind(), format!("--faults: cannot read {name}: {error}")))?;
    Plan::from_json(&text)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("--faults: {name}: {error}")))
}

/// Resolves when a signal asks the program to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut signals = vec![signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    // With nohup the program must keep running after the terminal is closed.
    if !ignores_hangup() {
        signals.push(signal(SignalKind::hangup())?);
    }
    Ok(std::future::poll_fn(move |context| {
        let stop = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if stop { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    }))
}

/// Returns true if the program was started with SIGHUP ignored. Only Linux provides this information.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // SIGHUP is signal 1, the lowest bit of the mask.
    ignored & 1 == 1
}

/// Resolves when Ctrl-C asks the program to stop.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

/// The PEM file with the certificate authority that clients must trust.
enum CaFile {
    Permanent(PathBuf),
    /// Deleted when this is dropped.
    Temporary(NamedTempFile),
}

impl CaFile {
    fn write(pem: &str, path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else {
            let mut file = tempfile::Builder::new().prefix("strike-sandbox-ca-").suffix(".pem").tempfile()?;
            file.write_all(pem.as_bytes())?;
            return Ok(Self::Temporary(file));
        };
        // A caller that reads the path from `--json` may have another working directory.
        let path = std::path::absolute(path)?;
        std::fs::write(&path, pem).map_err(|error| {
            io::Error::new(error.kind(), format!("--tls-ca-out: cannot write {}: {error}", path.display()))
        })?;
        Ok(Self::Permanent(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Permanent(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

fn json(sandbox: &RunningSandbox, ca: Option<&Path>) -> String {
    let ca = ca.map(Path::to_string_lossy);
    let fields = [
        ("base_url", Some(sandbox.base_url())),
        ("api_key", Some(sandbox.api_key())),
        ("phoenixd_url", Some(sandbox.phoenixd_url())),
        ("phoenixd_password", Some(&sandbox.phoenixd_password())),
        ("phoenixd_full_password", Some(&sandbox.phoenixd_full_password())),
        ("phoenixd_webhook_secret", Some(&sandbox.phoenixd_webhook_secret())),
        ("plain_base_url", sandbox.plain_base_url()),
        ("ca_cert", ca.as_deref()),
    ];
    let fields = fields.map(|(name, text)| Some(format!("\"{name}\": {}", serde_json::Value::from(text?))));
    format!("{{{}}}\n", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn banner(sandbox: &RunningSandbox, ca: Option<&Path>) -> String {
    let api = sandbox.base_url();
    let root = api.trim_end_matches("api/v1/");
    let user = shell_word(&format!("{}:", sandbox.api_key()));
    let ca = ca.map(Path::to_string_lossy);
    let plain = sandbox.plain_base_url().map(|url| format!("  plain URL {url}\n")).unwrap_or_default();
    let trust = ca.as_ref().map(|ca| format!("  CA file   {ca}\n")).unwrap_or_default();
    let curl = ca.map_or("curl".to_owned(), |ca| format!("curl --cacert {}", shell_word(&ca)));
    let (network, key) = (sandbox.network(), sandbox.api_key());
    let phoenixd = sandbox.phoenixd_url();
    let (limited, full) = (sandbox.phoenixd_password(), sandbox.phoenixd_full_password());
    format!(
        "Strike sandbox, {network}\n\n\
        \x20 base URL  {api}\n\
        {plain}\
        \x20 page      {root}\n\
        {trust}\
        \x20 API key   {key}\n\
        \x20 phoenixd  {phoenixd}\n\
        \x20 password  {limited} (limited)\n\
        \x20           {full} (full)\n\n\
        Create a charge:\n\
        \x20 {curl} -u {user} -d amount=4200 -d currency=btc -d description=Coffee {api}charges\n\n\
        Pay it, with the id from the response, or on the page:\n\
        \x20 {curl} -X POST {root}sandbox/charges/ID/pay\n\n\
        Show its QR code in the terminal:\n\
        \x20 {curl} {root}sandbox/charges/ID/qr.txt\n\n\
        Press Ctrl-C to stop.\n"
    )
}

/// Quotes a text as one word for a shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Prints and flushes, since another program may wait for the line. A closed pipe is not an error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn complain(message: &str) {
    // If standard error is closed, there is nowhere to report it.
    let _ = writeln!(io::stderr(), "strike-sandbox: {message}");
}

fn finish(outcome: io::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
