//! Completes an order once, although hints come twice and programs fail between two steps.

use std::collections::VecDeque;
use std::convert::Infallible;

use crate::values::{Charge, ChargeId};

/// Where a [`CompletionGuard`] remembers the charges whose orders are completed: a table, a file, or [`RecentCompletions`].
pub trait CompletedCharges {
    /// How remembering can fail, such as a database that is down; [`Infallible`] if it cannot.
    type Error;

    /// Whether this charge's order was completed, as far as is remembered.
    ///
    /// # Errors
    /// If that cannot be found out. Then nothing is completed, and a later hint or poll tries again.
    fn contains(&mut self, id: &ChargeId) -> Result<bool, Self::Error>;

    /// Remembers that this charge's order is completed. To be told so twice is no error.
    ///
    /// # Errors
    /// If it cannot be remembered. Then the order will be completed again.
    fn insert(&mut self, id: &ChargeId) -> Result<(), Self::Error>;
}

/// Remembers the last so many charges, in memory.
///
/// It spares work; it is no proof. It forgets everything when the program ends, and the oldest charge when it is full,
/// and a paid charge stays paid for ever: whoever repeats an old hint then gets its order completed again.
/// So use it alone only if completing an order twice does no harm, and a [`CompletedCharges`] of your own otherwise.
///
/// An id takes up to 144 bytes, so 1 000 of them at most some 150 kB. Looking one up walks through all of them.
#[derive(Debug, Clone)]
pub struct RecentCompletions {
    ids: VecDeque<ChargeId>,
    capacity: usize,
}

impl RecentCompletions {
    /// Will remember at most that many charges; with 0, none.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { ids: VecDeque::new(), capacity }
    }
}

impl CompletedCharges for RecentCompletions {
    type Error = Infallible;

    fn contains(&mut self, id: &ChargeId) -> Result<bool, Infallible> {
        Ok(self.ids.contains(id))
    }

    fn insert(&mut self, id: &ChargeId) -> Result<(), Infallible> {
        if self.capacity == 0 || self.ids.contains(id) {
            return Ok(());
        }
        if self.ids.len() >= self.capacity {
            self.ids.pop_front();
        }
        self.ids.push_back(id.clone());
        Ok(())
    }
}

/// Completes the order of a paid charge, and does not complete it again while that is remembered.
///
/// First the order is completed, then that is remembered. A crash between the two, or a store that fails there,
/// makes the order be completed again when the next hint or poll comes: **at least once**. The other way round a
/// payment could be lost. So completing has to be harmless when repeated: let it carry the charge's id as a unique
/// key. If orders and memory are in one database, do both in one transaction, which makes it exactly once, and needs
/// no guard.
///
/// Two threads must not hold guards on the same store at the same time without a lock around both steps: give one
/// worker the guard, and let it take hints from a bounded queue.
///
/// ```
/// use strike_core::Charge;
/// use strike_core::webhook::{Completion, CompletionGuard, RecentCompletions};
/// # fn confirmed() -> Charge {
/// #     let hash = "00".repeat(32);
/// #     serde_json::from_str(&format!(r#"{{"id":"ch_1","amount":1,"currency":"btc","amount_satoshi":1,"payment_hash":"{hash}",
/// #         "payment_request":"","description":"","paid":true,"created":0,"updated":0}}"#)).unwrap()
/// # }
///
/// let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
/// let mut shipped = 0;
/// let charge: Charge = confirmed(); // client.send(hint.confirm())?
/// for _ in 0..2 {
///     let done = guard.complete(&charge, |_| {
///         shipped += 1;
///         Ok::<(), std::io::Error>(())
///     })?;
///     println!("{done:?}"); // Now, then Before
/// }
/// assert_eq!(shipped, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CompletionGuard<S> {
    seen: S,
}

impl<S: CompletedCharges> CompletionGuard<S> {
    /// A guard with that memory.
    pub const fn new(seen: S) -> Self {
        Self { seen }
    }

    /// Whether an order is known to be completed: a hint about it needs no look.
    ///
    /// # Errors
    /// The store's own.
    pub fn remembers(&mut self, id: &ChargeId) -> Result<bool, S::Error> {
        self.seen.contains(id)
    }

    /// Completes the order of this charge if it is paid, and not yet completed as far as is remembered.
    ///
    /// The charge must come from the host, by [`Notification::confirm`](super::Notification::confirm) or a poll; never build it from
    /// the body of a webhook.
    ///
    /// # Errors
    /// [`CompletionError`] says whether the order was completed.
    pub fn complete<E>(
        &mut self,
        charge: &Charge,
        complete: impl FnOnce(&Charge) -> Result<(), E>,
    ) -> Result<Completion, CompletionError<S::Error, E>> {
        match self.due(charge).map_err(CompletionError::Store)? {
            Completion::Now => {
                complete(charge).map_err(CompletionError::Complete)?;
                self.done(charge).map_err(CompletionError::Forgotten)?;
                Ok(Completion::Now)
            }
            other => Ok(other),
        }
    }

    /// The first half of [`complete`](Self::complete), where completing has to be awaited: with
    /// [`Completion::Now`], complete the order, and then say [`done`](Self::done). Nobody else may use the guard
    /// in between.
    ///
    /// # Errors
    /// The store's own; complete nothing.
    pub fn due(&mut self, charge: &Charge) -> Result<Completion, S::Error> {
        if !charge.is_paid() {
            Ok(Completion::Unpaid)
        } else if self.seen.contains(charge.id())? {
            Ok(Completion::Before)
        } else {
            Ok(Completion::Now)
        }
    }

    /// The second half: remembers that this charge's order is completed.
    ///
    /// # Errors
    /// The store's own; the order will be completed again.
    pub fn done(&mut self, charge: &Charge) -> Result<(), S::Error> {
        self.seen.insert(charge.id())
    }
}

/// When a charge's order is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer each")]
pub enum Completion {
    /// Now: it is paid, and was not completed as far as is remembered.
    Now,
    /// It was completed before; there is nothing to do.
    Before,
    /// Not yet: it is not paid.
    Unpaid,
}

/// Why an order was not completed, or will be completed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the steps that can fail, and each needs its own answer"
)]
pub enum CompletionError<S, E> {
    /// The store could not say whether the order was completed: nothing was done. Try again.
    #[error("the store could not be asked, and nothing was completed")]
    Store(#[source] S),
    /// Completing failed, and nothing was remembered. Try again.
    #[error("the order could not be completed")]
    Complete(#[source] E),
    /// The order was completed, but that could not be remembered: it will be completed again.
    #[error("the order was completed, but that could not be remembered")]
    Forgotten(#[source] S),
}
