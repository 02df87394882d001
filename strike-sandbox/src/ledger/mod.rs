//! All charges, in the order in which they were made, and found by id. Only what is here changes a charge.

mod charge;
mod journal;
mod state;

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use strike_core::UnixMillis;

pub(crate) use charge::Charge;
pub use journal::StorageError;
pub(crate) use journal::{Journal, Standing};
pub use state::{ChargeRecord, ChargeState, ExpireError};

#[derive(Default)]
pub(crate) struct Ledger {
    charges: Vec<Charge>,
    /// Where each charge is in `charges`, by the hash of its id. The id itself stands there, and only there.
    places: HashTable<usize>,
    hasher: RandomState,
    /// `None` keeps everything in memory alone.
    journal: Option<Box<dyn Journal>>,
}

impl Ledger {
    /// The charges that a journal has kept, oldest first; it is told of all that follow.
    #[cfg(feature = "sqlite")]
    pub(crate) fn kept(charges: Vec<Charge>, journal: Box<dyn Journal>) -> Self {
        let mut ledger = Self { charges: Vec::with_capacity(charges.len()), ..Self::default() };
        for charge in charges {
            ledger.insert(charge);
        }
        ledger.journal = Some(journal);
        ledger
    }

    pub(crate) fn push(&mut self, charge: Charge, standing: &Standing) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            journal.append(self.charges.len(), &charge, standing)?;
        }
        self.insert(charge);
        Ok(())
    }

    /// Notes that a charge was paid. An unknown one is nothing to note.
    pub(crate) fn mark_paid(
        &mut self,
        id: &str,
        at: UnixMillis,
        standing: &Standing,
    ) -> Result<(), StorageError> {
        self.change(id, standing, |charge| {
            charge.paid = true;
            charge.updated = at;
        })
    }

    /// Ends the time in which a charge can be paid. An unknown one is nothing to end.
    pub(crate) fn expire(
        &mut self,
        id: &str,
        at: UnixMillis,
        standing: &Standing,
    ) -> Result<(), StorageError> {
        self.change(id, standing, |charge| charge.expires = charge.expires.min(at))
    }

    /// Forgets every charge.
    pub(crate) fn clear(&mut self, standing: &Standing) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            journal.clear(standing)?;
        }
        self.charges = Vec::new();
        self.places = HashTable::new();
        Ok(())
    }

    /// Keeps what changed beside the charges: the clock, or where ids are drawn from.
    pub(crate) fn stand(&mut self, standing: &Standing) -> Result<(), StorageError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.stand(standing))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Charge> {
        self.charges.get(self.place(id)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.charges.len()
    }

    /// One page, the newest charge first. Its cost depends on its size alone, not on how many charges there are.
    pub(crate) fn page(&self, page: usize, size: usize) -> impl Iterator<Item = &Charge> {
        page_of(&self.charges, page, size)
    }

    /// One page of the charges that were made until then, the newest first.
    pub(crate) fn page_until(
        &self,
        until: UnixMillis,
        page: usize,
        size: usize,
    ) -> impl Iterator<Item = &Charge> {
        let count = self.charges.partition_point(|charge| charge.created <= until);
        page_of(self.charges.get(..count).unwrap_or_default(), page, size)
    }

    fn place(&self, id: &str) -> Option<usize> {
        let is_there =
            |place: &usize| self.charges.get(*place).is_some_and(|charge| charge.id.as_str() == id);
        self.places.find(self.hasher.hash_one(id), is_there).copied()
    }

    fn insert(&mut self, charge: Charge) {
        let Self { charges, places, hasher, .. } = self;
        let hash = hasher.hash_one(charge.id.as_str());
        let rehash =
            |place: &usize| charges.get(*place).map_or(0, |charge| hasher.hash_one(charge.id.as_str()));
        places.insert_unique(hash, charges.len(), rehash);
        charges.push(charge);
    }

    /// Written first, then done in memory: either both or neither.
    fn change(
        &mut self,
        id: &str,
        standing: &Standing,
        change: impl FnOnce(&mut Charge),
    ) -> Result<(), StorageError> {
        let Some(place) = self.place(id) else { return Ok(()) };
        let Some(charge) = self.charges.get_mut(place) else { return Ok(()) };
        let mut changed = charge.clone();
        change(&mut changed);
        if let Some(journal) = &mut self.journal {
            journal.change(place, &changed, standing)?;
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
        fn append(&mut self, _: usize, _: &Charge, _: &Standing) -> Result<(), StorageError> {
            self.count()
        }

        fn change(&mut self, _: usize, _: &Charge, _: &Standing) -> Result<(), StorageError> {
            self.count()
        }

        fn clear(&mut self, _: &Standing) -> Result<(), StorageError> {
            self.count()
        }

        fn stand(&mut self, _: &Standing) -> Result<(), StorageError> {
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
        }
    }

    fn standing() -> Standing {
        let entropy = Entropy::from_seed(1).position();
        Standing { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_secs(1) }
    }

    #[test]
    fn failed_journal_writes_leave_the_ledger_unchanged() {
        let changes_left = Arc::new(Mutex::new(0));
        let mut ledger = Ledger {
            journal: Some(Box::new(LimitedJournal(Arc::clone(&changes_left)))),
            ..Ledger::default()
        };
        let (standing, now) = (standing(), UnixMillis::from_secs(5));
        assert!(ledger.push(charge("a"), &standing).is_err());
        assert!(ledger.len() == 0 && ledger.get("a").is_none());

        *changes_left.lock().expect("no poisoned lock") = 1;
        ledger.push(charge("a"), &standing).expect("the journal accepts one change");
        assert!(ledger.mark_paid("a", now, &standing).is_err());
        assert!(ledger.expire("a", now, &standing).is_err());
        assert!(ledger.clear(&standing).is_err());
        assert!(ledger.stand(&standing).is_err());
        let charge = ledger.get("a").expect("the charge exists");
        assert!(
            !charge.paid && charge.updated == charge.created && charge.expires == UnixMillis::from_secs(9)
        );

        *changes_left.lock().expect("no poisoned lock") = 3;
        ledger.mark_paid("a", now, &standing).expect("the journal accepts the change");
        ledger.expire("a", now, &standing).expect("the journal accepts the change");
        let charge = ledger.get("a").expect("the charge exists");
        assert!(charge.paid && charge.updated == now && charge.expires == now);
        ledger.clear(&standing).expect("the journal accepts the change");
        assert!(ledger.len() == 0 && ledger.get("a").is_none());
    }

    #[test]
    fn charges_are_found_only_by_their_own_id() {
        let mut ledger = Ledger::default();
        let id = |n: usize| format!("ch_{n}");
        for n in 0..5000 {
            ledger.push(charge(&id(n)), &standing()).expect("an in-memory sandbox can always be reset");
        }
        assert!((0..5000).all(|n| ledger.get(&id(n)).is_some_and(|charge| charge.id.as_str() == id(n))));
        assert!(ledger.get(&id(5000)).is_none() && ledger.get("").is_none());
        assert!(ledger.page(1, 2).map(|charge| charge.id.as_str()).eq(["ch_4997", "ch_4996"]));
    }
}
