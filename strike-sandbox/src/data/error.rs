//! The errors of opening a data file.

use std::io;
use std::path::PathBuf;

use strike_core::Network;

/// The error of opening a data file. The file has not been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another sandbox has the file open, in this process or in another.
    #[error("{} is in use by another sandbox; stop that one or choose another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a sandbox data file.
    #[error("{} is not a sandbox data file and was not changed; choose another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the sandbox wrote the file.
    #[error(
        "{} has format {found}, but this version reads formats up to {known}; use the version that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// The latest format that this version reads.
        known: i64,
    },
    /// The file's charges are for another network than the builder's.
    #[error("{} is for {found}, not for {wanted}; select {found} or choose another file", path.display())]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// The network of the file's charges.
        found: Network,
        /// The network set in the builder.
        wanted: Network,
    },
    /// The file is a sandbox data file, but its contents cannot be read.
    #[error("{} is damaged ({what}); restore a backup or choose another file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is damaged.
        what: String,
    },
    /// The operating system reported an error, such as a missing folder or missing permissions.
    #[error("{} cannot be opened: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl From<DataError> for io::Error {
    /// Keeps the `DataError` as the inner error and chooses a matching kind.
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
