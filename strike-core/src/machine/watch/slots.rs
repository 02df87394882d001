//! The memory of the pending charges: a slot for each, found by the charge's id.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::pending::Pending;
use crate::values::ChargeId;

/// A hasher without random keys: the same charges always need the same memory.
type Hasher = BuildHasherDefault<DefaultHasher>;

/// The pending charges. A slot takes 56 bytes, and the way to it 12. A slot of a charge that was
/// removed is used again.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Option<(ChargeId, Pending)>>,
    free: Vec<u32>,
    /// The slot for each hash of an id.
    by_hash: HashMap<u32, u32, Hasher>,
    /// The slots of ids whose hash another id has: about one in 100,000.
    collided: BTreeMap<ChargeId, u32>,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.by_hash.len() + self.collided.len()
    }

    /// Returns the slot of a charge.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let found = self.by_hash.get(&hash(id)).copied();
        found.filter(|slot| self.id(*slot).is_some_and(|found| found.as_str() == id)).or_else(|| {
            // A lookup in an empty map costs nothing.
            self.collided.get(id).copied()
        })
    }

    pub(super) fn id(&self, slot: u32) -> Option<&ChargeId> {
        self.entry(slot).map(|(id, _)| id)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Pending> {
        self.entry(slot).map(|(_, state)| state)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Pending> {
        self.slots.get_mut(index(slot))?.as_mut().map(|(_, state)| state)
    }

    /// Adds a charge that has no slot, and returns its slot. Returns `None` after four billion.
    pub(super) fn insert(&mut self, id: ChargeId, state: Pending) -> Option<u32> {
        let next = u32::try_from(self.slots.len()).ok()?;
        let slot = self.free.pop().unwrap_or(next);
        if slot == next {
            if self.slots.len() == self.slots.capacity() {
                // Doubling would leave up to half of the memory unused.
                self.slots.reserve_exact(self.slots.len() / 16 + 8);
            }
            self.slots.push(None);
        }
        match self.by_hash.entry(hash(id.as_str())) {
            Entry::Vacant(entry) => _ = entry.insert(slot),
            Entry::Occupied(_) => _ = self.collided.insert(id.clone(), slot),
        }
        if let Some(empty) = self.slots.get_mut(index(slot)) {
            *empty = Some((id, state));
        }
        Some(slot)
    }

    /// Removes the charge of a slot, and returns its state.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Pending> {
        let (id, state) = self.slots.get_mut(index(slot))?.take()?;
        if self.collided.remove(&id).is_none() {
            self.by_hash.remove(&hash(id.as_str()));
        }
        if self.len() == 0 {
            *self = Self::default();
        } else {
            self.free.push(slot);
        }
        Some(state)
    }

    fn entry(&self, slot: u32) -> Option<&(ChargeId, Pending)> {
        self.slots.get(index(slot))?.as_ref()
    }
}

fn hash(id: &str) -> u32 {
    // Half of the hash: 12 bytes for a charge instead of 22.
    u32::try_from(Hasher::default().hash_one(id) >> 32).unwrap_or_default()
}

/// Returns the index of a slot. On a 16-bit machine, some slots would not exist.
fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Slots;
    use crate::machine::watch::pending::Pending;
    use crate::machine::watch::snapshot::SavedCharge;
    use crate::values::{Charge, ChargeId};

    fn state() -> Pending {
        let json = r#"{"id":"ch_1","object":"charge","amount":1,"currency":"btc","amount_satoshi":1,
            "payment_hash":"abababababababababababababababababababababababababababababababab",
            "payment_request":"x","description":"","paid":false,"created":1,"updated":1}"#;
        Pending::new(&SavedCharge::of(&serde_json::from_str::<Charge>(json).unwrap(), Duration::ZERO))
    }

    fn id(number: u32) -> ChargeId {
        ChargeId::new(format!("ch_{number}")).unwrap()
    }

    #[test]
    fn charges_are_found_by_id_even_if_their_hashes_are_equal() {
        let (mut slots, many) = (Slots::default(), 300_000);
        let all: Vec<u32> = (0..many).map(|number| slots.insert(id(number), state()).unwrap()).collect();
        assert!(!slots.collided.is_empty(), "among so many, some hashes are equal");
        let odd = |number: &u32| number % 2 == 1;
        let collided: Vec<ChargeId> = slots.collided.keys().cloned().collect();
        for number in (0..many).filter(odd) {
            slots.remove(all[usize::try_from(number).unwrap()]).unwrap();
        }
        for number in 0..many {
            let slot = Some(all[usize::try_from(number).unwrap()]).filter(|_| !odd(&number));
            assert_eq!(slots.find(id(number).as_str()), slot, "{number}");
        }
        assert_eq!(slots.len(), 150_000);
        for id in collided {
            if let Some(slot) = slots.find(id.as_str()) {
                assert!(slots.remove(slot).is_some() && slots.find(id.as_str()).is_none());
            }
        }
    }

    #[test]
    fn slots_of_removed_charges_are_used_again() {
        let mut slots = Slots::default();
        let [a, b] = [1, 2].map(|number| slots.insert(id(number), state()).unwrap());
        assert!(slots.remove(a).is_some() && slots.remove(a).is_none());
        assert_eq!(slots.insert(id(3), state()), Some(a));
        assert_eq!((slots.id(a), slots.id(b)), (Some(&id(3)), Some(&id(2))));
    }
}
