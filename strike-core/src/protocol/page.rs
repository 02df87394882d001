//! The `Page` type: one page of the list, with the rows that are not charges.

use std::fmt;

use crate::errors::{Advice, Error, ErrorKind};
use crate::protocol::Endpoint;
use crate::values::{Charge, ChargeId};

/// One page of the list of charges, as the server returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub(crate) rows: Vec<Row>,
}

impl Page {
    /// Returns the charges, newest first.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.rows.iter().filter_map(|row| if let Row::Charge(charge) = row { Some(charge) } else { None })
    }

    /// Returns the rows that could not be read as charges. One bad row does not hide the others.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableRow> {
        self.rows.iter().filter_map(|row| if let Row::Unreadable(row) = row { Some(row) } else { None })
    }

    /// Returns the number of rows, including the unreadable ones.
    ///
    /// A short page does not mean that the list has ended, because a server may limit the page
    /// size.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns every row, in the server's order.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller should handle both")]
pub enum Row {
    /// A charge.
    Charge(Charge),
    /// A row that could not be read as a charge.
    Unreadable(UnreadableRow),
}

impl Row {
    /// Reads a row of a list.
    pub(super) fn read(endpoint: &Endpoint, text: &str) -> Self {
        match endpoint.dialect().row(text) {
            Ok(charge) => Self::Charge(charge.mark_as_response()),
            Err(row) => Self::Unreadable(UnreadableRow {
                // Errors show the id, so an id that repeats the key is dropped.
                id: row.id.filter(|id| endpoint.fit_for_log(id.as_str()) == id.as_str()),
                customer_id: row.customer_id,
                reason: endpoint.fit_for_log(&row.reason),
            }),
        }
    }

    /// Returns the id of the row, or `None` if it could not be read.
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
/// `Debug` shows the id and the reason, but not the content of the row.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    pub(crate) id: Option<ChargeId>,
    /// The `customer_id` as the server sent it. It may repeat the API key. `None` if it could not
    /// be read: the row may then belong to any order.
    pub(crate) customer_id: Option<String>,
    pub(crate) reason: String,
}

impl UnreadableRow {
    /// Converts the row into an error.
    pub(crate) fn into_error(self) -> Error {
        let error = Error::new(format!("list charges, {}", self.name()), ErrorKind::Undecodable);
        error.with_status(200).with_advice(Advice::DoNotUse).with_source(self.reason)
    }

    /// Returns the words that identify the row in errors.
    pub(crate) fn name(&self) -> String {
        self.id.as_ref().map_or_else(|| "a row without a readable id".to_owned(), |id| format!("row {id}"))
    }

    /// Returns the id, or `None` if it could not be read.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        self.id.as_ref()
    }

    /// Returns the reason why the row could not be read.
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
