//! What the clones of a client remember of the list: which order keys are in a range of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::key_search::SearchDepth;
use super::search_result::SearchResult;
use crate::values::{OrderKey, UnixMillis};

/// The most rows with an order key that a client remembers. They take about 5 MB.
const MAX_ROWS: usize = 100_000;

/// How much longer a charge may take than a later one until the list shows it, by the server's
/// clock. A step of that clock counts, too.
///
/// Each look reads these last minutes again. It is as long as an unknown outcome blocks another
/// create, see [`OrderRecord`](crate::machine::OrderRecord).
const LIST_DISORDER: Duration = Duration::from_secs(10 * 60);

/// The keys that earlier looks at the list have seen, for all clones of a client.
///
/// It only ever proves that a key is absent. If it may be present, the list is searched without it.
#[derive(Default)]
pub(crate) struct ListMemory(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// The shortened keys, with the creation time of the newest row that has it.
    keys: BTreeMap<u64, UnixMillis>,
    /// The same rows, oldest first. A key can have several.
    rows: BTreeSet<(UnixMillis, u64)>,
    range: Option<Range>,
    /// How many looks have begun.
    begun: u64,
    /// The look that others wait for.
    running: Option<u64>,
    /// The last look taught nothing. Then looks do not wait for one another.
    is_alone: bool,
    /// How many rows the last look had to read.
    last_rows: u32,
    /// A page of this size was too large.
    too_large: Option<u32>,
}

/// The part of the list whose keys are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// All rows are remembered that were created at this time or later, ...
    pub(super) from: UnixMillis,
    /// ... and before this time. Rows that are newer are read again.
    pub(super) until: UnixMillis,
    /// The creation time of the newest row when the look began.
    pub(super) newest: UnixMillis,
    /// The server's time when the look began.
    pub(super) server_time: UnixMillis,
    /// The number of the look.
    look: u64,
}

/// What to do about a key.
pub(super) enum Plan {
    /// A look that began after the call shows that the list does not have the key.
    Absent(SearchResult),
    /// Search the whole depth: the list may have the key.
    Search,
    /// Wait: another look is under way.
    Wait,
    /// Look at the list now.
    Look(Turn),
}

/// What a look has read.
pub(super) struct Seen {
    /// The creation time of the oldest row up to which it read, if it read on beyond the memory.
    pub(super) from: Option<UnixMillis>,
    /// The creation time of the newest row, when the look began.
    pub(super) newest: UnixMillis,
    /// The server's time when the look began.
    pub(super) server_time: UnixMillis,
    pub(super) keys: Vec<(UnixMillis, OrderKey)>,
    /// How many rows had to be read.
    pub(super) rows: u32,
}

impl ListMemory {
    /// Returns how many looks have begun.
    pub(super) fn begun(&self) -> u64 {
        self.memory().begun
    }

    /// Decides what to do about a key, for a call that came when `begun` looks had begun.
    pub(super) fn plan(
        self: &Arc<Self>,
        key: OrderKey,
        depth: SearchDepth,
        begun: u64,
        may_wait: bool,
    ) -> Plan {
        let mut memory = self.memory();
        if memory.keys.contains_key(&key.short()) {
            return Plan::Search;
        }
        if let Some(range) = memory.range
            && range.look > begun
            && range.from <= depth.oldest(range.server_time)
        {
            let server_time = Some(range.server_time);
            return Plan::Absent(SearchResult {
                newest: range.newest,
                server_time,
                ..SearchResult::nothing()
            });
        }
        if memory.running.is_some() && may_wait && !memory.is_alone {
            return Plan::Wait;
        }
        memory.begun = memory.begun.saturating_add(1);
        memory.running = Some(memory.begun);
        Plan::Look(Turn {
            memory: Arc::clone(self),
            look: memory.begun,
            range: memory.range,
            rows: memory.last_rows,
            too_large: memory.too_large,
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One look at the list. While it lives, others wait for it.
pub(super) struct Turn {
    memory: Arc<ListMemory>,
    look: u64,
    /// The range that was remembered when it began.
    pub(super) range: Option<Range>,
    /// How many rows the look before it had to read. Zero if there was none.
    pub(super) rows: u32,
    pub(super) too_large: Option<u32>,
}

impl Turn {
    /// Notes that a page of this size is too large.
    pub(super) fn note_too_large(&self, size: u32) {
        self.memory.memory().too_large = Some(size);
    }

    /// Adds what the look has read to the memory.
    pub(super) fn learn(self, seen: Seen) {
        let mut memory = self.memory.memory();
        let other = memory.range.filter(|range| Some(*range) != self.range);
        // If another look has changed the memory in between, this one is dropped.
        let from = match (seen.from, self.range) {
            _ if other.is_some() => return,
            (Some(from), _) => {
                memory.keys.clear();
                memory.rows.clear();
                from
            }
            (None, Some(range)) => range.from,
            (None, None) => return,
        };
        let until = seen.newest.min(seen.server_time).saturating_sub(LIST_DISORDER);
        let (newest, server_time) = (seen.newest, seen.server_time);
        memory.range = Some(Range { from, until, newest, server_time, look: self.look });
        memory.last_rows = seen.rows;
        memory.is_alone = false;
        for (created, key) in seen.keys {
            memory.insert(created, key.short());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut memory = self.memory.memory();
        if memory.running == Some(self.look) {
            memory.running = None;
            memory.is_alone = memory.range.is_none_or(|range| range.look != self.look);
        }
    }
}

impl Range {
    /// Returns the creation time of the oldest row that has to be read again.
    ///
    /// It follows a server's clock that was set back.
    pub(super) fn read_again_from(&self, server_time: UnixMillis) -> UnixMillis {
        self.until.min(server_time.saturating_sub(LIST_DISORDER))
    }
}

impl Memory {
    fn insert(&mut self, created: UnixMillis, key: u64) {
        let newest = self.keys.entry(key).or_insert(created);
        *newest = created.max(*newest);
        self.rows.insert((created, key));
        while self.rows.len() > MAX_ROWS {
            self.forget_oldest();
        }
    }

    /// Forgets the oldest row. The range then ends after it.
    fn forget_oldest(&mut self) {
        let Some((created, key)) = self.rows.pop_first() else { return };
        if self.keys.get(&key) == Some(&created) {
            self.keys.remove(&key);
        }
        if let Some(range) = &mut self.range {
            range.from = range.from.max(created.saturating_add(Duration::from_millis(1)));
        }
    }
}

impl fmt::Debug for ListMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.memory();
        f.debug_struct("ListMemory").field("rows", &memory.rows.len()).field("range", &memory.range).finish()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("look", &self.look).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{ListMemory, MAX_ROWS, Plan, Seen};
    use crate::machine::create_once::key_search::SearchDepth;
    use crate::values::{OrderKey, UnixMillis};

    fn at(row: usize) -> UnixMillis {
        UnixMillis::from_secs(1_700_000_000).saturating_add(Duration::from_secs(row as u64))
    }

    /// Looks at a list to its end, with a row a second.
    fn look(memory: &Arc<ListMemory>, rows: std::ops::Range<usize>, from: Option<UnixMillis>) {
        let key = OrderKey::from_entropy(u128::MAX);
        let Plan::Look(turn) = memory.plan(key, SearchDepth::WholeList, memory.begun(), true) else {
            panic!("expected a look");
        };
        let keys = rows.clone().map(|row| (at(row), OrderKey::from_entropy(row as u128))).collect();
        let (newest, count) = (at(rows.end - 1), u32::try_from(rows.len()).unwrap());
        turn.learn(Seen { from, newest, server_time: newest, keys, rows: count });
    }

    #[test]
    fn memory_is_bounded_and_its_range_shrinks_with_the_oldest_rows() {
        let memory = Arc::new(ListMemory::default());
        look(&memory, 0..MAX_ROWS, Some(UnixMillis::from_millis(0)));
        let knows = |row: usize| {
            let key = OrderKey::from_entropy(row as u128);
            matches!(memory.plan(key, SearchDepth::WholeList, 0, true), Plan::Search)
        };
        assert_eq!(memory.memory().range.unwrap().from, UnixMillis::from_millis(0));
        assert!(knows(0));
        look(&memory, MAX_ROWS..MAX_ROWS + 10, None);
        assert_eq!((memory.memory().rows.len(), memory.memory().keys.len()), (MAX_ROWS, MAX_ROWS));
        // A search to a forgotten row reads beyond the range. One second is between two rows.
        let from = memory.memory().range.unwrap().from;
        assert!(from > at(9) && from <= at(10));
        assert!(knows(10) && !knows(9));
    }

    #[test]
    fn key_with_two_rows_is_known_until_both_are_forgotten() {
        let memory = Arc::new(ListMemory::default());
        look(&memory, 0..10, Some(at(0)));
        let mut inner = memory.memory();
        inner.insert(at(20), OrderKey::from_entropy(0).short());
        inner.forget_oldest();
        assert!(inner.keys.contains_key(&OrderKey::from_entropy(0).short()));
    }
}
