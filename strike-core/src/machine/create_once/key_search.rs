//! Looks for the charges with one order key: with a find, or else in the newest part of the list.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::paging::cursor::PageCursor;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{Find, FindBy, Found, List, Page, Row, UnreadableRow};
use crate::transport::Reply;
use crate::values::order_key::MAX_ATTEMPTS;
use crate::values::{Charge, Now, OrderKey, UnixMillis};

/// How far the caller's clock may differ from the server's in [`SearchDepth::Since`].
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// The largest number of pages of a search, so that it ends whatever the server returns.
pub(crate) const MAX_PAGES: u32 = 1000;

/// The page size of a search that is likely to end on the first page.
const SMALL_PAGE: u32 = 30;

/// The page size of a search through the whole list.
const LARGE_PAGE: u32 = 250;

/// How far back a search goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SearchDepth {
    /// To the end of the list.
    WholeList,
    /// To this time of the caller's clock, and at least two hours back by the server's clock.
    Since(UnixMillis),
    /// To the creation time of the charge that was the newest before the create, by the server's
    /// clock.
    NewestBefore(UnixMillis),
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct SearchResult {
    /// The charge with the key, and its attempt: the oldest paid charge, else the oldest charge of
    /// the last attempt.
    pub(crate) charge: Option<(u8, Charge)>,
    /// The last attempt that has a charge, counted from 1. Zero if there is none.
    pub(crate) last_attempt: u8,
    /// The creation time of the newest charge in the list. Zero if the list is empty.
    pub(crate) newest: UnixMillis,
    /// The server's time when it sent the last page, if known.
    pub(crate) server_time: Option<UnixMillis>,
    /// Why the search may have missed a charge with the key.
    pub(crate) gap: Option<Gap>,
    /// Whether the gap is an unreadable charge of this order. It may be paid, or older than the charge
    /// that was found.
    pub(crate) is_gap_of_order: bool,
}

/// Why a search may have missed a charge with the key.
#[derive(Debug)]
pub(crate) enum Gap {
    /// A row that may have the key is unreadable.
    UnreadableRow(UnreadableRow),
    /// The list grows faster than it is read.
    ListGrowsTooFast,
    /// The list has more than [`MAX_PAGES`] pages.
    ListTooLong,
}

/// Finds the charges of an order, if the backend can find by `customer_id`. Otherwise reads pages,
/// newest first, until a row is older than the depth of the search.
#[derive(Debug)]
pub(crate) struct KeySearch {
    context: Context,
    key: OrderKey,
    /// The caller's own part of the `customer_id`.
    own: String,
    /// Unpaid charges of earlier attempts are ignored.
    attempt: u8,
    depth: SearchDepth,
    /// The attempt to find next. `None` if the list is searched.
    next_find: Option<u8>,
    find: Option<Call<Find>>,
    cursor: PageCursor,
    page_size: u32,
    call: Option<Call<List>>,
    /// The search ends at a charge older than this. Known after the first page.
    oldest: Option<UnixMillis>,
    found: SearchResult,
}

impl KeySearch {
    /// `own` is the caller's own part of the `customer_id`.
    pub(crate) fn new(
        (key, attempt, own): (OrderKey, u8, &str),
        depth: SearchDepth,
        context: Context,
    ) -> Self {
        let page_size = if matches!(depth, SearchDepth::WholeList) { LARGE_PAGE } else { SMALL_PAGE };
        let newest = UnixMillis::from_millis(0);
        let empty_pages_at_end = context.endpoint.properties().empty_pages_at_end;
        Self {
            next_find: match context.endpoint.properties().finds_by {
                FindBy::Nothing => None,
                FindBy::OrderKey => Some(attempt),
                FindBy::CustomerId => Some(1),
            },
            find: None,
            context,
            key,
            own: own.to_owned(),
            attempt,
            depth,
            cursor: PageCursor::new(page_size, empty_pages_at_end),
            page_size,
            call: None,
            oldest: None,
            found: SearchResult {
                charge: None,
                last_attempt: 0,
                newest,
                server_time: None,
                gap: None,
                is_gap_of_order: false,
            },
        }
    }

    /// Takes the rows of a page. Returns true if the search ends here.
    fn take_rows(&mut self, rows: Vec<Row>, server_time: UnixMillis) -> bool {
        let oldest = *self.oldest.get_or_insert_with(|| match self.depth {
            SearchDepth::WholeList => UnixMillis::from_millis(0),
            SearchDepth::Since(since) => since.min(server_time.saturating_sub(MAX_CLOCK_DIFFERENCE)),
            SearchDepth::NewestBefore(newest) => newest,
        });
        // The whole page is read: if the server's clock was set back a little, newer charges can
        // follow an older one.
        let mut is_last = false;
        for row in rows {
            match row {
                Row::Charge(charge) => {
                    self.found.newest = self.found.newest.max(charge.created());
                    is_last |= charge.created() < oldest;
                    let key_of_row = charge.raw_customer_id().and_then(OrderKey::read_attempt);
                    if let Some((key, attempt, _)) = key_of_row
                        && key == self.key
                    {
                        self.keep_better(attempt, charge);
                    }
                }
                Row::Unreadable(row) => {
                    let customer_id = row.customer_id.as_deref();
                    let key = customer_id.map(|id| OrderKey::from_customer_id(id).map(|(key, _)| key));
                    // An unreadable row without a `customer_id`, or with this key, may be the
                    // charge. A find returns only charges of this order.
                    let is_of_order = key.map_or(self.next_find.is_some(), |key| key == Some(self.key));
                    if is_of_order && !self.found.is_gap_of_order {
                        self.found.is_gap_of_order = true;
                        self.found.gap = Some(Gap::UnreadableRow(row));
                    } else if key.is_none() {
                        self.found.gap.get_or_insert(Gap::UnreadableRow(row));
                    }
                }
            }
        }
        is_last
    }

    /// Keeps this charge if it is better than the one found so far. Rows come newest first, so of
    /// two equal charges the later row is the older charge, and it is kept.
    fn keep_better(&mut self, attempt: u8, charge: Charge) {
        self.found.last_attempt = self.found.last_attempt.max(attempt);
        let is_better = match &self.found.charge {
            _ if charge.is_paid() => true,
            Some((best, known)) => !known.is_paid() && attempt >= *best,
            None => attempt >= self.attempt,
        };
        if is_better {
            self.found.charge = Some((attempt, charge));
        }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<SearchResult>> {
        match self.next_find {
            Some(attempt) => self.advance_find(attempt, now),
            None => self.advance_list(now),
        }
    }

    fn advance_find(&mut self, attempt: u8, now: Now) -> ControlFlow<Step<SearchResult>> {
        let (key, own, context) = (self.key, &self.own, &self.context);
        let call = self.find.get_or_insert_with(|| {
            Call::new(Find::new(key, key.customer_id_of_attempt(attempt, own)), context.fork())
        });
        let result = call.poll(now).done()?;
        let server_time = call.server_time();
        self.find = None;
        match result {
            Ok(found) => self.take_found(found, attempt, server_time, now),
            Err(error) => Break(Step::Done(Err(error))),
        }
    }

    /// Takes the charges that a find returned. Goes on with the next attempt, or with the list, or
    /// ends.
    fn take_found(
        &mut self,
        found: Found,
        attempt: u8,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> ControlFlow<Step<SearchResult>> {
        if !found.is_complete {
            self.next_find = None;
            return Continue(());
        }
        self.found.server_time = server_time;
        self.take_rows(found.rows, server_time.unwrap_or(now.unix));
        // A further attempt is created only after the one before it.
        let may_have_more = self.found.last_attempt >= attempt || attempt < self.attempt;
        let finds_all = self.context.endpoint.properties().finds_by == FindBy::OrderKey;
        if finds_all || !may_have_more || attempt >= MAX_ATTEMPTS || self.found.gap.is_some() {
            return self.finish();
        }
        self.next_find = Some(attempt.saturating_add(1));
        Continue(())
    }

    fn advance_list(&mut self, now: Now) -> ControlFlow<Step<SearchResult>> {
        let list = self.cursor.next().filter(|_| self.cursor.pages() < MAX_PAGES);
        let call = match (&mut self.call, list) {
            (Some(call), _) => call,
            (None, Some(list)) => self.call.insert(Call::new(list, self.context.fork())),
            (None, None) => return self.end_of_list(),
        };
        let result = call.poll(now).done()?;
        let server_time = call.server_time();
        match result {
            Ok(page) => self.take_page(page, server_time, now),
            Err(error) => self.retry_with_small_pages(error),
        }
    }

    fn take_page(
        &mut self,
        page: Page,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> ControlFlow<Step<SearchResult>> {
        self.call = None;
        self.found.server_time = server_time;
        let rows = self.cursor.take(page);
        let is_last = self.take_rows(rows, server_time.unwrap_or(now.unix));
        if is_last { self.finish() } else { Continue(()) }
    }

    /// Starts again with small pages if a page was too large. Any other error ends the search.
    fn retry_with_small_pages(&mut self, error: Error) -> ControlFlow<Step<SearchResult>> {
        let is_too_large = matches!(error.kind(), ErrorKind::TooLarge { .. });
        if !is_too_large || self.page_size <= SMALL_PAGE {
            return Break(Step::Done(Err(error)));
        }
        self.page_size = SMALL_PAGE;
        let empty_pages_at_end = self.context.endpoint.properties().empty_pages_at_end;
        self.cursor = PageCursor::new(SMALL_PAGE, empty_pages_at_end);
        self.call = None;
        Continue(())
    }

    fn end_of_list(&mut self) -> ControlFlow<Step<SearchResult>> {
        let gap = if self.cursor.gave_up() {
            Some(Gap::ListGrowsTooFast)
        } else if self.cursor.next().is_some() {
            Some(Gap::ListTooLong)
        } else {
            None
        };
        self.found.gap = self.found.gap.take().or(gap);
        self.finish()
    }

    fn finish(&mut self) -> ControlFlow<Step<SearchResult>> {
        let (charge, gap) = (self.found.charge.take(), self.found.gap.take());
        Break(Step::Done(Ok(SearchResult { charge, gap, ..self.found })))
    }
}

impl Machine for KeySearch {
    type Output = SearchResult;

    fn poll(&mut self, now: Now) -> Step<SearchResult> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match (&mut self.find, &mut self.call) {
            (Some(find), _) => find.handle(reply, now),
            (None, Some(call)) => call.handle(reply, now),
            (None, None) => {}
        }
    }
}
