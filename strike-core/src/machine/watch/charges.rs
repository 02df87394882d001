//! The pending charges in the order of the list, so that the next one that is due is found without
//! looking at all of them.

use super::pending::Pending;
use super::slots::Slots;
use crate::values::{ChargeId, UnixMillis};

/// The most charges in a block.
const BLOCK: usize = 64;

/// The place of a charge in the list: older charges have lower keys. The slot makes it unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) created: UnixMillis,
    slot: u32,
}

impl Key {
    /// Below all charges.
    pub(super) const LOWEST: Self = Self { created: UnixMillis::from_millis(0), slot: 0 };
    /// Above all charges.
    pub(super) const HIGHEST: Self = Self { created: UnixMillis::from_millis(u64::MAX), slot: u32::MAX };

    /// Returns the lowest key above this one.
    pub(super) const fn above(self) -> Self {
        Self { created: self.created, slot: self.slot.saturating_add(1) }
    }
}

/// A charge that is due, or may share a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready<'a> {
    pub(super) key: Key,
    pub(super) id: &'a ChargeId,
    /// Since when, see [`Pending::ready`].
    pub(super) since: u64,
}

/// Up to 64 charges that are next to each other in the list.
#[derive(Debug)]
struct Block {
    /// Sorted by key. It is never empty.
    slots: Vec<u32>,
    /// The lowest key.
    oldest: Key,
    /// When the first of the charges is due, in milliseconds of the monotonic clock.
    due: u64,
    /// When the first of them may share a request, see [`Pending::ready`].
    ready: u64,
}

/// The pending charges. All steps take a time that grows at most with the number of blocks, and a
/// block is skipped in a nanosecond.
#[derive(Debug, Default)]
pub(super) struct Charges {
    slots: Slots,
    /// Sorted by key.
    blocks: Vec<Block>,
}

impl Charges {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the slot of a charge. It stays the same until the charge is removed.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.slots.find(id)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Pending> {
        self.slots.get(slot)
    }

    /// Returns the state of a charge, unless its event is queued.
    pub(super) fn unended(&self, id: &ChargeId) -> Option<&Pending> {
        self.get(self.find(id.as_str())?).filter(|state| !state.has_ended())
    }

    /// Returns the creation time of the oldest charge.
    pub(super) fn oldest(&self) -> Option<UnixMillis> {
        self.blocks.first().map(|block| block.oldest.created)
    }

    /// Returns all charges, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ChargeId, &Pending)> {
        let slots = self.blocks.iter().flat_map(|block| &block.slots);
        slots.filter_map(|slot| Some((self.slots.id(*slot)?, self.slots.get(*slot)?)))
    }

    /// Returns the charge with the highest key below this one that is due or may share a request. The
    /// time when the first of the skipped charges is due lowers `next_due`.
    pub(super) fn next_ready(&self, below: Key, now: u64, next_due: &mut u64) -> Option<Ready<'_>> {
        let end = self.blocks.partition_point(|block| block.oldest < below);
        for block in self.blocks.get(..end)?.iter().rev() {
            if block.ready > now {
                *next_due = block.due.min(*next_due);
                continue;
            }
            for slot in block.slots.iter().rev() {
                let Some(state) = self.slots.get(*slot) else { continue };
                let key = Key { created: state.created, slot: *slot };
                if key >= below {
                    continue;
                }
                let since = state.ready();
                if since <= now {
                    return self.slots.id(*slot).map(|id| Ready { key, id, since });
                }
                *next_due = state.due.min(*next_due);
            }
        }
        None
    }

    /// Adds a charge that is not pending yet, and returns its slot.
    pub(super) fn insert(&mut self, id: ChargeId, state: Pending) -> Option<u32> {
        let slot = self.slots.insert(id, state)?;
        let key = Key { created: state.created, slot };
        let mut at = self.block_of(key);
        if self.blocks.get(at).is_none_or(|block| block.slots.len() == BLOCK) {
            at = self.make_room(at, key);
        }
        let Some(block) = self.blocks.get_mut(at) else { return Some(slot) };
        let before = position(&self.slots, block, key);
        block.slots.insert(before, slot);
        block.oldest = block.oldest.min(key);
        block.expect(&state);
        Some(slot)
    }

    /// Sets the state of a charge. Its creation time must be the same.
    pub(super) fn set(&mut self, slot: u32, state: Pending) {
        let Some(entry) = self.slots.get_mut(slot) else { return };
        let before = std::mem::replace(entry, state);
        let at = self.block_of(Key { created: state.created, slot });
        let Some(block) = self.blocks.get_mut(at) else { return };
        block.expect(&state);
        block.forget(&before, &self.slots);
    }

    /// Removes a charge. Returns false if it is not pending.
    pub(super) fn remove(&mut self, id: &ChargeId) -> bool {
        let Some(slot) = self.find(id.as_str()) else { return false };
        let Some(state) = self.get(slot).copied() else { return false };
        let key = Key { created: state.created, slot };
        let at = self.block_of(key);
        if let Some(block) = self.blocks.get_mut(at) {
            let position = position(&self.slots, block, key);
            if position < block.slots.len() {
                block.slots.remove(position);
            }
        }
        self.slots.remove(slot);
        let Some(block) = self.blocks.get_mut(at) else { return true };
        match block.slots.first().and_then(|slot| Some((*slot, self.slots.get(*slot)?))) {
            None => drop(self.blocks.remove(at)),
            Some((slot, oldest)) => {
                block.oldest = Key { created: oldest.created, slot };
                block.forget(&state, &self.slots);
                self.merge(at);
            }
        }
        true
    }

    /// Returns the index of the block to which this key belongs.
    fn block_of(&self, key: Key) -> usize {
        self.blocks.partition_point(|block| block.oldest <= key).saturating_sub(1)
    }

    /// Returns the index of a block with room for this key, near the full block `at`.
    fn make_room(&mut self, at: usize, key: Key) -> usize {
        let is_newest = at + 1 >= self.blocks.len();
        let Some(full) =
            self.blocks.get_mut(at).filter(|full| !(is_newest && full.is_below(key, &self.slots)))
        else {
            // Most charges are added in the order of the list, so the blocks before are full.
            let new = Block { slots: Vec::with_capacity(BLOCK), oldest: key, due: u64::MAX, ready: u64::MAX };
            self.blocks.push(new);
            return self.blocks.len() - 1;
        };
        let upper = Block::of(full.slots.split_off(BLOCK / 2), &self.slots);
        full.recount(&self.slots);
        let is_upper = upper.oldest <= key;
        self.blocks.insert(at + 1, upper);
        at + usize::from(is_upper)
    }

    /// Joins a block that has become small with the next one.
    fn merge(&mut self, at: usize) {
        let len = |at: usize| self.blocks.get(at).map_or(BLOCK, |block| block.slots.len());
        if len(at) >= BLOCK / 4 || len(at) + len(at + 1) > BLOCK * 3 / 4 {
            return;
        }
        let next = self.blocks.remove(at + 1);
        if let Some(block) = self.blocks.get_mut(at) {
            block.slots.extend(next.slots);
            block.due = block.due.min(next.due);
            block.ready = block.ready.min(next.ready);
        }
    }
}

impl Block {
    fn of(slots: Vec<u32>, states: &Slots) -> Self {
        let mut block = Self { slots, oldest: Key::LOWEST, due: u64::MAX, ready: u64::MAX };
        block.recount(states);
        block
    }

    /// Returns true if all keys of the block are lower than this one.
    fn is_below(&self, key: Key, states: &Slots) -> bool {
        position(states, self, key) == self.slots.len()
    }

    fn recount(&mut self, states: &Slots) {
        (self.due, self.ready) = (u64::MAX, u64::MAX);
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get(at).copied() else { return };
            let Some(state) = states.get(slot) else { continue };
            if at == 0 {
                self.oldest = Key { created: state.created, slot };
            }
            self.expect(state);
        }
    }

    /// Takes a state into account.
    fn expect(&mut self, state: &Pending) {
        self.due = self.due.min(state.due);
        self.ready = self.ready.min(state.ready());
    }

    /// No longer takes a state into account.
    fn forget(&mut self, state: &Pending, states: &Slots) {
        if state.due == self.due || state.ready() == self.ready {
            self.recount(states);
        }
    }
}

/// Returns how many keys of a block are lower than this one.
fn position(states: &Slots, block: &Block, key: Key) -> usize {
    let created = |slot: u32| states.get(slot).map_or(UnixMillis::from_millis(0), |state| state.created);
    block.slots.partition_point(|slot| Key { created: created(*slot), slot: *slot } < key)
}
