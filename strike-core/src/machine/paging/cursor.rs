//! Walks down the list page by page: which page comes next, and which of its rows are new.

use std::collections::BTreeMap;

use crate::protocol::{List, Page, Row};
use crate::values::{ChargeId, UnixMillis};

/// Rows further back than this are forgotten. A walk that meets rows as new as those gives up, since it cannot know them.
const REMEMBERED_ROWS: u64 = 10_000;

/// How many times in a row the very same page must come before the first page is read again, to tell the end from a list
/// that grows by a page between two requests.
const REPEATS: u32 = 6;

/// How many pages in a row may bring nothing but rows that are known, or newer than the first page, before the walk gives up:
/// the list grows faster than it is read.
const MOST_KNOWN: u32 = 100;

/// A walk from the newest charge towards the oldest.
///
/// The list grows at its head while it is read, so rows can come again: each is given out once. The host may allow smaller
/// pages than asked for: the size that the first page really had is kept. The end is an empty page. A page of known rows
/// is none, since a page's worth of charges can be made between two requests. The same page again and again is the end if
/// the first page still holds the first row: then the host repeats its last page. Otherwise the list grows by a page between
/// two requests, and the walk gives up.
#[derive(Debug)]
pub(crate) struct Walk {
    page: u32,
    size: u32,
    /// Every id that was given out lately, with its number in the order of the walk, and when it was made.
    seen: BTreeMap<ChargeId, (u64, Option<UnixMillis>)>,
    given: u64,
    /// When the oldest forgotten row was made.
    forgotten: Option<UnixMillis>,
    /// The numbers of the first and the last row of the page before, and how often in a row it has come again.
    last: Option<(u64, u64)>,
    repeats: u32,
    /// How many pages in a row led no further back.
    known: u32,
    /// When the newest charge of the first page was made, unless its rows are in another order.
    head: Option<UnixMillis>,
    /// The first row with an id.
    first: Option<ChargeId>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Walking,
    /// The first page is read again.
    Checking,
    Ended,
    GaveUp,
}

impl Walk {
    pub(crate) const fn new(size: u32) -> Self {
        Self {
            page: 0,
            size,
            seen: BTreeMap::new(),
            given: 0,
            forgotten: None,
            last: None,
            repeats: 0,
            known: 0,
            head: None,
            first: None,
            state: State::Walking,
        }
    }

    /// The next page to read, until the list has ended.
    pub(crate) fn next(&self) -> Option<List> {
        match self.state {
            State::Walking => Some(List::page(self.page).size(self.size)),
            State::Checking => Some(List::page(0).size(self.size)),
            State::Ended | State::GaveUp => None,
        }
    }

    /// How many pages have been read.
    pub(crate) const fn pages(&self) -> u32 {
        self.page
    }

    /// Whether it gave up before the end.
    pub(crate) const fn gave_up(&self) -> bool {
        matches!(self.state, State::GaveUp)
    }

    /// Takes the page that [`next`](Self::next) named, and gives back its new rows.
    pub(crate) fn take(&mut self, page: Page) -> Vec<Row> {
        if self.state == State::Checking {
            let stands = page.rows.iter().any(|row| row.id().is_some() && row.id() == self.first.as_ref());
            self.state = if stands { State::Ended } else { State::GaveUp };
            return Vec::new();
        }
        let rows = u32::try_from(page.rows()).unwrap_or(u32::MAX);
        let mut numbers = None;
        if self.page == 0 {
            let (first, last) = (page.rows.first().and_then(created), page.rows.last().and_then(created));
            self.head = first.filter(|first| last.is_some_and(|last| last <= *first));
        }
        let mut overrun = false;
        let mut fresh = Vec::with_capacity(page.rows());
        for row in page.into_rows() {
            let mut known = false;
            if let Some(id) = row.id() {
                if self.may_be_forgotten(&row) {
                    overrun = true;
                    continue;
                }
                self.first.get_or_insert_with(|| id.clone());
                let next = self.given.saturating_add(1);
                let (number, _) = *self.seen.entry(id.clone()).or_insert((next, created(&row)));
                known = number != next;
                self.given = self.given.max(number);
                numbers = Some((numbers.map_or(number, |(first, _)| first), number));
            }
            if !known {
                fresh.push(row);
            }
        }
        let is_back = |row: &Row| self.head.is_none() || created(row) <= self.head;
        let leads_back = |row: &Row| row.id().is_some() && is_back(row);
        if fresh.iter().any(leads_back) {
            (self.repeats, self.known) = (0, 0);
        } else {
            self.known = self.known.saturating_add(1);
            self.repeats = if numbers == self.last { self.repeats.saturating_add(1) } else { 0 };
        }
        self.last = numbers;
        self.state = if rows == 0 {
            State::Ended
        } else if overrun || self.known >= MOST_KNOWN || self.page == u32::MAX {
            State::GaveUp
        } else if self.repeats >= REPEATS && numbers.is_none() {
            // Rows without ids cannot be told apart.
            State::GaveUp
        } else if self.repeats >= REPEATS {
            State::Checking
        } else {
            State::Walking
        };
        if self.page == 0 {
            self.size = rows.max(1);
        }
        self.page = self.page.saturating_add(1);
        if u64::try_from(self.seen.len()).unwrap_or(u64::MAX) > 2 * REMEMBERED_ROWS {
            let oldest = self.given.saturating_sub(REMEMBERED_ROWS);
            let made =
                self.seen.values().filter(|(number, _)| *number <= oldest).filter_map(|(_, made)| *made);
            self.forgotten = made.chain(self.forgotten).min();
            self.seen.retain(|_, (number, _)| *number > oldest);
        }
        fresh
    }

    /// Whether a row is not known and as new as rows that were forgotten.
    fn may_be_forgotten(&self, row: &Row) -> bool {
        let newer = self.head.is_some() && self.forgotten.is_some() && created(row) > self.forgotten;
        newer && row.id().is_some_and(|id| !self.seen.contains_key(id))
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

    use super::Walk;
    use crate::protocol::Page;
    use crate::protocol::{ApiKey, Endpoint};
    use crate::protocol::{List, Operation};
    use crate::transport::HttpResponse;
    use crate::values::Network;
    use crate::values::Now;
    use crate::values::UnixMillis;

    /// Rows that are no charges, but have ids: the walk asks for no more.
    fn page(ids: impl IntoIterator<Item = u32>) -> Page {
        let rows: Vec<String> = ids.into_iter().map(|id| format!(r#"{{"id":"ch_{id}"}}"#)).collect();
        let key = ApiKey::new("sk_demo").unwrap();
        let at = Endpoint::new("http://127.0.0.1/", key, Network::Testnet).unwrap();
        let response = HttpResponse::new(format!("[{}]", rows.join(",")).into_bytes());
        let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
        List::page(0).parse(&at, &response, now).unwrap()
    }

    #[test]
    fn charges_made_meanwhile_do_not_look_like_the_end() {
        let mut walk = Walk::new(3);
        assert_eq!(walk.take(page([9, 8, 7])).len(), 3);
        assert_eq!(walk.take(page([6, 5, 4])).len(), 3);
        // Six more were made: what follows was read, page by page.
        for known in [[6, 5, 4], [9, 8, 7], [6, 5, 4]] {
            assert!(walk.take(page(known)).is_empty() && walk.next().is_some());
        }
        assert_eq!(walk.take(page([3, 2, 1])).len(), 3);
        assert!(walk.take(page([])).is_empty() && walk.next().is_none());
    }

    #[test]
    fn many_made_at_once_are_walked_past() {
        let mut walk = Walk::new(1);
        for id in (50..70).rev() {
            assert_eq!(walk.take(page([id])).len(), 1);
        }
        for id in (50..70).rev() {
            assert!(walk.take(page([id])).is_empty());
            assert!(walk.next().is_some(), "it ended at {id}");
        }
        assert_eq!(walk.take(page([49])).len(), 1);
    }

    #[test]
    fn the_last_ten_thousand_rows_are_remembered_and_memory_has_an_end() {
        let mut walk = Walk::new(15_000);
        for ids in [15_001..30_001, 1..15_001] {
            assert_eq!(walk.take(page(ids.rev())).len(), 15_000);
        }
        assert!(walk.take(page([10_000, 1])).is_empty());
        assert_eq!(walk.take(page([30_000, 20_000])).len(), 2, "forgotten, so given out again");
    }

    #[test]
    fn a_host_that_repeats_its_last_page_comes_to_an_end() {
        let mut walk = Walk::new(30);
        let pages = (0..100).take_while(|_| walk.next().is_some().then(|| walk.take(page([2, 1]))).is_some());
        assert!(pages.count() <= 8 && !walk.gave_up());
        // The same page comes again because a page's worth of charges is made before each request: no end.
        let mut walk = Walk::new(2);
        for _ in 0..7 {
            walk.take(page([2, 1]));
        }
        assert!(walk.next().is_some() && !walk.gave_up());
        assert!(walk.take(page([16, 15])).is_empty() && walk.next().is_none() && walk.gave_up());
        // Nor does one that shuffles it go on for ever; but then that is no end.
        let mut walk = Walk::new(30);
        for at in 0..200 {
            walk.take(page(if at % 2 == 0 { [2, 1] } else { [1, 2] }));
        }
        assert!(walk.next().is_none() && walk.gave_up());
    }
}
