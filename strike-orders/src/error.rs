//! `Error`: why the desk could not do what it was asked to.

use std::error::Error as StdError;

/// The error of every call of a [`Desk`](crate::Desk).
///
/// It never contains the URL of the database, a key, or a payment request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of the order is invalid. Nothing was written or sent.
    #[error("the name of an order must be {rule}")]
    InvalidName {
        /// The rule that the name breaks.
        rule: &'static str,
    },
    /// A text of the order contains the character NUL. Nothing was written or sent.
    #[error("the {field} must not contain the character NUL, which PostgreSQL cannot store")]
    NulCharacter {
        /// The field: `description` or `customer_id`.
        field: &'static str,
    },
    /// The name belongs to an order for something else. Nothing was sent.
    #[error(
        "order {name:?} exists with another {field}; use another name for another order, or `renew` after it has expired"
    )]
    DifferentOrder {
        /// The name.
        name: String,
        /// The first field that differs: `amount`, `description` or `customer_id`.
        field: &'static str,
    },
    /// There is no order with this name.
    #[error("there is no order {name:?}; place it first")]
    NotFound {
        /// The name.
        name: String,
    },
    /// Another call creates the invoice of this order, and has not finished in time. Try again.
    #[error("order {name:?} is being placed by another call; place it again to get its invoice")]
    BeingPlaced {
        /// The name.
        name: String,
    },
    /// An earlier invoice of this order was paid, so there is no new one. The runner completes the order.
    #[error("an earlier invoice of order {name:?} was paid; the runner completes the order")]
    AlreadyPaid {
        /// The name.
        name: String,
    },
    /// The host did not respond in time. The order's invoice may exist, and a later call finds it.
    #[error("the host did not respond within {seconds} s to the create of order {name:?}; place it again")]
    CreateTimedOut {
        /// The name.
        name: String,
        /// The time limit.
        seconds: u64,
    },
    /// This desk is running already, in this process.
    #[error("this desk is running already; call `run` once in each process")]
    AlreadyRunning,
    /// The runtime stopped while the order was placed. A later call finishes it.
    #[error("the runtime stopped while the order was placed; place it again")]
    Interrupted,
    /// The host refused, or could not be reached.
    #[error(transparent)]
    Client(#[from] strike_async::Error),
    /// The database failed. Try again: nothing is lost, and nothing is done twice.
    #[error("could not {task}: {source}")]
    Database {
        /// What failed.
        task: &'static str,
        /// The error of the database.
        source: sqlx::Error,
    },
    /// The database did not respond in time. Try again: nothing is lost, and nothing is done twice.
    #[error("could not {task}: the database did not respond in time")]
    DatabaseTimedOut {
        /// What failed.
        task: &'static str,
    },
    /// The database was migrated by a newer release.
    #[error(
        "the database has schema version {version}, which this release does not know; update strike-orders"
    )]
    NewerSchema {
        /// The version.
        version: i64,
    },
    /// A row cannot be read. It was changed by hand, or written by a newer release.
    #[error("the stored charge of order {name:?} cannot be read; a newer release may have written it")]
    Unreadable {
        /// The name of the order.
        name: String,
        /// What is wrong with it.
        source: Option<serde_json::Error>,
    },
    /// The URL names a database that this build does not support.
    #[error(
        "the URL of the database must start with sqlite: (feature `sqlite`) or postgres: (feature `postgres`)"
    )]
    UnsupportedUrl,
    /// The handler asked for a connection to the other database.
    #[error("the desk is on {is}; use {call}, or match on tx.connection()")]
    WrongDatabase {
        /// The database.
        is: &'static str,
        /// The call that fits.
        call: &'static str,
    },
    /// The operating system provides no random bytes. Nothing was written or sent.
    #[error("the operating system provides no random bytes")]
    NoRandom,
    /// A cursor is not one that [`Cursor`](crate::Cursor) has written.
    #[error("a cursor must be a whole number, such as 17")]
    InvalidCursor,
}

/// The error of a handler: any error.
pub type HandlerError = Box<dyn StdError + Send + Sync>;

impl Error {
    pub(crate) const fn database(task: &'static str, source: sqlx::Error) -> Self {
        Self::Database { task, source }
    }

    pub(crate) fn unreadable(name: &str, source: serde_json::Error) -> Self {
        Self::Unreadable { name: name.to_owned(), source: Some(source) }
    }

    /// A row without the data that its state needs.
    pub(crate) fn without_charge(name: &str) -> Self {
        Self::Unreadable { name: name.to_owned(), source: None }
    }

    /// Returns true if the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Client(error) => error.is_retryable() || error.may_have_created_charge(),
            Self::Database { .. }
            | Self::BeingPlaced { .. }
            | Self::CreateTimedOut { .. }
            | Self::Interrupted => true,
            _ => false,
        }
    }
}
