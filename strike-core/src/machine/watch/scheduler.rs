//! Decides which page or charge to read next, so that few requests update all charges that are due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::pending::Pending;
use super::position_index::{Position, PositionIndex};
use super::request_health::{RequestHealth, RequestKind};
use crate::protocol::Page;
use crate::values::{Charge, ChargeId, UnixMillis};

/// The smallest page size.
const MIN_ROWS: u32 = 10;

/// The largest number of charges in one round, to limit its memory. Charges that have been due the
/// longest come first, so that each charge is checked eventually.
const MAX_DUE: usize = 5000;

/// The next request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read this charge.
    Charge(ChargeId),
    /// Read this page.
    Page { page: u32, size: u32 },
    /// Send no request before this time of the monotonic clock, in milliseconds.
    Wait(u64),
}

/// Decides which request to send next. It works in rounds. A round goes through the charges that
/// are due at its beginning, newest first. Then the next round begins.
#[derive(Debug)]
pub(super) struct Scheduler {
    /// The largest page size that may be requested.
    max_size: u32,
    /// The current page size. The server may limit it.
    size: u32,
    /// Whether `size` is the limit of the server. It is if a page after the first had rows. Else
    /// the list may just be short.
    is_server_limit: bool,
    positions: PositionIndex,
    exploration: Exploration,
    /// The charges of this round, oldest first. They are taken from the end.
    due: Vec<(UnixMillis, ChargeId)>,
    /// The pages that were read in this round. No page is read twice.
    pages_read: BTreeSet<u32>,
    /// Charges to read before all others, because a webhook named them.
    urgent: BTreeSet<ChargeId>,
    /// Charges to read alone after those.
    alone: BTreeSet<ChargeId>,
    page_health: RequestHealth,
    charge_health: RequestHealth,
    /// When the next round begins, in milliseconds of the monotonic clock. No charge is due before.
    next_round: u64,
}

/// Controls reads of pages beyond all pages that were read before. If such a page has fewer than
/// two due charges, the next such read is delayed: by two rounds at first, and by twice as many
/// each time, up to 64.
#[derive(Debug, Default)]
struct Exploration {
    /// The page that is being read.
    page: Option<u32>,
    /// How many such reads in a row had fewer than two due charges, up to 6.
    wasted: u32,
    /// How many rounds to wait before the next such read.
    rounds_to_wait: u32,
}

impl Scheduler {
    pub(super) fn new(max_size: u32) -> Self {
        let max_size = max_size.max(MIN_ROWS);
        Self {
            max_size,
            size: max_size,
            is_server_limit: false,
            positions: PositionIndex::default(),
            exploration: Exploration::default(),
            due: Vec::new(),
            pages_read: BTreeSet::new(),
            urgent: BTreeSet::new(),
            alone: BTreeSet::new(),
            page_health: RequestHealth::default(),
            charge_health: RequestHealth::default(),
            next_round: u64::MAX,
        }
    }

    /// Notes that a charge will be due at this time, in milliseconds of the monotonic clock.
    pub(super) fn expect(&mut self, due: u64) {
        self.next_round = self.next_round.min(due);
    }

    /// Reads a charge alone, before the charges of the round.
    pub(super) fn read_alone(&mut self, id: &ChargeId) {
        self.alone.insert(id.clone());
    }

    /// Reads a charge alone, before everything else.
    pub(super) fn read_urgently(&mut self, id: &ChargeId) {
        self.urgent.insert(id.clone());
    }

    /// Returns true if a charge is to be read urgently, and has not ended.
    pub(super) fn has_urgent(&mut self, pending: &BTreeMap<ChargeId, Pending>) -> bool {
        self.urgent.retain(|id| has_not_ended(pending, id));
        !self.urgent.is_empty()
    }

    /// Halves the page size after a page was too large. Returns false if the size is the smallest
    /// already.
    pub(super) fn halve_page_size(&mut self) -> bool {
        let rows = self.max_size.min(self.size);
        if rows <= MIN_ROWS {
            return false;
        }
        let smaller = Self::new(rows / 2);
        self.max_size = smaller.max_size;
        self.size = smaller.size;
        self.is_server_limit = false;
        self.positions = smaller.positions;
        self.exploration = smaller.exploration;
        self.pages_read.clear();
        true
    }

    /// Returns true if a request for a single charge can be expected to work.
    pub(super) const fn can_get(&self, now: u64) -> bool {
        self.charge_health.is_good(now)
    }

    /// Returns the health of one kind of request.
    pub(super) const fn health(&mut self, kind: RequestKind) -> &mut RequestHealth {
        match kind {
            RequestKind::Page => &mut self.page_health,
            RequestKind::Charge => &mut self.charge_health,
        }
    }

    /// Learns the page size and the positions of rows from a page. `due_rows` of its charges were
    /// due.
    pub(super) fn page_read(&mut self, page: u32, size: u32, rows: &Page, due_rows: u32) {
        let count = u32::try_from(rows.rows()).unwrap_or(u32::MAX);
        if page == 0 {
            let size = count.clamp(1, self.max_size);
            if size != self.size {
                self.size = size;
                self.is_server_limit = false;
                self.pages_read.clear();
            }
        } else if count > 0 && self.size < self.max_size {
            self.is_server_limit = true;
        }
        self.pages_read.insert(page);
        if self.exploration.page.take() == Some(page) {
            if due_rows >= 2 {
                self.exploration = Exploration::default();
            } else {
                self.exploration.wasted = self.exploration.wasted.saturating_add(1).min(6);
                self.exploration.rounds_to_wait = 1 << self.exploration.wasted;
            }
        }
        let offset = page.saturating_mul(size);
        let mut times = rows.charges().map(Charge::created);
        if let Some(first) = times.next() {
            let last = times.last().unwrap_or(first);
            self.positions.add_page((first, offset), (last, offset.saturating_add(count.saturating_sub(1))));
        }
    }

    /// Returns the next request.
    pub(super) fn next(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> Next {
        let next = self.choose(pending, now);
        match next {
            Next::Charge(_) => self.page_health.other_kind_was_sent(),
            Next::Page { .. } => self.charge_health.other_kind_was_sent(),
            Next::Wait(_) => {}
        }
        next
    }

    fn choose(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> Next {
        while let Some(id) = self.urgent.pop_first().or_else(|| self.alone.pop_first()) {
            if has_not_ended(pending, &id) {
                return Next::Charge(id);
            }
        }
        loop {
            while let Some((created, id)) = self.due.pop() {
                if !is_due(pending, &id, now) {
                    self.leave_to_later_round(pending, &id);
                    continue;
                }
                // A page is worth it if another due charge is on it, or if requests for single
                // charges fail.
                let page = self.page_of(created).filter(|_| self.page_health.is_good(now));
                let page = page.filter(|page| {
                    !self.charge_health.is_good(now) || self.holds_another(*page, pending, now)
                });
                let Some(page) = page else { return Next::Charge(id) };
                // The charge stays in the round, because the page may not hold it after all.
                self.due.push((created, id));
                if matches!(self.positions.position(created), Position::Beyond(_)) {
                    self.exploration.page = Some(page);
                }
                return Next::Page { page, size: if page == 0 { self.max_size } else { self.size } };
            }
            if self.next_round > now {
                return Next::Wait(self.next_round);
            }
            self.begin_round(pending, now);
        }
    }

    /// Collects the charges that are due, and finds the time of the next round.
    fn begin_round(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) {
        self.pages_read.clear();
        self.next_round = u64::MAX;
        self.exploration.rounds_to_wait = self.exploration.rounds_to_wait.saturating_sub(1);
        if !self.is_server_limit {
            self.size = self.max_size;
        }
        let mut longest_due = BinaryHeap::with_capacity(pending.len().min(MAX_DUE) + 1);
        let mut oldest = None;
        for (id, state) in pending {
            oldest = Some(oldest.map_or(state.created, |oldest: UnixMillis| oldest.min(state.created)));
            if !state.is_due(now) {
                self.next_round = self.next_round.min(state.due);
                continue;
            }
            longest_due.push((state.due, Reverse(state.created), id));
            if longest_due.len() > MAX_DUE {
                longest_due.pop();
                self.next_round = now;
            }
        }
        self.due = longest_due.into_iter().map(|(_, Reverse(created), id)| (created, id.clone())).collect();
        self.due.sort_unstable();
        if let Some(oldest) = oldest {
            self.positions.forget_before(oldest);
        }
        if self.due.is_empty() {
            // All charges have ended, and their events are queued.
            self.next_round = self.next_round.max(now.saturating_add(1));
        }
    }

    /// Returns the page that is likely to hold a charge with this creation time. `None` if it was
    /// read in this round, or if it is beyond all pages read so far and such a read must wait.
    fn page_of(&self, created: UnixMillis) -> Option<u32> {
        let offset = match self.positions.position(created) {
            Position::About(offset) => offset,
            Position::Beyond(offset) if self.exploration.rounds_to_wait == 0 => offset,
            Position::Beyond(_) => return None,
        };
        Some(offset / self.size).filter(|page| !self.pages_read.contains(page))
    }

    /// Returns true if the next due charge is likely to be on this page, too.
    fn holds_another(&mut self, page: u32, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> bool {
        while let Some((created, id)) = self.due.pop() {
            if is_due(pending, &id, now) {
                let holds = self.page_of(created) == Some(page);
                self.due.push((created, id));
                return holds;
            }
            self.leave_to_later_round(pending, &id);
        }
        false
    }

    /// Leaves a charge to a later round. It was checked in this round, or the clock was set back.
    fn leave_to_later_round(&mut self, pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId) {
        if let Some(state) = pending.get(id) {
            self.expect(state.due);
        }
    }
}

/// Returns true if a charge is pending and its event is not queued yet.
fn has_not_ended(pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId) -> bool {
    pending.get(id).is_some_and(|state| state.due != Pending::NEVER)
}

fn is_due(pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId, now: u64) -> bool {
    pending.get(id).is_some_and(|state| state.is_due(now))
}
