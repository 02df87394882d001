//! Stores a sandbox in an SQLite file, so that its charges survive a restart.

#[cfg(test)]
#[cfg(unix)]
mod crash_tests;
mod error;
mod file;
mod file_identity;
mod journal;
mod lock;
mod tables;

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
use journal::ErrorCallback;

/// Builds a sandbox that stores its charges in a file.
///
/// [`SandboxBuilder::data`] creates it, as the last setting. Opening a file can fail, so this type has
/// [`open`](Self::open) instead of `build`.
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
    on_error: ErrorCallback,
}

impl SandboxBuilder {
    /// Stores the charges in this file. The file is created if it does not exist. Call this last.
    ///
    /// The sandbox responds to a change only after the change is synced to disk. Changes at the same
    /// time are synced together. The file stores:
    ///
    /// * the charges and their payments,
    /// * the key of the node,
    /// * the API key; setting another one in the builder replaces it,
    /// * how far the clock was advanced; a manual clock starts no earlier than the last change,
    /// * the position in the random stream of ids and preimages; a new seed is ignored.
    ///
    /// Webhook deliveries, planned faults, request counters and the settings of phoenixd's API are not
    /// stored.
    ///
    /// The file is an SQLite database. On Unix only its owner can access it. While it is open, a
    /// lock file next to it, with `-lock` added to the name, keeps other sandboxes from opening it.
    /// The lock file is removed when the last handle of the sandbox is dropped.
    ///
    /// If the file is moved, removed, replaced or written to by another program, the sandbox
    /// rejects every change with status 500 and reports it to [`DataBuilder::on_storage_error`].
    pub fn data(self, path: impl Into<PathBuf>) -> DataBuilder {
        DataBuilder { builder: self, path: path.into(), on_error: Arc::new(|_| ()) }
    }
}

impl DataBuilder {
    /// Sets a callback for each write to the file that fails, for example to log it. Changes at the
    /// same time share a write.
    ///
    /// The callback runs while the sandbox is locked. It must not call the sandbox.
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
    pub fn on_storage_error(mut self, callback: impl Fn(&StorageError) + Send + Sync + 'static) -> Self {
        self.on_error = Arc::new(callback);
        self
    }

    /// Opens the file and returns a sandbox without an HTTP server.
    ///
    /// # Errors
    /// Returns a [`DataError`] if the file cannot be opened, is in use, is for another network, or
    /// is not a sandbox data file.
    pub fn open(self) -> Result<Sandbox, DataError> {
        open(self.builder, &self.path, self.on_error, SandboxBuilder::IN_MEMORY.to_owned())
    }

    /// Opens the file and starts the sandbox as an HTTP server, like [`SandboxBuilder::start`].
    ///
    /// # Errors
    /// Returns an error if the sandbox cannot listen on its address. If the file cannot be used,
    /// the error contains a [`DataError`].
    #[cfg(feature = "server")]
    pub fn start(self) -> std::io::Result<crate::server::RunningSandbox> {
        self.builder.start_with(|builder, base_url| Ok(open(builder, &self.path, self.on_error, base_url)?))
    }
}

fn open(
    builder: SandboxBuilder,
    path: &Path,
    on_error: ErrorCallback,
    base_url: String,
) -> Result<Sandbox, DataError> {
    let mut clock = Clock::new(builder.clock_at);
    let mut file = File::open(path)?;
    let Some(stored) = file.read()? else {
        let identity = builder.identity();
        let journal = file.initialize(builder.network, &identity, on_error)?;
        return Ok(builder.assemble(identity, clock, Ledger::load(Vec::new(), Box::new(journal)), base_url));
    };
    if stored.network != builder.network {
        return Err(DataError::OtherNetwork {
            path: path.into(),
            found: stored.network,
            wanted: builder.network,
        });
    }
    let charges = file.charges()?;
    // The first write comes after all reads, so that a damaged file is left unchanged.
    let api_key = builder.api_key.clone().unwrap_or(stored.api_key);
    let journal = file.resume(&api_key, stored.state, on_error)?;
    clock.resume(stored.state.ahead, stored.state.seen);
    let entropy = Entropy::from_position(&stored.state.entropy);
    let identity = Identity { api_key, node_key: stored.node_key, entropy };
    Ok(builder.assemble(identity, clock, Ledger::load(charges, Box::new(journal)), base_url))
}

/// Adds a suffix to the file name of a path.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
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
