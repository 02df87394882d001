//! A sandbox whose charges outlive the process: everything that it is, in one file.

mod error;
mod file;
mod journal;
mod lock;
mod place;
mod rows;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builder::{Identity, SandboxBuilder};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ledger::{Ledger, StorageError};
use crate::sandbox::Sandbox;

pub use error::DataError;
use file::File;
use journal::Report;

/// A sandbox in the making that keeps its charges in a file. [`SandboxBuilder::data`] gives it, as the last setting:
/// opening a file can fail, and so this has no `build`.
///
/// ```
/// use strike_core::http::Request;
/// use strike_sandbox::Sandbox;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("shop.sqlite");
///
/// let sandbox = Sandbox::builder().data(&file).open()?;
/// let key = sandbox.api_key().to_owned();
/// let url = format!("{}charges", sandbox.base_url());
/// let user = data_encoding::BASE64.encode(format!("{key}:").as_bytes());
/// let request = Request::post(&url)
///     .header("authorization", format!("Basic {user}"))
///     .header("content-type", "application/x-www-form-urlencoded")
///     .body(b"amount=4200&currency=btc&description=tea".to_vec())?;
/// assert_eq!(sandbox.respond(&request).status(), 200);
/// drop(sandbox);
///
/// let again = Sandbox::builder().data(&file).open()?;
/// assert_eq!(again.charges(), 1);
/// assert_eq!(again.api_key(), key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct DataBuilder {
    builder: SandboxBuilder,
    path: PathBuf,
    report: Report,
}

impl SandboxBuilder {
    /// Keeps the charges in this file, which is made if there is none. Call it last.
    ///
    /// A charge, a payment and a moved clock are answered once they are written and synchronised. A sandbox that
    /// is opened again is the same one: its node's key, its API key unless another is set, its clock as far
    /// ahead, and ids and preimages drawn from where the stream stood, whatever seed is set. A manual clock
    /// starts no earlier than the last change. What is not kept: deliveries of webhooks, planned faults, counts
    /// of requests.
    ///
    /// The file is a database of SQLite, for its owner alone on Unix. While it is open, a second file beside it,
    /// `-lock`, keeps other sandboxes out. When the last handle on the sandbox is dropped, that is gone.
    ///
    /// If the file is moved, removed, replaced or written to by another program, the sandbox refuses every change
    /// with 500 and reports it to [`DataBuilder::on_storage_error`].
    pub fn data(self, path: impl Into<PathBuf>) -> DataBuilder {
        DataBuilder { builder: self, path: path.into(), report: Arc::new(|_| ()) }
    }
}

impl DataBuilder {
    /// Calls this for each change that could not be written to the file, so that it can be logged. It runs while the
    /// sandbox is locked, and so must not call it.
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let sandbox = Sandbox::builder()
    ///     .data(folder.path().join("shop.sqlite"))
    ///     .on_storage_error(|error| eprintln!("{error}"))
    ///     .open()?;
    /// # let _ = sandbox;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_storage_error(mut self, report: impl Fn(&StorageError) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// A sandbox that answers in memory, and keeps its charges.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened, is in use, is for another network, or is none of a sandbox.
    pub fn open(self) -> Result<Sandbox, DataError> {
        open(self.builder, &self.path, self.report, SandboxBuilder::IN_MEMORY.to_owned())
    }

    /// A sandbox behind an HTTP server, as [`SandboxBuilder::start`] gives it, that keeps its charges.
    ///
    /// # Errors
    /// If the address cannot be listened on; with a [`DataError`] inside if the file cannot be used.
    #[cfg(feature = "server")]
    pub fn start(self) -> std::io::Result<crate::server::RunningSandbox> {
        self.builder.start_with(|builder, base_url| Ok(open(builder, &self.path, self.report, base_url)?))
    }
}

fn open(
    builder: SandboxBuilder,
    path: &Path,
    report: Report,
    base_url: String,
) -> Result<Sandbox, DataError> {
    let mut clock = Clock::new(builder.clock_at);
    let file = File::open(path)?;
    let Some(kept) = file.read()? else {
        let identity = builder.identity();
        let journal = file.begin(builder.network, &identity, report)?;
        return Ok(builder.assemble(identity, clock, Ledger::kept(Vec::new(), Box::new(journal)), base_url));
    };
    if kept.network != builder.network {
        return Err(DataError::OtherNetwork {
            path: path.into(),
            found: kept.network,
            wanted: builder.network,
        });
    }
    let charges = file.charges()?;
    // Nothing is written before everything was read.
    let api_key = builder.api_key.clone().unwrap_or(kept.api_key);
    let journal = file.resume(&api_key, kept.standing, report)?;
    clock.resume(kept.standing.ahead, kept.standing.seen);
    let entropy = Entropy::from_position(&kept.standing.entropy);
    let identity = Identity { api_key, node_key: kept.node_key, entropy };
    Ok(builder.assemble(identity, clock, Ledger::kept(charges, Box::new(journal)), base_url))
}

/// The file beside another one whose name goes on like this.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

impl fmt::Debug for DataBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataBuilder")
            .field("builder", &self.builder)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
