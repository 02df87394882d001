//! Looks for the charges with one order key: with a find, or else in the newest part of the list.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use super::search_result::{Gap, SearchResult};
use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::paging::cursor::PageCursor;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{Find, FindBy, Found, List, Page, Row};
use crate::transport::Reply;
use crate::values::order_key::MAX_ATTEMPTS;
use crate::values::{Now, OrderKey, UnixMillis};

/// How far the caller's clock may differ from the server's in [`SearchDepth::Since`].
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// The largest number of pages of a search, so that it ends whatever the server returns.
pub(crate) const MAX_PAGES: u32 = 1000;

/// The page size of a search that is likely to end on the first page.
pub(super) const SMALL_PAGE: u32 = 30;

/// The page size of a search through the whole list, or one that did not end on the first page.
pub(super) const LARGE_PAGE: u32 = 250;

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

impl SearchDepth {
    /// Returns the time at which a search ends: at a charge that was created before it.
    pub(super) fn oldest(self, server_time: UnixMillis) -> UnixMillis {
        match self {
            Self::WholeList => UnixMillis::from_millis(0),
            Self::Since(since) => since.min(server_time.saturating_sub(MAX_CLOCK_DIFFERENCE)),
            Self::NewestBefore(newest) => newest,
        }
    }
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
    /// Whether a full first page that does not end the search leads to larger pages.
    may_grow: bool,
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
            may_grow: page_size < LARGE_PAGE,
            call: None,
            oldest: None,
            found: SearchResult::nothing(),
        }
    }

    /// Takes the rows of a page. Returns true if the search ends here.
    fn take_rows(&mut self, rows: Vec<Row>, server_time: UnixMillis) -> bool {
        let oldest = *self.oldest.get_or_insert_with(|| self.depth.oldest(server_time));
        // The whole page is read: if the server's clock was set back a little, newer charges can
        // follow an older one.
        let mut is_last = false;
        for row in rows {
            is_last |= matches!(&row, Row::Charge(charge) if charge.created() < oldest);
            self.found.take(row, (self.key, self.attempt), self.next_find.is_some());
        }
        is_last
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
        let is_full = u32::try_from(page.rows()).is_ok_and(|rows| rows == self.page_size);
        let rows = self.cursor.take(page);
        if self.take_rows(rows, server_time.unwrap_or(now.unix)) {
            return self.finish();
        }
        if self.may_grow && is_full {
            self.restart(LARGE_PAGE);
        }
        self.may_grow = false;
        Continue(())
    }

    /// Starts again with small pages if a page was too large. Any other error ends the search.
    fn retry_with_small_pages(&mut self, error: Error) -> ControlFlow<Step<SearchResult>> {
        let is_too_large = matches!(error.kind(), ErrorKind::TooLarge { .. });
        if !is_too_large || self.page_size <= SMALL_PAGE {
            return Break(Step::Done(Err(error)));
        }
        self.restart(SMALL_PAGE);
        Continue(())
    }

    /// Reads the list from its start, with pages of another size.
    fn restart(&mut self, page_size: u32) {
        self.page_size = page_size;
        self.may_grow = false;
        let empty_pages_at_end = self.context.endpoint.properties().empty_pages_at_end;
        self.cursor = PageCursor::new(page_size, empty_pages_at_end);
        self.call = None;
        self.found = SearchResult { server_time: self.found.server_time, ..SearchResult::nothing() };
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
        let found = std::mem::replace(&mut self.found, SearchResult::nothing());
        Break(Step::Done(Ok(found)))
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
