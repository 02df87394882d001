//! The `Scan` type: a page of which only the rows that matter are read.

use std::fmt;
use std::ops::Range;
use std::str;

use crate::protocol::plain_charge::PlainCharge;
use crate::protocol::{Endpoint, Row, UnreadableRow};
use crate::values::{Origin, UnixMillis};

/// One page of the list, still as the server sent it. Most rows of an account may be charges that
/// nobody watches. A watcher reads only the others.
pub(crate) struct Scan {
    pub(super) endpoint: Endpoint,
    pub(super) body: Vec<u8>,
    pub(super) rows: Vec<ScannedRow>,
    pub(super) created: Option<(UnixMillis, UnixMillis)>,
}

/// Where a row is in the body, and where its id is, if that is known without reading the row.
pub(super) struct ScannedRow {
    pub(super) text: Range<usize>,
    pub(super) id: Option<Range<usize>>,
}

impl Scan {
    /// Returns the number of rows, including the unreadable ones.
    pub(crate) const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the creation times of the first and the last charge. `None` if the page has no
    /// charge.
    pub(crate) const fn created(&self) -> Option<(UnixMillis, UnixMillis)> {
        self.created
    }

    /// Returns the first row, if no row of the page is a charge.
    pub(crate) fn unreadable(&self) -> Option<UnreadableRow> {
        let first = self.rows.first().filter(|_| self.created.is_none())?;
        match self.read(first)? {
            Row::Unreadable(row) => Some(row),
            Row::Charge(_) => None,
        }
    }

    /// Returns the rows whose id passes the filter, in the server's order.
    pub(crate) fn filtered(&self, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Row> {
        self.rows.iter().filter_map(move |row| {
            if let Some(id) = &row.id {
                self.text(id).filter(|id| is_wanted(id))?;
            }
            self.read(row).filter(|row| row.id().is_some_and(|id| is_wanted(id.as_str())))
        })
    }

    fn read(&self, row: &ScannedRow) -> Option<Row> {
        let text = self.text(&row.text)?;
        let plain = PlainCharge::whole(text).and_then(|charge| charge.to_charge(Origin::Response));
        Some(plain.map_or_else(|| Row::read(&self.endpoint, text), Row::Charge))
    }

    fn text(&self, range: &Range<usize>) -> Option<&str> {
        str::from_utf8(self.body.get(range.clone())?).ok()
    }
}

impl fmt::Debug for Scan {
    /// Shows the number of rows, but not their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}
