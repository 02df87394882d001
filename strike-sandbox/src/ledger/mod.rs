//! All charges in the order of their creation, with indexes by id and by payment hash. Charges are
//! changed only here.

mod charge;
mod charge_record;
mod journal;

use std::hash::{BuildHasher, RandomState};

use data_encoding::HEXLOWER;
use hashbrown::HashTable;
use strike_core::{PaymentHash, UnixMillis};

pub(crate) use charge::{Charge, Extras};
pub use charge_record::{ChargeRecord, ChargeState, ExpireError};
pub use journal::StorageError;
pub(crate) use journal::{Journal, ServiceState};

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
}

impl Ledger {
    /// Creates a ledger with stored charges, oldest first. The journal stores all later changes.
    #[cfg(feature = "sqlite")]
    pub(crate) fn load(charges: Vec<Charge>, journal: Box<dyn Journal>) -> Self {
        let mut ledger = Self { charges: Vec::with_capacity(charges.len()), ..Self::default() };
        for charge in charges {
            ledger.insert(charge);
        }
        ledger.journal = Some(journal);
        ledger
    }

    /// Adds a charge.
    pub(crate) fn push(&mut self, charge: Charge, state: &ServiceState) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            journal.append(self.charges.len(), &charge, state)?;
        }
        self.insert(charge);
        Ok(())
    }

    /// Marks a charge as paid, for a fee in millisatoshi. Does nothing if no charge has this id.
    pub(crate) fn mark_paid(
        &mut self,
        id: &str,
        at: UnixMillis,
        fee: u64,
        state: &ServiceState,
    ) -> Result<(), StorageError> {
        self.change(id, state, |charge| {
            charge.paid = true;
            charge.fee = fee;
            charge.updated = at;
        })
    }

    /// Makes a charge expire no later than `at`. Does nothing if no charge has this id.
    pub(crate) fn expire(
        &mut self,
        id: &str,
        at: UnixMillis,
        state: &ServiceState,
    ) -> Result<(), StorageError> {
        self.change(id, state, |charge| charge.expires = charge.expires.min(at))
    }

    /// Removes all charges.
    pub(crate) fn clear(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            journal.clear(state)?;
        }
        self.charges = Vec::new();
        self.indexes = HashTable::new();
        self.indexes_by_hash = HashTable::new();
        Ok(())
    }

    /// Stores the service state after a change of the clock or the seed.
    pub(crate) fn save_state(&mut self, state: &ServiceState) -> Result<(), StorageError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.save_state(state))
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
        let Self { charges, indexes, indexes_by_hash, hasher, .. } = self;
        let hash = hasher.hash_one(charge.id.as_str());
        let rehash =
            |index: &usize| charges.get(*index).map_or(0, |charge| hasher.hash_one(charge.id.as_str()));
        indexes.insert_unique(hash, charges.len(), rehash);
        let hash = hasher.hash_one(charge.payment_hash.as_bytes());
        let rehash = |index: &usize| {
            charges.get(*index).map_or(0, |charge| hasher.hash_one(charge.payment_hash.as_bytes()))
        };
        indexes_by_hash.insert_unique(hash, charges.len(), rehash);
        charges.push(charge);
    }

    /// Changes a charge in the journal and then in memory. A failing journal prevents both.
    fn change(
        &mut self,
        id: &str,
        state: &ServiceState,
        change: impl FnOnce(&mut Charge),
    ) -> Result<(), StorageError> {
        let Some(index) = self.index(id) else { return Ok(()) };
        let Some(charge) = self.charges.get_mut(index) else { return Ok(()) };
        let mut changed = charge.clone();
        change(&mut changed);
        if let Some(journal) = &mut self.journal {
            journal.change(index, &changed, state)?;
        }
        *charge = changed;
        Ok(())
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

    use strike_core::Satoshi;

    use super::*;
    use crate::entropy::Entropy;
    use crate::node;

    /// A journal that accepts a limited number of changes and then fails.
    struct LimitedJournal(Arc<Mutex<usize>>);

    impl LimitedJournal {
        fn count(&self) -> Result<(), StorageError> {
            let mut left = self.0.lock().expect("no poisoned lock");
            *left = left.checked_sub(1).ok_or_else(|| StorageError("full".to_owned()))?;
            Ok(())
        }
    }

    impl Journal for LimitedJournal {
        fn append(&mut self, _: usize, _: &Charge, _: &ServiceState) -> Result<(), StorageError> {
            self.count()
        }

        fn change(&mut self, _: usize, _: &Charge, _: &ServiceState) -> Result<(), StorageError> {
            self.count()
        }

        fn clear(&mut self, _: &ServiceState) -> Result<(), StorageError> {
            self.count()
        }

        fn save_state(&mut self, _: &ServiceState) -> Result<(), StorageError> {
            self.count()
        }
    }

    fn charge(id: &str) -> Charge {
        Charge {
            id: id.parse().expect("a charge id"),
            amount: Satoshi::new(1),
            description: "".into(),
            customer_id: None,
            payment_request: "".into(),
            payment_hash: node::payment_hash(&[0; 32]),
            preimage: [0; 32],
            paid: false,
            created: UnixMillis::from_secs(1),
            updated: UnixMillis::from_secs(1),
            expires: UnixMillis::from_secs(9),
            fee: 0,
            extras: None,
        }
    }

    fn state() -> ServiceState {
        let entropy = Entropy::from_seed(1).position();
        ServiceState { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_secs(1) }
    }

    #[test]
    fn failed_journal_writes_leave_the_ledger_unchanged() {
        let changes_left = Arc::new(Mutex::new(0));
        let mut ledger = Ledger {
            journal: Some(Box::new(LimitedJournal(Arc::clone(&changes_left)))),
            ..Ledger::default()
        };
        let (state, now) = (state(), UnixMillis::from_secs(5));
        assert!(ledger.push(charge("a"), &state).is_err());
        assert!(ledger.len() == 0 && ledger.get("a").is_none());

        *changes_left.lock().expect("no poisoned lock") = 1;
        ledger.push(charge("a"), &state).expect("the journal accepts one change");
        assert!(ledger.mark_paid("a", now, 0, &state).is_err());
        assert!(ledger.expire("a", now, &state).is_err());
        assert!(ledger.clear(&state).is_err());
        assert!(ledger.save_state(&state).is_err());
        let charge = ledger.get("a").expect("the charge exists");
        assert!(
            !charge.paid && charge.updated == charge.created && charge.expires == UnixMillis::from_secs(9)
        );

        *changes_left.lock().expect("no poisoned lock") = 3;
        ledger.mark_paid("a", now, 5, &state).expect("the journal accepts the change");
        ledger.expire("a", now, &state).expect("the journal accepts the change");
        let charge = ledger.get("a").expect("the charge exists");
        assert!(charge.paid && charge.updated == now && charge.expires == now && charge.fee == 5);
        ledger.clear(&state).expect("the journal accepts the change");
        assert!(ledger.len() == 0 && ledger.get("a").is_none());
    }

    #[test]
    fn charges_are_found_only_by_their_own_id() {
        let mut ledger = Ledger::default();
        let id = |n: usize| format!("ch_{n}");
        for n in 0..5000 {
            ledger.push(charge(&id(n)), &state()).expect("an in-memory sandbox can always be reset");
        }
        assert!((0..5000).all(|n| ledger.get(&id(n)).is_some_and(|charge| charge.id.as_str() == id(n))));
        assert!(ledger.get(&id(5000)).is_none() && ledger.get("").is_none());
        assert!(ledger.page(1, 2).map(|charge| charge.id.as_str()).eq(["ch_4997", "ch_4996"]));
    }
}
