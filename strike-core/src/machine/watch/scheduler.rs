//! Decides which page or charge to read next, so that few requests update all charges that are due.

use std::collections::{BTreeMap, BTreeSet};

use super::charges::{Charges, Key, Ready};
use super::position_index::{Position, PositionIndex};
use super::request_health::{RequestHealth, RequestKind};
use crate::protocol::Scan;
use crate::values::ChargeId;

/// The smallest page size.
const MIN_ROWS: u32 = 10;

/// The next request.
#[derive(Debug)]
pub(super) enum Next {
    /// Read this charge.
    Charge(ChargeId),
    /// Read this page.
    Page(PageRead),
    /// Send no request before this time of the monotonic clock, in milliseconds.
    Wait(u64),
}

/// A page to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageRead {
    pub(super) number: u32,
    pub(super) size: u32,
    /// The largest page size when the request began.
    max_size: u32,
    /// Whether it is beyond all pages that were read before.
    is_beyond: bool,
}

/// What is being read by one request in flight.
#[derive(Debug)]
struct Reading {
    target: Target,
    /// The charges that no other request reads: from the newest to the oldest, and how many.
    covers: Option<Covered>,
}

impl Reading {
    fn is_of(&self, id: &ChargeId) -> bool {
        matches!(&self.target, Target::Charge(read) if read == id)
    }
}

#[derive(Debug)]
enum Target {
    Charge(ChargeId),
    Page(PageRead),
}

#[derive(Debug, Clone, Copy)]
struct Covered {
    newest: Key,
    oldest: Key,
    charges: u32,
}

/// Decides which request to send next. It works in rounds. A round goes through the charges that
/// are due, newest first. Then the next round begins.
///
/// No charge and no page is read twice at the same time. Charges that are likely to be on a page
/// that is being read wait for its end. If the page did not hold them, the round goes back to them.
#[derive(Debug)]
pub(super) struct Scheduler {
    /// The largest page size that may be requested.
    max_size: u32,
    /// The current page size. The server may limit it.
    size: u32,
    /// Whether the server uses `size`, as a page after the first has shown. If only page 0 was
    /// read, the list may just be short.
    is_size_known: bool,
    positions: PositionIndex,
    exploration: Exploration,
    /// The round has come to the charges below this one.
    round: Key,
    /// The pages that were read in this round, and when, in milliseconds of the monotonic clock. A
    /// page is not read again for a charge that was due before, because it does not hold it.
    pages_read: BTreeMap<u32, u64>,
    /// Charges to read before all others, because a webhook named them.
    urgent: BTreeSet<ChargeId>,
    /// Charges to read alone after those.
    alone: BTreeSet<ChargeId>,
    /// What is being read, by lane.
    reading: BTreeMap<usize, Reading>,
    page_health: RequestHealth,
    charge_health: RequestHealth,
    /// When the next round begins, in milliseconds of the monotonic clock. No charge is due before,
    /// unless it is being read.
    next_round: u64,
}

/// Controls reads of pages beyond all pages that were read before. If three such pages in a row
/// have fewer than two due charges, the next such read is delayed: by two rounds at first, and by
/// twice as many each time, up to 64.
#[derive(Debug, Default)]
struct Exploration {
    /// How many such reads in a row had fewer than two due charges, up to 8.
    wasted: u32,
    /// How many rounds to wait before the next such read.
    rounds_to_wait: u32,
}

impl Exploration {
    fn page_read(&mut self, due_rows: u32) {
        if due_rows >= 2 {
            *self = Self::default();
        } else {
            self.wasted = self.wasted.saturating_add(1).min(8);
            self.rounds_to_wait = self.wasted.checked_sub(2).map_or(0, |more| (1 << more) & !1);
        }
    }
}

impl Scheduler {
    pub(super) fn new(max_size: u32) -> Self {
        let max_size = max_size.max(MIN_ROWS);
        Self {
            max_size,
            size: max_size,
            is_size_known: false,
            positions: PositionIndex::default(),
            exploration: Exploration::default(),
            round: Key::LOWEST,
            pages_read: BTreeMap::new(),
            urgent: BTreeSet::new(),
            alone: BTreeSet::new(),
            reading: BTreeMap::new(),
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

    /// Returns true if a charge is to be read urgently, has not ended, and is not being read in
    /// another lane.
    pub(super) fn has_urgent(&mut self, lane: usize, charges: &Charges) -> bool {
        self.urgent.retain(|id| charges.unended(id).is_some());
        let others = || self.reading.iter().filter(|(other, _)| **other != lane);
        self.urgent.iter().any(|id| !others().any(|(_, reading)| reading.is_of(id)))
    }

    /// Halves the page size after a page was too large, unless this has happened since that page
    /// was requested. Returns false if the size is the smallest already.
    pub(super) fn halve_page_size(&mut self, page: PageRead) -> bool {
        if self.max_size < page.max_size {
            return true;
        }
        let rows = self.max_size.min(self.size);
        if rows <= MIN_ROWS {
            return false;
        }
        let smaller = Self::new(rows / 2);
        self.max_size = smaller.max_size;
        self.size = smaller.size;
        self.is_size_known = false;
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
    pub(super) fn page_read(&mut self, page: PageRead, rows: &Scan, due_rows: u32, now: u64) {
        let PageRead { number, size, is_beyond, .. } = page;
        let count = u32::try_from(rows.rows()).unwrap_or(u32::MAX);
        if number == 0 {
            let size = count.clamp(1, self.max_size);
            if size != self.size {
                self.size = size;
                self.is_size_known = false;
                self.pages_read.clear();
            }
            self.pages_read.insert(0, now);
        } else if size == self.size {
            self.is_size_known |= count > 0;
            self.pages_read.insert(number, now);
        }
        if is_beyond {
            self.exploration.page_read(due_rows);
        }
        let offset = number.saturating_mul(size);
        if let Some((first, last)) = rows.created() {
            self.positions.add_page((first, offset), (last, offset.saturating_add(count.saturating_sub(1))));
        }
    }

    /// Notes that the request of a lane has ended. The round goes back to the charges that it
    /// should have read.
    pub(super) fn finish(&mut self, lane: usize) {
        if let Some(Reading { covers: Some(covered), .. }) = self.reading.remove(&lane) {
            self.round = self.round.max(covered.newest.above());
        }
    }

    /// Returns the next request, for this lane.
    pub(super) fn next(&mut self, lane: usize, charges: &Charges, now: u64) -> Next {
        let reading = match self.choose(charges, now) {
            Ok(reading) => reading,
            Err(until) => return Next::Wait(until),
        };
        let next = match &reading.target {
            Target::Charge(id) => {
                self.page_health.other_kind_was_sent();
                Next::Charge(id.clone())
            }
            Target::Page(page) => {
                self.charge_health.other_kind_was_sent();
                Next::Page(*page)
            }
        };
        self.reading.insert(lane, reading);
        next
    }

    /// Chooses what to read next. Returns the time of the next round if that is nothing.
    fn choose(&mut self, charges: &Charges, now: u64) -> Result<Reading, u64> {
        for named in [&mut self.urgent, &mut self.alone] {
            while let Some(id) = named.iter().find(|id| !is_being_read(&self.reading, id)).cloned() {
                named.remove(&id);
                if charges.unended(&id).is_some() {
                    return Ok(Reading { target: Target::Charge(id), covers: None });
                }
            }
        }
        if self.is_finding_size() {
            return Err(u64::MAX);
        }
        loop {
            let Some(ready) = charges.next_ready(self.round, now, &mut self.next_round) else {
                self.round = Key::LOWEST;
                if self.next_round > now {
                    return Err(self.next_round);
                }
                self.begin_round(charges);
                continue;
            };
            let Ready { key, id, .. } = ready;
            if let Some(covered) = self.covering(key) {
                self.round = covered.oldest;
                continue;
            }
            self.round = key;
            if is_being_read(&self.reading, id) {
                continue;
            }
            // A page is worth it if another due charge is on it, or if requests for single charges
            // fail.
            let page = self.page_of(ready).filter(|_| self.page_health.is_good(now));
            if page.is_some_and(|page| self.wait_for_page(page, key)) {
                continue;
            }
            let page = page.filter(|page| {
                !self.charge_health.is_good(now) || self.next_on_page(*page, key, charges, now).is_some()
            });
            return Ok(match page {
                None => Reading {
                    target: Target::Charge(id.clone()),
                    covers: Some(Covered { newest: key, oldest: key, charges: 1 }),
                },
                Some(page) => self.read_page(page, key, charges, now),
            });
        }
    }

    /// Begins to read a page with this charge, and other charges that are likely to be on it.
    fn read_page(&mut self, number: u32, newest: Key, charges: &Charges, now: u64) -> Reading {
        // The number of a page means nothing before its size is known.
        let number = if self.is_size_known || self.pages_read.contains_key(&0) { number } else { 0 };
        let is_beyond = matches!(self.positions.position(newest.created), Position::Beyond(_));
        let size = if number == 0 { self.max_size } else { self.size };
        let mut covered = Covered { newest, oldest: newest, charges: 1 };
        while covered.charges < size
            && let Some(next) = self.next_on_page(number, covered.oldest, charges, now)
        {
            covered.oldest = next;
            covered.charges += 1;
        }
        self.round = covered.oldest;
        let page = PageRead { number, size, max_size: self.max_size, is_beyond };
        Reading { target: Target::Page(page), covers: Some(covered) }
    }

    /// Returns the next due charge below this one if it is likely to be on this page, too.
    fn next_on_page(&self, page: u32, below: Key, charges: &Charges, now: u64) -> Option<Key> {
        let mut ignored = u64::MAX;
        let next = charges.next_ready(below, now, &mut ignored)?;
        Some(next.key).filter(|key| self.page_of(next) == Some(page) && self.covering(*key).is_none())
    }

    /// Returns true if this charge is to wait for a page that is being read. If there are many more
    /// such charges than rows, the estimate of their positions is wrong, and they do not wait.
    fn wait_for_page(&mut self, number: u32, key: Key) -> bool {
        let size = self.size;
        let is_page = |reading: &&mut Reading| matches!(&reading.target, Target::Page(page) if page.number == number && page.size == size);
        let reading = self.reading.values_mut().find(is_page);
        let Some(covered) = reading.and_then(|reading| reading.covers.as_mut()) else { return false };
        covered.newest = covered.newest.max(key);
        covered.oldest = covered.oldest.min(key);
        covered.charges = covered.charges.saturating_add(1);
        covered.charges <= size.saturating_mul(2)
    }

    /// Returns true if page 0 is being read to find the page size.
    fn is_finding_size(&self) -> bool {
        let is_first = |reading: &Reading| matches!(reading.target, Target::Page(PageRead { number: 0, .. }));
        !self.is_size_known && !self.pages_read.contains_key(&0) && self.reading.values().any(is_first)
    }

    /// Returns the charges to which this one belongs, if they are being read.
    fn covering(&self, key: Key) -> Option<Covered> {
        let mut covered = self.reading.values().filter_map(|reading| reading.covers);
        covered.find(|covered| (covered.oldest..=covered.newest).contains(&key))
    }

    fn begin_round(&mut self, charges: &Charges) {
        self.round = Key::HIGHEST;
        self.pages_read.clear();
        self.next_round = u64::MAX;
        self.exploration.rounds_to_wait = self.exploration.rounds_to_wait.saturating_sub(1);
        if !self.is_size_known {
            self.size = self.max_size;
        }
        if let Some(oldest) = charges.oldest() {
            self.positions.forget_before(oldest);
        }
    }

    /// Returns the page that is likely to hold a charge. `None` if that page was read and lacked it,
    /// or if it is beyond all pages read so far and such a read must wait.
    fn page_of(&self, ready: Ready<'_>) -> Option<u32> {
        let offset = match self.positions.position(ready.key.created) {
            Position::About(offset) => offset,
            Position::Beyond(offset) if self.exploration.rounds_to_wait == 0 => offset,
            Position::Beyond(_) => return None,
        };
        let page = offset / self.size;
        let lacks_it = self.pages_read.get(&page).is_some_and(|read_at| ready.since <= *read_at);
        Some(page).filter(|_| !lacks_it)
    }
}

fn is_being_read(reading: &BTreeMap<usize, Reading>, id: &ChargeId) -> bool {
    reading.values().any(|reading| reading.is_of(id))
}
