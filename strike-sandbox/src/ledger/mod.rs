//! All charges, in the order in which they were made, and found by id.

mod charge;
mod state;

use std::collections::HashMap;

pub(crate) use charge::Charge;
pub use state::{ChargeRecord, ChargeState};

#[derive(Default)]
pub(crate) struct Ledger {
    charges: Vec<Charge>,
    places: HashMap<String, usize>,
}

impl Ledger {
    pub(crate) fn push(&mut self, charge: Charge) {
        self.places.insert(charge.id.as_str().to_owned(), self.charges.len());
        self.charges.push(charge);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Charge> {
        self.charges.get(*self.places.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Charge> {
        self.charges.get_mut(*self.places.get(id)?)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
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
}
