//! Decides which page of the list to read next, and which of its rows are new.

use std::collections::BTreeMap;

use crate::protocol::{List, Page, Row};
use crate::values::{ChargeId, UnixMillis};

/// At least this many rows are remembered, to recognise a row that comes again. If a row may be one
/// that was forgotten, the cursor gives up.
const REMEMBERED_ROWS: u64 = 10_000;

/// How many times in a row the same page must come before the first page is read again. That read
/// distinguishes the end of the list from a list that grows by a page between two requests.
const MAX_REPEATS: u32 = 6;

/// How many pages in a row may hold only rows that are known or newer than the first page. After
/// that the list grows faster than it is read, and the cursor gives up.
const MAX_PAGES_WITHOUT_PROGRESS: u32 = 100;

/// Reads the list from the newest charge to the oldest.
///
/// - New charges are added at the front while the list is read. Rows then move back and can come
///   again. Each is returned once.
/// - A server may limit the page size. The cursor goes on with the size of the first page.
/// - An empty page is the end of the list, or several in a row, as the backend's properties say. A
///   page of known rows is not: a page of new charges may
///   have been created in between.
/// - If the same page comes again and again, the first page is read once more. If it still holds
///   the first row, the server repeats its last page, and the list has ended. Otherwise the list
///   grows by a page between two requests, and the cursor gives up.
#[derive(Debug)]
pub(crate) struct PageCursor {
    page: u32,
    size: u32,
    /// How many empty pages in a row are the end of the list.
    empty_pages_at_end: u32,
    /// How many empty pages came in a row.
    empty_pages: u32,
    /// The ids of the last rows, with the number of the row (counted from 1) and the creation time
    /// of the charge.
    seen: BTreeMap<ChargeId, (u64, Option<UnixMillis>)>,
    /// The number of rows with ids so far.
    rows_seen: u64,
    /// The creation time of the oldest row that was forgotten.
    oldest_forgotten: Option<UnixMillis>,
    /// The numbers of the first and the last row of the previous page.
    last_page: Option<(u64, u64)>,
    /// How many times in a row that page has come again.
    repeats: u32,
    /// How many pages in a row led no further back.
    without_progress: u32,
    /// The creation time of the newest charge on the first page. `None` if that page is not sorted
    /// newest first.
    newest: Option<UnixMillis>,
    /// The id of the first row that has one.
    first: Option<ChargeId>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Reading the first page again, to see whether the list has ended.
    Checking,
    Ended,
    GaveUp,
}

impl PageCursor {
    pub(crate) const fn new(size: u32, empty_pages_at_end: u32) -> Self {
        Self {
            page: 0,
            size,
            empty_pages_at_end,
            empty_pages: 0,
            seen: BTreeMap::new(),
            rows_seen: 0,
            oldest_forgotten: None,
            last_page: None,
            repeats: 0,
            without_progress: 0,
            newest: None,
            first: None,
            state: State::Reading,
        }
    }

    /// Returns the next page to read, or `None` at the end.
    pub(crate) fn next(&self) -> Option<List> {
        match self.state {
            State::Reading => Some(List::page(self.page).size(self.size)),
            State::Checking => Some(List::page(0).size(self.size)),
            State::Ended | State::GaveUp => None,
        }
    }

    /// Returns the number of pages that have been read.
    pub(crate) const fn pages(&self) -> u32 {
        self.page
    }

    /// Returns true if the cursor gave up before the end of the list.
    pub(crate) const fn gave_up(&self) -> bool {
        matches!(self.state, State::GaveUp)
    }

    /// Takes the page that [`next`](Self::next) named, and returns its new rows.
    pub(crate) fn take(&mut self, page: Page) -> Vec<Row> {
        if self.state == State::Checking {
            let is_first_row = |row: &Row| row.id().is_some() && row.id() == self.first.as_ref();
            let repeats_last_page = page.rows.iter().any(is_first_row);
            self.state = if repeats_last_page { State::Ended } else { State::GaveUp };
            return Vec::new();
        }
        let rows = u32::try_from(page.rows()).unwrap_or(u32::MAX);
        if self.page == 0 {
            let (first, last) = (page.rows.first().and_then(created), page.rows.last().and_then(created));
            self.newest = first.filter(|first| last.is_some_and(|last| last <= *first));
            if rows > 0 {
                self.size = rows;
            }
        }
        self.empty_pages = if rows == 0 { self.empty_pages.saturating_add(1) } else { 0 };
        let mut first_and_last = None;
        let mut may_repeat_rows = false;
        let mut new_rows = Vec::with_capacity(page.rows());
        for row in page.into_rows() {
            let mut known = false;
            if let Some(id) = row.id() {
                if self.may_be_forgotten(&row) {
                    may_repeat_rows = true;
                    continue;
                }
                self.first.get_or_insert_with(|| id.clone());
                let next = self.rows_seen.saturating_add(1);
                let (number, _) = *self.seen.entry(id.clone()).or_insert((next, created(&row)));
                known = number != next;
                self.rows_seen = self.rows_seen.max(number);
                first_and_last = Some((first_and_last.map_or(number, |(first, _)| first), number));
            }
            if !known {
                new_rows.push(row);
            }
        }
        self.count_progress(&new_rows, first_and_last);
        self.state = if self.empty_pages >= self.empty_pages_at_end {
            State::Ended
        } else if may_repeat_rows
            || self.without_progress >= MAX_PAGES_WITHOUT_PROGRESS
            || self.page == u32::MAX
        {
            State::GaveUp
        } else if self.repeats < MAX_REPEATS || rows == 0 {
            State::Reading
        } else if first_and_last.is_some() {
            State::Checking
        } else {
            // Rows without ids cannot be compared.
            State::GaveUp
        };
        self.page = self.page.saturating_add(1);
        self.forget_old_rows();
        new_rows
    }

    /// Counts pages that lead no further back, and repeats of the same page.
    fn count_progress(&mut self, new_rows: &[Row], first_and_last: Option<(u64, u64)>) {
        let is_old = |row: &Row| self.newest.is_none() || created(row) <= self.newest;
        if new_rows.iter().any(|row| row.id().is_some() && is_old(row)) {
            (self.repeats, self.without_progress) = (0, 0);
        } else {
            self.without_progress = self.without_progress.saturating_add(1);
            self.repeats = if first_and_last == self.last_page { self.repeats.saturating_add(1) } else { 0 };
        }
        self.last_page = first_and_last;
    }

    /// Forgets all but the last [`REMEMBERED_ROWS`] rows, once twice as many are remembered.
    fn forget_old_rows(&mut self) {
        if u64::try_from(self.seen.len()).unwrap_or(u64::MAX) <= 2 * REMEMBERED_ROWS {
            return;
        }
        let last = self.rows_seen.saturating_sub(REMEMBERED_ROWS);
        let forgotten = self.seen.values().filter(|(number, _)| *number <= last);
        self.oldest_forgotten =
            forgotten.filter_map(|(_, created)| *created).chain(self.oldest_forgotten).min();
        self.seen.retain(|_, (number, _)| *number > last);
    }

    /// Returns true if a row is unknown, but newer than a row that was forgotten. It may have been
    /// read before.
    fn may_be_forgotten(&self, row: &Row) -> bool {
        let is_newer =
            self.newest.is_some() && self.oldest_forgotten.is_some() && created(row) > self.oldest_forgotten;
        is_newer && row.id().is_some_and(|id| !self.seen.contains_key(id))
    }
}

fn created(row: &Row) -> Option<UnixMillis> {
    match row {
        Row::Charge(charge) => Some(charge.created()),
        Row::Unreadable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::PageCursor;
    use crate::protocol::Page;
    use crate::protocol::{ApiKey, Endpoint};
    use crate::protocol::{List, Operation};
    use crate::transport::HttpResponse;
    use crate::values::Network;
    use crate::values::Now;
    use crate::values::UnixMillis;

    /// Returns a page of rows that have an id and nothing else. The cursor needs no more.
    fn page(ids: impl IntoIterator<Item = u32>) -> Page {
        let rows: Vec<String> = ids.into_iter().map(|id| format!(r#"{{"id":"ch_{id}"}}"#)).collect();
        let key = ApiKey::new("sk_demo").unwrap();
        let endpoint = Endpoint::new("http://127.0.0.1/", key, Network::Testnet).unwrap();
        let response = HttpResponse::new(format!("[{}]", rows.join(",")).into_bytes());
        let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
        List::page(0).parse(&endpoint, &response, now).unwrap()
    }

    #[test]
    fn pages_of_known_rows_are_not_the_end_of_the_list() {
        let mut cursor = PageCursor::new(3, 1);
        assert_eq!(cursor.take(page([9, 8, 7])).len(), 3);
        assert_eq!(cursor.take(page([6, 5, 4])).len(), 3);
        // Six charges are created. The next two pages hold only known rows.
        for known in [[6, 5, 4], [9, 8, 7], [6, 5, 4]] {
            assert!(cursor.take(page(known)).is_empty() && cursor.next().is_some());
        }
        assert_eq!(cursor.take(page([3, 2, 1])).len(), 3);
        assert!(cursor.take(page([])).is_empty() && cursor.next().is_none());
    }

    #[test]
    fn twenty_pages_of_known_rows_are_read_past() {
        let mut cursor = PageCursor::new(1, 1);
        for id in (50..70).rev() {
            assert_eq!(cursor.take(page([id])).len(), 1);
        }
        for id in (50..70).rev() {
            assert!(cursor.take(page([id])).is_empty());
            assert!(cursor.next().is_some(), "it ended at {id}");
        }
        assert_eq!(cursor.take(page([49])).len(), 1);
    }

    #[test]
    fn the_last_10000_rows_are_remembered() {
        let mut cursor = PageCursor::new(15_000, 1);
        for ids in [15_001..30_001, 1..15_001] {
            assert_eq!(cursor.take(page(ids.rev())).len(), 15_000);
        }
        assert!(cursor.take(page([10_000, 1])).is_empty());
        assert_eq!(cursor.take(page([30_000, 20_000])).len(), 2, "forgotten rows are returned again");
    }

    #[test]
    fn a_server_that_repeats_its_last_page_ends_the_list() {
        let mut cursor = PageCursor::new(30, 1);
        let pages =
            (0..100).take_while(|_| cursor.next().is_some().then(|| cursor.take(page([2, 1]))).is_some());
        assert!(pages.count() <= 8 && !cursor.gave_up());
        // The same page comes again because a page of charges is created before each request. This
        // is not the end.
        let mut cursor = PageCursor::new(2, 1);
        for _ in 0..7 {
            cursor.take(page([2, 1]));
        }
        assert!(cursor.next().is_some() && !cursor.gave_up());
        assert!(cursor.take(page([16, 15])).is_empty() && cursor.next().is_none() && cursor.gave_up());
        // A server that repeats its last page in changing order makes the cursor give up.
        let mut cursor = PageCursor::new(30, 1);
        for request in 0..200 {
            cursor.take(page(if request % 2 == 0 { [2, 1] } else { [1, 2] }));
        }
        assert!(cursor.next().is_none() && cursor.gave_up());
    }
}
