//! All charges in the order of their creation, with indexes by id and by payment hash. Charges are
//! changed only here.

mod charge;
mod charge_record;
mod group;
mod journal;

use std::hash::{BuildHasher, RandomState};
use std::mem;

use data_encoding::HEXLOWER;
use hashbrown::HashTable;
use strike_core::{PaymentHash, UnixMillis};

pub(crate) use charge::{Charge, Extras};
pub use charge_record::{ChargeRecord, ChargeState, ExpireError};
use group::Group;
pub(crate) use group::GroupOutcome;
pub use journal::StorageError;
pub(crate) use journal::{Change, Journal, ServiceState};

#[derive(Default)]
pub(crate) struct Ledger {
    charges: Vec<Charge>,
    /// Maps the hash of each id to an index in `charges`. The ids are stored only in `charges`.
    indexes: HashTable<usize>,
    /// The same for the payment hashes.
    indexes_by_hash: HashTable<usize>,
    hasher: RandomState,
    /// `None` if charges are kept only in memory.
    journal: Option<Box<dyn Journal>>,
    /// Always empty without a journal.
    group: Group,
}

impl Ledger {
    /// Creates a ledger with stored charges, oldest first. The journal stores all later changes.
    #[cfg(feature = "sqlite")]
    pub(crate) fn load(charges: Vec<Charge>, journal: Box<dyn Journal>) -> Self {
        let indexes = || HashTable::with_capacity(charges.len());
        let (indexes, indexes_by_hash) = (indexes(), indexes());
        let mut ledger =
            Self { charges, indexes, indexes_by_hash, journal: Some(journal), ..Self::default() };
        (0..ledger.charges.len()).for_each(|index| ledger.add_to_indexes(index));
        ledger
    }

    /// Returns true if changes are stored, and have to be [committed](Self::commit).
    pub(crate) const fn is_stored(&self) -> bool {
        self.journal.is_some()
    }

    /// Adds a charge.
    pub(crate) fn push(&mut self, charge: Charge) {
        if self.is_stored() {
            self.group.changes.push(Change::Added(self.charges.len()));
        }
        self.insert(charge);
    }

    /// Marks a charge as paid, for a fee in millisatoshi. Does nothing if no charge has this id.
    pub(crate) fn mark_paid(&mut self, id: &str, at: UnixMillis, fee: u64) {
        self.change(id, |charge| {
            charge.paid = true;
            charge.fee = fee;
            charge.updated = at;
        });
    }

    /// Makes a charge expire no later than `at`. Does nothing if no charge has this id.
    pub(crate) fn expire(&mut self, id: &str, at: UnixMillis) {
        self.change(id, |charge| charge.expires = charge.expires.min(at));
    }

    /// Returns where to learn whether the changes are stored that were made since the last commit.
    /// `None` if there are none.
    pub(crate) fn uncommitted(&self) -> Option<GroupOutcome> {
        self.group.outcome()
    }

    /// Stores all changes since the last commit, together. If that fails, all of them are undone.
    pub(crate) fn commit(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        let Some(journal) = self.journal.as_mut().filter(|_| !self.group.changes.is_empty()) else {
            return Ok(());
        };
        let outcome = journal.store(&self.group.changes, &self.charges, state);
        let mut group = mem::take(&mut self.group);
        if outcome.is_err() {
            let changes = mem::take(&mut group.changes);
            changes.into_iter().rev().for_each(|change| self.undo(change));
        }
        group.end(&outcome);
        outcome
    }

    /// Removes all charges, and stores that. Commit earlier changes first.
    pub(crate) fn clear(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            journal.store(&[Change::Cleared], &[], state)?;
        }
        self.charges = Vec::new();
        self.indexes = HashTable::new();
        self.indexes_by_hash = HashTable::new();
        Ok(())
    }

    /// Stores the service state after a change of the clock or the seed. Commit earlier changes
    /// first.
    pub(crate) fn save_state(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.store(&[], &self.charges, state))
    }

    /// Returns the charge with this id, or with this payment hash as 64 lower-case hex digits.
    pub(crate) fn get(&self, id: &str) -> Option<&Charge> {
        self.charges.get(self.index(id)?)
    }

    /// Returns all charges, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Charge> {
        self.charges.iter().rev()
    }

    pub(crate) fn len(&self) -> usize {
        self.charges.len()
    }

    /// Returns one page of charges, newest first. The time this takes does not depend on the number
    /// of charges in the ledger.
    pub(crate) fn page(&self, page: usize, size: usize) -> impl Iterator<Item = &Charge> {
        page_of(&self.charges, page, size)
    }

    /// Returns one page of the charges that were created at or before `until`, newest first.
    pub(crate) fn page_until(
        &self,
        until: UnixMillis,
        page: usize,
        size: usize,
    ) -> impl Iterator<Item = &Charge> {
        let count = self.charges.partition_point(|charge| charge.created <= until);
        page_of(self.charges.get(..count).unwrap_or_default(), page, size)
    }

    fn index(&self, id: &str) -> Option<usize> {
        let has_id = |index: &usize| self.charges.get(*index).is_some_and(|charge| charge.id.as_str() == id);
        let index = self.indexes.find(self.hasher.hash_one(id), has_id).copied();
        index.or_else(|| self.index_by_hash(id))
    }

    fn index_by_hash(&self, hex: &str) -> Option<usize> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
        let hash = PaymentHash::new(bytes.try_into().ok()?);
        let has_hash = |index: &usize| self.charges.get(*index).is_some_and(|it| it.payment_hash == hash);
        self.indexes_by_hash.find(self.hasher.hash_one(hash.as_bytes()), has_hash).copied()
    }

    fn insert(&mut self, charge: Charge) {
        self.charges.push(charge);
        self.add_to_indexes(self.charges.len().saturating_sub(1));
    }

    fn add_to_indexes(&mut self, index: usize) {
        let Self { charges, indexes, indexes_by_hash, hasher, .. } = self;
        let id = |index: &usize| charges.get(*index).map_or(0, |it| hasher.hash_one(it.id.as_str()));
        indexes.insert_unique(id(&index), index, id);
        let hash =
            |index: &usize| charges.get(*index).map_or(0, |it| hasher.hash_one(it.payment_hash.as_bytes()));
        indexes_by_hash.insert_unique(hash(&index), index, hash);
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Charge)) {
        let Some(index) = self.index(id) else { return };
        let Some(charge) = self.charges.get_mut(index) else { return };
        if self.journal.is_some() {
            self.group.changes.push(Change::Updated { index, before: Box::new(charge.clone()) });
        }
        change(charge);
    }

    /// Undoes the latest change.
    fn undo(&mut self, change: Change) {
        match change {
            Change::Added(index) => self.remove_last(index),
            Change::Updated { index, before } => {
                if let Some(charge) = self.charges.get_mut(index) {
                    *charge = *before;
                }
            }
            // It is stored by itself, and made only if that succeeds.
            Change::Cleared => {}
        }
    }

    /// Removes the newest charge, which has this index.
    fn remove_last(&mut self, index: usize) {
        let Some(charge) = self.charges.pop() else { return };
        let hashes = [
            (&mut self.indexes, self.hasher.hash_one(charge.id.as_str())),
            (&mut self.indexes_by_hash, self.hasher.hash_one(charge.payment_hash.as_bytes())),
        ];
        for (indexes, hash) in hashes {
            if let Ok(entry) = indexes.find_entry(hash, |it| *it == index) {
                entry.remove();
            }
        }
    }
}

fn page_of(charges: &[Charge], page: usize, size: usize) -> impl Iterator<Item = &Charge> {
    let end = charges.len().saturating_sub(page.saturating_mul(size));
    let start = end.saturating_sub(size);
    charges.get(start..end).unwrap_or_default().iter().rev()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::entropy::Entropy;

    /// A journal that accepts a limited number of groups and then fails. It counts the changes.
    #[derive(Clone, Default)]
    struct LimitedJournal {
        groups_left: Arc<Mutex<usize>>,
        stored: Arc<Mutex<Vec<usize>>>,
    }

    impl LimitedJournal {
        fn accept(&self, groups: usize) {
            *self.groups_left.lock().expect("no poisoned lock") = groups;
        }

        /// Returns the number of changes of each stored group.
        fn stored(&self) -> Vec<usize> {
            self.stored.lock().expect("no poisoned lock").clone()
        }
    }

    impl Journal for LimitedJournal {
        fn store(&mut self, changes: &[Change], _: &[Charge], _: &ServiceState) -> Result<(), StorageError> {
            let mut left = self.groups_left.lock().expect("no poisoned lock");
            *left = left.checked_sub(1).ok_or_else(|| StorageError("full".to_owned()))?;
            self.stored.lock().expect("no poisoned lock").push(changes.len());
            Ok(())
        }
    }

    fn ledger() -> (Ledger, LimitedJournal) {
        let journal = LimitedJournal::default();
        (Ledger { journal: Some(Box::new(journal.clone())), ..Ledger::default() }, journal)
    }

    fn state() -> ServiceState {
        let entropy = Entropy::from_seed(1).position();
        ServiceState { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_secs(1) }
    }

    #[test]
    fn changes_since_a_commit_are_stored_in_one_group() {
        let (mut ledger, journal) = ledger();
        journal.accept(1);
        assert!(ledger.uncommitted().is_none());
        ledger.push(Charge::sample("a"));
        let first = ledger.uncommitted().expect("a change is not stored yet");
        ledger.push(Charge::sample("b"));
        ledger.mark_paid("a", UnixMillis::from_secs(5), 7);
        ledger.expire("b", UnixMillis::from_secs(6));
        assert!(first.get().is_none() && journal.stored().is_empty());
        ledger.commit(&state()).expect("the journal accepts the group");
        assert_eq!((first.get(), journal.stored()), (Some(Ok(())), vec![4]));
        assert!(ledger.uncommitted().is_none());
        // Without changes there is nothing to store.
        ledger.commit(&state()).expect("nothing to store");
        assert_eq!(journal.stored(), [4]);
    }

    #[test]
    fn failed_commit_undoes_the_whole_group_and_only_that() {
        let (mut ledger, journal) = ledger();
        journal.accept(1);
        let (state, now) = (state(), UnixMillis::from_secs(5));
        ledger.push(Charge::sample("a"));
        ledger.commit(&state).expect("the journal accepts one group");

        ledger.push(Charge::sample("b"));
        ledger.mark_paid("a", now, 5);
        ledger.expire("a", now);
        ledger.mark_paid("b", now, 5);
        ledger.push(Charge::sample("c"));
        let outcome = ledger.uncommitted().expect("changes are not stored yet");
        assert!(ledger.commit(&state).is_err());
        assert_eq!(outcome.get(), Some(Err(StorageError("full".to_owned()))));
        assert!(ledger.clear(&state).is_err() && ledger.save_state(&state).is_err());
        assert!(ledger.len() == 1 && ledger.get("b").is_none() && ledger.get("c").is_none());
        assert_eq!((ledger.indexes.len(), ledger.indexes_by_hash.len()), (1, 1));
        let charge_a = ledger.get("a").expect("the charge exists");
        assert!(!charge_a.paid && charge_a.fee == 0 && charge_a.updated == charge_a.created);
        assert_eq!(charge_a.expires, UnixMillis::from_secs(9));

        // The charges that were undone leave no trace: their ids and places can be used again.
        journal.accept(3);
        ledger.push(Charge::sample("c"));
        ledger.push(Charge::sample("b"));
        ledger.mark_paid("c", now, 5);
        ledger.commit(&state).expect("the journal accepts the group");
        assert!(ledger.get("c").is_some_and(|charge| charge.paid && charge.fee == 5));
        assert!(ledger.page(0, 3).map(|charge| charge.id.as_str()).eq(["b", "c", "a"]));
        ledger.clear(&state).expect("the journal accepts the change");
        assert!(ledger.len() == 0 && ledger.get("a").is_none());
    }

    #[test]
    fn charges_are_found_only_by_their_own_id() {
        let mut ledger = Ledger::default();
        let id = |n: usize| format!("ch_{n}");
        for n in 0..5000 {
            ledger.push(Charge::sample(&id(n)));
        }
        assert!((0..5000).all(|n| ledger.get(&id(n)).is_some_and(|charge| charge.id.as_str() == id(n))));
        assert!(ledger.get(&id(5000)).is_none() && ledger.get("").is_none());
        assert!(ledger.page(1, 2).map(|charge| charge.id.as_str()).eq(["ch_4997", "ch_4996"]));
    }
}
