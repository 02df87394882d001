//! Walks down the list page by page: which page comes next, and which of its rows are new.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::op::List;
use crate::page::{Page, Row};
use crate::types::ChargeId;

/// Rows further back than this are forgotten: a row comes again only if that many charges were made between two pages.
const REMEMBERED_ROWS: u32 = 10_000;

/// A walk from the newest charge towards the oldest.
///
/// The list grows at its head while it is read, so rows can come again: each is given out once. The host may allow smaller
/// pages than asked for: the size that the first page really had is kept. The end is an empty page. A page without a new id is
/// not: as many charges may have been made meanwhile as fit on it. Two of those that begin alike are, since then the host
/// ignores the page's number.
#[derive(Debug)]
pub(crate) struct Walk {
    page: u32,
    size: u32,
    /// Every id that was given out lately, with the page that it stood on.
    seen: BTreeMap<ChargeId, u32>,
    /// What the last page began with, if it had nothing new.
    stale: Option<Option<ChargeId>>,
    ended: bool,
}

impl Walk {
    pub(crate) const fn new(size: u32) -> Self {
        Self { page: 0, size, seen: BTreeMap::new(), stale: None, ended: false }
    }

    /// The next page to read, until the list has ended.
    pub(crate) fn next(&self) -> Option<List> {
        (!self.ended).then(|| List::page(self.page).size(self.size))
    }

    /// How many pages have been read.
    pub(crate) const fn pages(&self) -> u32 {
        self.page
    }

    /// Takes the page that [`next`](Self::next) named, and gives back its new rows.
    pub(crate) fn take(&mut self, page: Page) -> Vec<Row> {
        let rows = u32::try_from(page.rows()).unwrap_or(u32::MAX);
        let mut news = false;
        let mut fresh = Vec::with_capacity(page.rows());
        let mut page = page.into_rows().into_iter().peekable();
        let first = page.peek().map(|row| row.id().cloned());
        for row in page {
            let known = row.id().is_some_and(|id| self.seen.insert(id.clone(), self.page).is_some());
            news |= row.id().is_some() && !known;
            if !known {
                fresh.push(row);
            }
        }
        let again = !news && self.stale == first;
        self.ended = rows == 0 || again || self.page == u32::MAX;
        self.stale = first.filter(|_| !news);
        if self.page == 0 {
            self.size = rows.max(1);
        }
        self.page = self.page.saturating_add(1);
        let keep = (REMEMBERED_ROWS / self.size).max(8);
        if self.seen.len() > 2 * (keep as usize).saturating_mul(self.size as usize) {
            let oldest = self.page.saturating_sub(keep);
            self.seen.retain(|_, page| *page >= oldest);
        }
        fresh
    }
}
