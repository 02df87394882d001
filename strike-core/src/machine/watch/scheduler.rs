//! What to ask next: the page or the charge that tells most about what is due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::health::{Health, Way};
use super::pending::Pending;
use super::position_index::{Chart, Place};
use crate::protocol::Page;
use crate::values::{Charge, ChargeId, UnixMillis};

/// The fewest rows that a page is asked to have.
const FEWEST_ROWS: u32 = 10;

/// The most charges in one round, so that a round takes little memory beside the charges themselves. Those that have waited
/// longest come first, so that every charge has its turn.
const MOST_DUE: usize = 5000;

/// What to ask next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    One(ChargeId),
    Page {
        page: u32,
        size: u32,
    },
    /// Nothing before that moment of the monotonic clock, in milliseconds.
    Rest(u64),
}

/// One pass over what is due, newest first. When it is through, the next begins with whatever is due then.
#[derive(Debug)]
pub(super) struct Round {
    /// How many rows a page may have.
    wanted: u32,
    /// How many it has: the host may allow fewer.
    size: u32,
    /// Whether a page behind the first had rows at that size: then it is the host's limit, and not the end of a short list.
    limited: bool,
    chart: Chart,
    exploring: Exploring,
    /// What is due in this round, oldest first: it is taken from the end.
    due: Vec<(UnixMillis, ChargeId)>,
    /// Pages that were read in this round: none is read twice.
    read: BTreeSet<u32>,
    /// To be read alone, before anything else, since somebody has named them.
    hints: BTreeSet<ChargeId>,
    /// To be read alone after those.
    singles: BTreeSet<ChargeId>,
    pages: Health,
    gets: Health,
    /// When the next round begins; no charge is due before.
    next: u64,
}

/// Whether to read on beyond what the chart shows. A page that held fewer than two due charges was a waste: then the next
/// try is put off, for twice as many rounds each time.
#[derive(Debug, Default)]
struct Exploring {
    page: Option<u32>,
    wasted: u32,
    rounds_off: u32,
}

impl Round {
    pub(super) fn new(wanted: u32) -> Self {
        let wanted = wanted.max(FEWEST_ROWS);
        Self {
            wanted,
            size: wanted,
            limited: false,
            chart: Chart::default(),
            exploring: Exploring::default(),
            due: Vec::new(),
            read: BTreeSet::new(),
            hints: BTreeSet::new(),
            singles: BTreeSet::new(),
            pages: Health::default(),
            gets: Health::default(),
            next: u64::MAX,
        }
    }

    /// A charge will be due then.
    pub(super) fn expect(&mut self, due: u64) {
        self.next = self.next.min(due);
    }

    /// A charge is to be read alone.
    pub(super) fn single(&mut self, id: &ChargeId) {
        self.singles.insert(id.clone());
    }

    /// A charge is to be read next, alone: somebody has named it.
    pub(super) fn hint(&mut self, id: &ChargeId) {
        self.hints.insert(id.clone());
    }

    /// Whether a charge was named that is still looked for.
    pub(super) fn has_hint(&mut self, pending: &BTreeMap<ChargeId, Pending>) -> bool {
        self.hints.retain(|id| is_wanted(pending, id));
        !self.hints.is_empty()
    }

    /// A page was larger than what may be read: ask for fewer rows from now on. False if there are no smaller pages.
    pub(super) fn shrink(&mut self) -> bool {
        let rows = self.wanted.min(self.size);
        if rows <= FEWEST_ROWS {
            return false;
        }
        let smaller = Self::new(rows / 2);
        self.wanted = smaller.wanted;
        self.size = smaller.size;
        self.limited = false;
        self.chart = smaller.chart;
        self.exploring = smaller.exploring;
        self.read.clear();
        true
    }

    /// Whether a look at a charge alone can be expected to work.
    pub(super) const fn can_get(&self, now: u64) -> bool {
        self.gets.is_good(now)
    }

    /// How one way to look works.
    pub(super) const fn health(&mut self, way: Way) -> &mut Health {
        match way {
            Way::Page => &mut self.pages,
            Way::Get => &mut self.gets,
        }
    }

    /// Takes a page that was read, on which that many charges were due: how large pages are, and what stands where.
    pub(super) fn read(&mut self, page: u32, size: u32, rows: &Page, hits: u32) {
        let count = u32::try_from(rows.rows()).unwrap_or(u32::MAX);
        if page == 0 {
            let size = count.clamp(1, self.wanted);
            if size != self.size {
                self.size = size;
                self.limited = false;
                self.read.clear();
            }
        } else if count > 0 && self.size < self.wanted {
            self.limited = true;
        }
        self.read.insert(page);
        if self.exploring.page.take() == Some(page) {
            if hits >= 2 {
                self.exploring = Exploring::default();
            } else {
                self.exploring.wasted = self.exploring.wasted.saturating_add(1).min(6);
                self.exploring.rounds_off = 1 << self.exploring.wasted;
            }
        }
        let offset = page.saturating_mul(size);
        let mut times = rows.charges().map(Charge::created);
        if let Some(first) = times.next() {
            let last = times.last().unwrap_or(first);
            self.chart.observe((first, offset), (last, offset.saturating_add(count.saturating_sub(1))));
        }
    }

    /// Says what to ask next.
    pub(super) fn next(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> Next {
        let next = self.choose(pending, now);
        match next {
            Next::One(_) => self.pages.other_way_was_asked(),
            Next::Page { .. } => self.gets.other_way_was_asked(),
            Next::Rest(_) => {}
        }
        next
    }

    fn choose(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> Next {
        while let Some(id) = self.hints.pop_first().or_else(|| self.singles.pop_first()) {
            if is_wanted(pending, &id) {
                return Next::One(id);
            }
        }
        loop {
            while let Some((created, id)) = self.due.pop() {
                if !is_due(pending, &id, now) {
                    self.put_off(pending, &id);
                    continue;
                }
                // A page tells about all that stand on it, and about one where gets fail.
                let page = self.page_of(created).filter(|_| self.pages.is_good(now));
                let page =
                    page.filter(|page| !self.gets.is_good(now) || self.holds_another(*page, pending, now));
                let Some(page) = page else { return Next::One(id) };
                // It stays to be looked for: the page tells whether it was there.
                self.due.push((created, id));
                if matches!(self.chart.place(created), Place::Behind(_)) {
                    self.exploring.page = Some(page);
                }
                return Next::Page { page, size: if page == 0 { self.wanted } else { self.size } };
            }
            if self.next > now {
                return Next::Rest(self.next);
            }
            self.begin(pending, now);
        }
    }

    /// Gathers what is due, what has waited longest if it is too much, and when the next round is.
    fn begin(&mut self, pending: &BTreeMap<ChargeId, Pending>, now: u64) {
        self.read.clear();
        self.next = u64::MAX;
        self.exploring.rounds_off = self.exploring.rounds_off.saturating_sub(1);
        if !self.limited {
            self.size = self.wanted;
        }
        let mut longest_due = BinaryHeap::with_capacity(pending.len().min(MOST_DUE) + 1);
        let mut oldest = None;
        for (id, state) in pending {
            oldest = Some(oldest.map_or(state.created, |oldest: UnixMillis| oldest.min(state.created)));
            if !state.is_due(now) {
                self.next = self.next.min(state.due);
                continue;
            }
            longest_due.push((state.due, Reverse(state.created), id));
            if longest_due.len() > MOST_DUE {
                longest_due.pop();
                self.next = now;
            }
        }
        self.due = longest_due.into_iter().map(|(_, Reverse(created), id)| (created, id.clone())).collect();
        self.due.sort_unstable();
        if let Some(oldest) = oldest {
            self.chart.forget_behind(oldest);
        }
        if self.due.is_empty() {
            // Everything is waiting to be handed out: there is nothing to ask before that.
            self.next = self.next.max(now.saturating_add(1));
        }
    }

    /// The page that a charge of that time is likely to stand on, unless it was read in this round. What lies beyond
    /// all that was ever seen is reached page by page, while that is worth it.
    fn page_of(&self, created: UnixMillis) -> Option<u32> {
        let offset = match self.chart.place(created) {
            Place::About(offset) => offset,
            Place::Behind(offset) if self.exploring.rounds_off == 0 => offset,
            Place::Behind(_) => return None,
        };
        Some(offset / self.size).filter(|page| !self.read.contains(page))
    }

    /// Whether the next charge that is due is likely to stand on that page, too.
    fn holds_another(&mut self, page: u32, pending: &BTreeMap<ChargeId, Pending>, now: u64) -> bool {
        while let Some((created, id)) = self.due.pop() {
            if is_due(pending, &id, now) {
                let holds = self.page_of(created) == Some(page);
                self.due.push((created, id));
                return holds;
            }
            self.put_off(pending, &id);
        }
        false
    }

    /// Leaves a charge to a later round: it was looked at in this one, or the clock was set back.
    fn put_off(&mut self, pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId) {
        if let Some(state) = pending.get(id) {
            self.expect(state.due);
        }
    }
}

/// Whether a charge is pending and its end is not known yet.
fn is_wanted(pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId) -> bool {
    pending.get(id).is_some_and(|state| state.due != Pending::NEVER)
}

fn is_due(pending: &BTreeMap<ChargeId, Pending>, id: &ChargeId, now: u64) -> bool {
    pending.get(id).is_some_and(|state| state.is_due(now))
}
