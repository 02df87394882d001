//! Why a file cannot be used, and what to do about it.

use std::io;
use std::path::PathBuf;

use strike_core::Network;

/// Why a data file could not be opened. The file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another sandbox has it open, in this process or in another.
    #[error("{} is in use by another sandbox: stop that one, or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is something else than the data of a sandbox.
    #[error("{} is no data file of a sandbox, and was left as it is: name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the sandbox has written it.
    #[error(
        "{} has format {found}, and this sandbox knows formats up to {known}: use the sandbox that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// The latest format that is known here.
        known: i64,
    },
    /// Its charges are for another network than the one that was asked for.
    #[error("{} is for {found}, not for {wanted}: ask for {found}, or name another file", path.display())]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// The network of the file's charges.
        found: Network,
        /// The network that was asked for.
        wanted: Network,
    },
    /// It is the data of a sandbox, and cannot be read to its end.
    #[error("{} is damaged ({what}): restore a copy of it, or name another file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The system refused: no such folder, no permission, no space.
    #[error("{} cannot be opened: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<DataError> for io::Error {
    /// The kind tells the cases apart; the error itself is inside.
    fn from(error: DataError) -> Self {
        let kind = match &error {
            DataError::InUse { .. } => io::ErrorKind::ResourceBusy,
            DataError::Foreign { .. } | DataError::Newer { .. } | DataError::Damaged { .. } => {
                io::ErrorKind::InvalidData
            }
            DataError::OtherNetwork { .. } => io::ErrorKind::InvalidInput,
            DataError::Unusable { source, .. } => source.kind(),
        };
        Self::new(kind, error)
    }
}
