//! The sandbox as a program, for clients in every language; `--help` tells the rest.

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
        // Before anything is printed: whoever reads the first line may send a signal at once.
        let stopped = stop_signal()?;
        let mut builder =
            Sandbox::builder().network(options.network).settlement(options.settlement).quirks(options.quirks);
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
            Some(path) => builder.data(path).on_not_kept(|error| complain(&error.to_string())).start(),
            None => builder.start(),
        };
        let sandbox = sandbox.map_err(|error| in_flags(error, options.webhook_ca.as_deref()))?;
        let ca = sandbox.ca_certificate().map(|pem| CaFile::write(pem, options.tls_ca_out)).transpose()?;
        let ca = ca.as_ref().map(CaFile::path);
        if sandbox.network() == Network::Bitcoin {
            complain(WORTHLESS);
        }
        print(&if options.json { json(&sandbox, ca) } else { banner(&sandbox, ca) })?;
        stopped.await;
        Ok(())
    })
}

const WORTHLESS: &str = "these invoices look real (lnbc...) and are worthless: no node of the network stands behind them, \
     and nobody can pay them. Use --network testnet if a payer could see one";

/// Why it did not start, in terms of the flags that led there.
fn in_flags(error: io::Error, webhook_ca: Option<&Path>) -> io::Error {
    let (kind, inner) = (error.kind(), error.get_ref());
    let is = |kind: fn(&(dyn Error + 'static)) -> bool| inner.is_some_and(|inner| kind(inner));
    let told = if is(|inner| inner.is::<DataError>()) {
        format!("--data: {error}")
    } else if let (true, Some(file)) = (is(|inner| inner.is::<InvalidInput>()), webhook_ca) {
        format!("--webhook-ca: {}: {error}", file.display())
    } else if kind == io::ErrorKind::AddrInUse {
        format!("{error}; pass port 0 for a free one, as in --listen 127.0.0.1:0")
    } else {
        return error;
    };
    io::Error::new(kind, told)
}

/// The plan in a file.
fn plan(file: &Path) -> io::Result<Plan> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| io::Error::new(error.kind(), format!("--faults: cannot read {name}: {error}")))?;
    Plan::from_json(&text)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("--faults: {name}: {error}")))
}

/// Ends when the program is asked to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut signals = vec![signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    // Whoever starts it with nohup wants it to go on when the terminal is closed.
    if !ignores_hangup() {
        signals.push(signal(SignalKind::hangup())?);
    }
    Ok(std::future::poll_fn(move |context| {
        let stop = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if stop { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    }))
}

/// Whether the program was started with SIGHUP ignored, as far as the system tells it: Linux does.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // Its number is 1, and the mask begins with that.
    ignored & 1 == 1
}

/// Ends when the program is asked to stop.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

/// The file that clients are told to trust.
enum CaFile {
    Kept(PathBuf),
    /// Removed when this is dropped.
    Temporary(NamedTempFile),
}

impl CaFile {
    fn write(pem: &str, kept: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = kept else {
            let mut file = tempfile::Builder::new().prefix("strike-sandbox-ca-").suffix(".pem").tempfile()?;
            file.write_all(pem.as_bytes())?;
            return Ok(Self::Temporary(file));
        };
        // Whoever reads the path may be in another folder.
        let path = std::path::absolute(path)?;
        std::fs::write(&path, pem).map_err(|error| {
            io::Error::new(error.kind(), format!("--tls-ca-out: cannot write {}: {error}", path.display()))
        })?;
        Ok(Self::Kept(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

fn json(sandbox: &RunningSandbox, ca: Option<&Path>) -> String {
    let ca = ca.map(Path::to_string_lossy);
    let fields = [
        ("base_url", Some(sandbox.base_url())),
        ("api_key", Some(sandbox.api_key())),
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
    let plain = sandbox.plain_base_url().map(|url| format!("  plain     {url}\n")).unwrap_or_default();
    let trust = ca.as_ref().map(|ca| format!("  trust     {ca}\n")).unwrap_or_default();
    let curl = ca.map_or("curl".to_owned(), |ca| format!("curl --cacert {}", shell_word(&ca)));
    let (network, key) = (sandbox.network(), sandbox.api_key());
    format!(
        "Strike sandbox, {network}\n\n\
        \x20 base URL  {api}\n\
        {plain}\
        \x20 page      {root}\n\
        {trust}\
        \x20 API key   {key}\n\n\
        Make a charge:\n\
        \x20 {curl} -u {user} -d amount=4200 -d currency=btc -d description=Coffee {api}charges\n\n\
        Pay it, with the id from the answer, or on the page:\n\
        \x20 {curl} -X POST {root}sandbox/charges/ID/pay\n\n\
        Show its QR code here:\n\
        \x20 {curl} {root}sandbox/charges/ID/qr.txt\n\n\
        Ctrl-C stops it.\n"
    )
}

/// The text as one word of a shell, whatever signs it has.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// To standard output at once: a program that waits for the line must not wait for a buffer. That nobody reads it is
/// no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn complain(message: &str) {
    // Nothing is left to tell it to if this fails.
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
