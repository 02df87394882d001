//! All charges, in the order in which they were made, and found by id. Only what is here changes a charge.

mod charge;
mod journal;

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use strike_core::UnixMillis;

pub(crate) use charge::Charge;
pub(crate) use journal::{Journal, NotKept, Standing};

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

    pub(crate) fn push(&mut self, charge: Charge, standing: &Standing) -> Result<(), NotKept> {
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
    ) -> Result<(), NotKept> {
        self.change(id, standing, |charge| {
            charge.paid = true;
            charge.updated = at;
        })
    }

    /// Ends the time in which a charge can be paid. An unknown one is nothing to end.
    #[cfg_attr(not(test), expect(dead_code, reason = "the control that expires a charge comes next"))]
    pub(crate) fn expire(&mut self, id: &str, at: UnixMillis, standing: &Standing) -> Result<(), NotKept> {
        self.change(id, standing, |charge| charge.expires = charge.expires.min(at))
    }

    /// Forgets every charge.
    #[cfg_attr(not(test), expect(dead_code, reason = "the control that resets the sandbox comes next"))]
    pub(crate) fn clear(&mut self, standing: &Standing) -> Result<(), NotKept> {
        if let Some(journal) = &mut self.journal {
            journal.clear(standing)?;
        }
        self.charges = Vec::new();
        self.places = HashTable::new();
        Ok(())
    }

    /// Keeps what changed beside the charges: the clock, or where ids are drawn from.
    pub(crate) fn stand(&mut self, standing: &Standing) -> Result<(), NotKept> {
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
        let end = self.charges.len().saturating_sub(page.saturating_mul(size));
        let start = end.saturating_sub(size);
        self.charges.get(start..end).unwrap_or_default().iter().rev()
    }

    fn place(&self, id: &str) -> Option<usize> {
        let is_there = |place: &usize| self.charges.get(*place).is_some_and(|charge| *charge.id == *id);
        self.places.find(self.hasher.hash_one(id), is_there).copied()
    }

    fn insert(&mut self, charge: Charge) {
        let Self { charges, places, hasher, .. } = self;
        let hash = hasher.hash_one(&*charge.id);
        let rehash = |place: &usize| charges.get(*place).map_or(0, |charge| hasher.hash_one(&*charge.id));
        places.insert_unique(hash, charges.len(), rehash);
        charges.push(charge);
    }

    /// Written first, then done in memory: either both or neither.
    fn change(
        &mut self,
        id: &str,
        standing: &Standing,
        change: impl FnOnce(&mut Charge),
    ) -> Result<(), NotKept> {
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
