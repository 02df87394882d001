//! What happened so far: the invoices that payers saw, and counters.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::commands::Shown;

/// The record of a run.
#[derive(Debug, Default)]
pub struct Record {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The charge that payers saw, by order and attempt.
    shown: BTreeMap<(String, u32), String>,
    /// Other charges that payers saw for the same order and attempt.
    doubles: Vec<Shown>,
    counts: BTreeMap<&'static str, u64>,
}

impl Record {
    /// Records an invoice that a payer sees.
    pub fn shown(&self, shown: &Shown) {
        let mut inner = self.inner();
        let key = (shown.name.clone(), shown.attempt);
        let first = inner.shown.entry(key).or_insert_with(|| shown.charge.clone());
        if *first != shown.charge {
            inner.doubles.push(shown.clone());
        }
    }

    /// Checks that payers saw only one invoice for each order and attempt.
    ///
    /// # Panics
    /// If payers saw two.
    pub fn check(&self) {
        let doubles = &self.inner().doubles;
        assert!(doubles.is_empty(), "{} orders with two invoices: {doubles:#?}", doubles.len());
    }

    /// Returns the charges that payers saw, by order and attempt.
    #[must_use]
    pub fn all_shown(&self) -> BTreeMap<(String, u32), String> {
        self.inner().shown.clone()
    }

    /// Counts something that happened.
    pub fn count(&self, what: &'static str) {
        *self.inner().counts.entry(what).or_default() += 1;
    }

    /// Returns how often something happened.
    #[must_use]
    pub fn get(&self, what: &'static str) -> u64 {
        self.inner().counts.get(what).copied().unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        write!(f, "{} invoices shown", inner.shown.len())?;
        inner.counts.iter().try_for_each(|(what, count)| write!(f, ", {count} {what}"))
    }
}
