//! The `Scan` type: a page of which only the rows that matter are copied.

use std::fmt;
use std::ops::Range;

use crate::protocol::plain_charge::PlainCharge;
use crate::protocol::{Row, UnreadableRow};
use crate::values::{Origin, UnixMillis};

/// One page of the list, still as the server sent it. A watcher copies only the charges that it
/// watches.
pub(crate) struct Scan {
    body: String,
    rows: Vec<ScannedRow>,
    created: Option<(UnixMillis, UnixMillis)>,
}

pub(super) enum ScannedRow {
    /// A valid charge: where its text is in the body, and where its id is.
    Plain { text: Range<usize>, id: Range<usize> },
    /// A row that was read already.
    Read(Box<Row>),
}

impl Scan {
    /// Creates a scan of these rows of a body. `created` has the creation times of the first and the
    /// last charge.
    pub(super) const fn new(
        body: String,
        rows: Vec<ScannedRow>,
        created: Option<(UnixMillis, UnixMillis)>,
    ) -> Self {
        Self { body, rows, created }
    }

    /// Returns the number of rows, including the unreadable ones.
    pub(crate) const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the creation times of the first and the last charge. `None` if the page has no
    /// charge.
    pub(crate) const fn created(&self) -> Option<(UnixMillis, UnixMillis)> {
        self.created
    }

    /// Returns the first row that is no charge.
    pub(crate) fn first_unreadable(&self) -> Option<&UnreadableRow> {
        self.rows.iter().find_map(|row| match row {
            ScannedRow::Read(row) => match &**row {
                Row::Unreadable(row) => Some(row),
                Row::Charge(_) => None,
            },
            ScannedRow::Plain { .. } => None,
        })
    }

    /// Returns the rows whose id passes the filter, in the server's order.
    pub(crate) fn filtered(&self, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Row> {
        self.rows.iter().filter_map(move |row| match row {
            ScannedRow::Plain { text, id } => {
                self.body.get(id.clone()).filter(|id| is_wanted(id))?;
                let charge = PlainCharge::whole(self.body.get(text.clone())?)?;
                Some(Row::Charge(charge.to_charge(Origin::Response)))
            }
            ScannedRow::Read(row) => {
                row.id().is_some_and(|id| is_wanted(id.as_str())).then(|| Row::clone(row))
            }
        })
    }
}

impl fmt::Debug for Scan {
    /// Shows the number of rows, but not their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// Returns where a part of a text is in it.
pub(super) fn range(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + part.len()
}
