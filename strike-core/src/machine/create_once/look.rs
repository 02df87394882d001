//! Looks for an order key in what is new in the list, with the memory of earlier looks.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

use super::contiguous_pages::{ContiguousPages, Taken};
use super::key_search::{LARGE_PAGE, MAX_PAGES, SMALL_PAGE, SearchDepth};
use super::list_memory::{ListMemory, Plan, Seen, Turn};
use super::search_result::{Gap, SearchResult};
use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{List, Page, Row};
use crate::transport::Reply;
use crate::values::{Now, OrderKey, UnixMillis};

/// The page size of a look through many rows. A server may limit it.
const LARGEST_PAGE: u32 = 1000;

/// How often a call checks whether the look of another call has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// How many times it checks. After 5 s it looks itself.
const MAX_CHECKS: u32 = 500;

/// Finds the charges of an order like a [`KeySearch`](super::key_search::KeySearch) that begins at
/// the same time, but reads only what the memory does not cover.
///
/// It returns `None` if it cannot tell: the memory may have the order, or the pages do not fit
/// together. Then the whole depth has to be searched.
#[derive(Debug)]
pub(super) struct Look {
    context: Context,
    memory: Arc<ListMemory>,
    key: OrderKey,
    /// Unpaid charges of earlier attempts are ignored.
    attempt: u8,
    depth: SearchDepth,
    /// How many looks had begun when this one was asked for.
    begun: u64,
    checks: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Asking,
    Waiting(Pause),
    Reading(Box<Reading>),
}

/// A look in progress.
#[derive(Debug)]
struct Reading {
    turn: Turn,
    size: u32,
    pages: ContiguousPages,
    call: Option<Call<List>>,
    /// Known after the first page.
    start: Option<Start>,
    found: SearchResult,
    keys: Vec<(UnixMillis, OrderKey)>,
    /// How many rows had to be read.
    rows: u32,
}

/// What the first page says.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// The look ends at a row that is older than this.
    oldest: UnixMillis,
    /// Whether the memory has the rows that are older.
    uses_memory: bool,
    newest: UnixMillis,
    server_time: Option<UnixMillis>,
}

/// What to do after a page.
enum After {
    ReadOn,
    /// Everything was read. With the memory, or else from this time on, it can be remembered.
    Complete(Option<UnixMillis>),
    /// Everything was read, but not in pages that overlap.
    Unsure,
    GiveUp,
}

impl Look {
    pub(super) fn new(
        (key, attempt): (OrderKey, u8),
        depth: SearchDepth,
        memory: &Arc<ListMemory>,
        context: Context,
    ) -> Self {
        let begun = memory.begun();
        let memory = Arc::clone(memory);
        Self { context, memory, key, attempt, depth, begun, checks: 0, state: State::Asking }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<Option<SearchResult>>> {
        match &mut self.state {
            State::Asking => {
                match self.memory.plan(self.key, self.depth, self.begun, self.checks < MAX_CHECKS) {
                    Plan::Absent(result) => return Break(Step::Done(Ok(Some(result)))),
                    Plan::Search => return Break(Step::Done(Ok(None))),
                    Plan::Wait => {
                        self.checks = self.checks.saturating_add(1);
                        self.state = State::Waiting(Pause::new(CHECK_INTERVAL, now));
                    }
                    Plan::Look(turn) => self.state = State::Reading(Box::new(Reading::new(turn, self.depth))),
                }
            }
            State::Waiting(pause) => {
                pause.poll(now)?;
                self.state = State::Asking;
            }
            State::Reading(reading) => {
                let list = reading.pages.next();
                let call = reading.call.get_or_insert_with(|| Call::new(list, self.context.fork()));
                let result = call.poll(now).done()?;
                let server_time = call.server_time();
                reading.call = None;
                match result {
                    Ok(page) => return self.take_page(page, server_time, now),
                    Err(error) => reading.retry_with_smaller_pages(error)?,
                }
            }
        }
        Continue(())
    }

    fn take_page(
        &mut self,
        page: Page,
        server_time: Option<UnixMillis>,
        now: Now,
    ) -> ControlFlow<Step<Option<SearchResult>>> {
        let State::Reading(reading) = &mut self.state else { return Continue(()) };
        reading.found.server_time = server_time;
        let after = reading.take_page(page, (self.key, self.attempt), self.depth, now);
        if matches!(after, After::ReadOn) && reading.pages.pages() < MAX_PAGES {
            return Continue(());
        }
        let State::Reading(reading) = std::mem::replace(&mut self.state, State::Asking) else {
            return Continue(());
        };
        Break(Step::Done(Ok(match after {
            After::ReadOn => Some(SearchResult { gap: Some(Gap::ListTooLong), ..reading.found }),
            After::Complete(from) => Some(reading.finish(from)),
            After::Unsure => Some(reading.found),
            After::GiveUp => None,
        })))
    }
}

impl Reading {
    fn new(turn: Turn, depth: SearchDepth) -> Self {
        let most = turn.too_large.map_or(LARGEST_PAGE, |size| smaller_than(size).max(SMALL_PAGE));
        let size = match (turn.rows, depth) {
            (0, SearchDepth::WholeList) => LARGE_PAGE.min(most),
            (0, _) => SMALL_PAGE,
            // The rows of the last look and some more, in pages of about the same size.
            (rows, _) => {
                let wanted = rows.saturating_add(rows / 8).saturating_add(10);
                wanted.div_ceil(wanted.div_ceil(most).max(1)).clamp(SMALL_PAGE, most)
            }
        };
        Self {
            turn,
            size,
            pages: ContiguousPages::new(size),
            call: None,
            start: None,
            found: SearchResult::nothing(),
            keys: Vec::new(),
            rows: 0,
        }
    }

    fn take_page(&mut self, page: Page, key: (OrderKey, u8), depth: SearchDepth, now: Now) -> After {
        let start = match self.start {
            Some(start) => start,
            None => *self.start.insert(self.start(&page, depth, now)),
        };
        let is_first = self.pages.pages() == 0;
        let is_small = is_first && self.size <= LARGE_PAGE;
        let rows = match self.pages.take(page) {
            Taken::Rows(rows) => rows,
            Taken::End if start.uses_memory => return After::Complete(None),
            Taken::End => return After::Complete(Some(UnixMillis::from_millis(0))),
            Taken::PerhapsEnd => return After::Unsure,
            Taken::Broken => return After::GiveUp,
        };
        if self.take_rows(rows, key, start.oldest) {
            return After::Complete(Some(start.oldest).filter(|_| !start.uses_memory));
        }
        if is_small && self.pages.is_full() {
            let most = self.turn.too_large.map_or(LARGEST_PAGE, smaller_than);
            if most > self.size {
                self.restart(most);
            }
        }
        After::ReadOn
    }

    /// Decides how far to read, by the first page.
    fn start(&self, page: &Page, depth: SearchDepth, now: Now) -> Start {
        let server_time = self.found.server_time;
        let oldest = depth.oldest(server_time.unwrap_or(now.unix));
        let newest = page.charges().map(|charge| charge.created()).max();
        let newest = newest.unwrap_or(UnixMillis::from_millis(0));
        // Without the server's time, a clock of the server that was set back cannot be noticed.
        let remembered = self.turn.range.filter(|range| range.from <= oldest);
        match remembered.zip(server_time) {
            Some((range, time)) if range.read_again_from(time) > oldest => {
                Start { oldest: range.read_again_from(time), uses_memory: true, newest, server_time }
            }
            _ => Start { oldest, uses_memory: false, newest, server_time },
        }
    }

    /// Takes new rows. Returns true if one of them is older than the look has to go.
    fn take_rows(&mut self, rows: Vec<Row>, key: (OrderKey, u8), oldest: UnixMillis) -> bool {
        let mut is_last = false;
        for row in rows {
            let created = match &row {
                Row::Charge(charge) => Some(charge.created()),
                Row::Unreadable(_) => None,
            };
            let is_older = created.is_some_and(|created| created < oldest);
            is_last |= is_older;
            self.rows = self.rows.saturating_add(u32::from(!is_older));
            if let Some(key) = self.found.take(row, key, false) {
                // The time of an unreadable row is not known. The newest is remembered longest.
                self.keys.push((created.unwrap_or(self.found.newest), key));
            }
        }
        is_last
    }

    /// Starts again with smaller pages if a page was too large. Any other error ends the look.
    fn retry_with_smaller_pages(&mut self, error: Error) -> ControlFlow<Step<Option<SearchResult>>> {
        let is_too_large = matches!(error.kind(), ErrorKind::TooLarge { .. });
        if !is_too_large || self.size <= SMALL_PAGE {
            return Break(Step::Done(Err(error)));
        }
        self.turn.note_too_large(self.size);
        self.turn.too_large = Some(self.size);
        self.restart(smaller_than(self.size));
        Continue(())
    }

    /// Reads the list from its start, with pages of another size.
    fn restart(&mut self, size: u32) {
        self.size = size;
        self.pages = ContiguousPages::new(size);
        self.start = None;
        self.found = SearchResult::nothing();
        self.keys.clear();
        self.rows = 0;
    }

    /// Ends the look, and remembers what it has read, unless a row may belong to any order.
    fn finish(self, from: Option<UnixMillis>) -> SearchResult {
        if let Some(Start { uses_memory, newest, server_time: Some(server_time), .. }) = self.start
            && (uses_memory || from.is_some())
            && self.found.gap.is_none()
        {
            self.turn.learn(Seen { from, newest, server_time, keys: self.keys, rows: self.rows });
        }
        self.found
    }
}

/// Returns the page size to try after a page of this size was too large.
fn smaller_than(size: u32) -> u32 {
    if size > LARGE_PAGE { LARGE_PAGE } else { SMALL_PAGE }
}

impl Machine for Look {
    type Output = Option<SearchResult>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let State::Reading(reading) = &mut self.state
            && let Some(call) = &mut reading.call
        {
            call.handle(reply, now);
        }
    }
}
