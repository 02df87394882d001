//! A page of the list, as the server returned it: rows that are charges, and rows that are not.

use std::fmt;

use crate::errors::{Advice, Error, ErrorKind};
use crate::values::{Charge, ChargeId};

/// A page of charges, as the server returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub(crate) rows: Vec<Row>,
}

impl Page {
    /// The charges, newest first.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.rows.iter().filter_map(|row| if let Row::Charge(charge) = row { Some(charge) } else { None })
    }

    /// Rows that are no charges, so that one bad record does not hide the others.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableRow> {
        self.rows.iter().filter_map(|row| if let Row::Unreadable(row) = row { Some(row) } else { None })
    }

    /// How many rows the server returned, unreadable ones included. Fewer than asked for does not mean that the
    /// list has ended: the host may allow smaller pages only.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Every row, in the server's order.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is one or the other, and neither may be passed over")]
pub enum Row {
    /// A charge.
    Charge(Charge),
    /// Something else.
    Unreadable(UnreadableRow),
}

impl Row {
    /// The row's id, if that much could be read.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        match self {
            Self::Charge(charge) => Some(charge.id()),
            Self::Unreadable(row) => row.id(),
        }
    }
}

/// A row of a list that could not be read as a charge.
///
/// `Debug` shows its id and what is wrong, and nothing else of the row.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    pub(crate) id: Option<ChargeId>,
    /// As the server sent it, which may repeat the key. `None` if not even that could be read: then it may be anyone's.
    pub(crate) customer_id: Option<String>,
    pub(crate) reason: String,
}

impl UnreadableRow {
    /// What is wrong, as an error.
    pub(crate) fn into_error(self) -> Error {
        let error = Error::new(format!("list charges, {}", self.name()), ErrorKind::Undecodable);
        error.with_status(200).with_advice(Advice::DoNotUse).with_source(self.reason)
    }

    /// Which row it is, for errors.
    pub(crate) fn name(&self) -> String {
        self.id.as_ref().map_or_else(|| "a row without a readable id".to_owned(), |id| format!("row {id}"))
    }

    /// Its id, if that much could be read.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        self.id.as_ref()
    }

    /// What is wrong with it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Debug for UnreadableRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadableRow")
            .field("id", &self.id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
