//! Reads the list in pages that overlap, so that a row that is missing in between is noticed.

use std::collections::BTreeSet;

use crate::protocol::{List, Page, Row};
use crate::values::ChargeId;

/// How many ids of a page are kept, to recognise its last rows on the next one.
const TAIL: usize = 128;

/// The most rows by which two pages overlap. New charges move up to `TAIL - MAX_OVERLAP` rows back.
const MAX_OVERLAP: u32 = 64;

/// How many new charges may move the end of the list back until it is checked.
const SPARE_PLACES: u32 = 8;

/// Reads pages of which each repeats the last row of the page before.
///
/// The place of a page in the list is its number times its size. So a size is chosen for each page
/// with which it begins a few rows before the end of the last one. Rows that the server deletes
/// between two requests, or that one of its replicas lacks, then cannot hide others.
#[derive(Debug)]
pub(super) struct ContiguousPages {
    /// The most rows of a page. The first page shows the server's limit.
    size: u32,
    /// How many places of the list have been read.
    end: u32,
    /// The number and the size of the page to read.
    asked: (u32, u32),
    pages: u32,
    /// Whether the last page had as many rows as were requested.
    is_full: bool,
    /// The ids of the last rows of the last page.
    tail: Vec<ChargeId>,
}

/// What a page led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// These rows are new.
    Rows(Vec<Row>),
    /// The list ends with the last row so far.
    End,
    /// The list may end here. It is too short for pages that overlap.
    PerhapsEnd,
    /// The pages do not fit together, so rows may be missing.
    Broken,
}

impl ContiguousPages {
    pub(super) const fn new(size: u32) -> Self {
        Self { size, end: 0, asked: (0, size), pages: 0, is_full: false, tail: Vec::new() }
    }

    /// Returns the number of pages that have been read.
    pub(super) const fn pages(&self) -> u32 {
        self.pages
    }

    /// Returns true if the last page had as many rows as were requested.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns the page to read.
    pub(super) const fn next(&self) -> List {
        List::page(self.asked.0).size(self.asked.1)
    }

    /// Takes the page that [`next`](Self::next) named.
    pub(super) fn take(&mut self, page: Page) -> Taken {
        let rows = u32::try_from(page.rows()).unwrap_or(u32::MAX);
        let (number, size) = self.asked;
        let is_first = self.pages == 0;
        self.pages = self.pages.saturating_add(1);
        self.is_full = rows >= size;
        let tail = std::mem::take(&mut self.tail);
        let known: BTreeSet<&ChargeId> = tail.iter().collect();
        let is_known = |row: &Row| row.id().is_some_and(|id| known.contains(id));
        match (is_first, rows) {
            (true, 0) => return Taken::End,
            (true, _) => self.size = rows.min(size),
            // This page begins where the first one ended.
            (false, 0) if number.checked_mul(size) == Some(self.end) => return Taken::PerhapsEnd,
            (false, _) if !page.rows.first().is_some_and(is_known) => return Taken::Broken,
            (false, _) => {}
        }
        let last = page.rows.last().and_then(Row::id);
        let ends_as_before = last.is_some() && last == tail.last();
        let is_new = |row: &Row| !is_known(row);
        if !page.rows.iter().any(is_new) {
            return if !self.is_full && ends_as_before { Taken::End } else { Taken::Broken };
        }
        let start_of_tail = page.rows.len().saturating_sub(TAIL);
        self.tail = page.rows.iter().skip(start_of_tail).filter_map(Row::id).cloned().collect();
        self.end = number.saturating_mul(size).saturating_add(rows);
        match self.following() {
            Some(asked) => self.asked = asked,
            None if is_first => self.asked = (1, self.size),
            None => return Taken::Broken,
        }
        Taken::Rows(page.into_rows().into_iter().filter(is_new).collect())
    }

    /// Returns the number and the size of a page with the last row and at least one place after it.
    ///
    /// If the list may have ended, it is a small one. Otherwise it is the one that reaches farthest.
    fn following(&self) -> Option<(u32, u32)> {
        let last = self.end.checked_sub(1)?;
        let page_of = |size: u32| last.checked_div(size).map(|page| (page, size));
        let start_of = |(page, size): (u32, u32)| page.saturating_mul(size);
        let end_of = |(page, size): (u32, u32)| start_of((page, size)).saturating_add(size);
        let mut small = (2..=self.size).filter_map(page_of);
        if !self.is_full {
            let with_spare = |asked: &(u32, u32)| end_of(*asked) > self.end.saturating_add(SPARE_PLACES);
            return small.clone().find(with_spare).or_else(|| small.find(|asked| end_of(*asked) > self.end));
        }
        let smallest = (self.size / 2).max(2);
        let large = (smallest..=self.size).filter_map(page_of);
        let fitting = large.filter(|asked| {
            let overlap = self.end.saturating_sub(start_of(*asked));
            overlap <= MAX_OVERLAP && end_of(*asked) > self.end
        });
        fitting.max_by_key(|asked| end_of(*asked))
    }
}
