//! Completes each paid order once, although webhooks repeat and programs crash between two steps.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use crate::values::{Charge, ChargeId, PaidCharge};

/// Stores the ids of charges whose orders are completed: a table, a file, or [`RecentCompletions`].
pub trait CompletedCharges {
    /// The store's error, such as a database that is down; [`Infallible`] if it cannot fail.
    type Error;

    /// Returns true if this charge's order was completed.
    ///
    /// # Errors
    /// Any error of the store. The order is then not completed, and the next webhook or poll tries again.
    fn contains(&mut self, id: &ChargeId) -> Result<bool, Self::Error>;

    /// Stores that this charge's order is completed. Storing the same id twice is not an error.
    ///
    /// # Errors
    /// Any error of the store. The order will then be completed again.
    fn insert(&mut self, id: &ChargeId) -> Result<(), Self::Error>;
}

/// Remembers the most recently completed charges in memory.
///
/// It saves work but does not prevent every repeat. It is empty after a restart, and when it is full it drops the
/// oldest charge. A repeated webhook then completes the order again. Use it alone only if completing an order twice
/// does no harm; otherwise implement [`CompletedCharges`] on your database.
///
/// An id takes up to 144 bytes: 1,000 ids take at most 150 kB. Each lookup scans all of them.
#[derive(Debug, Clone)]
pub struct RecentCompletions {
    ids: VecDeque<ChargeId>,
    capacity: usize,
}

impl RecentCompletions {
    /// Creates an empty store for at most `capacity` charges. With 0 it remembers nothing.
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

/// Completes the order of a paid charge, unless the store says that it is completed.
///
/// The guard completes the order first and stores the id second. If the program crashes in between, or the store
/// fails there, the next webhook or poll completes the order again: **at least once**. The other way round, a crash
/// could lose a payment. So make completing an order idempotent: use the charge's id as a unique key. If orders and
/// ids are in one database, write both in one transaction. That completes each order exactly once, and you need no
/// guard.
///
/// Do not use two guards on one store at the same time without a lock around both steps. The simplest way is one
/// worker that owns the guard and receives notifications from a bounded queue.
///
/// ```
/// use strike_core::webhook::{Completion, CompletionGuard, RecentCompletions};
/// # use strike_core::machine::Operation;
/// # use strike_core::{ApiKey, Charge, Endpoint, Get, Network, Now, UnixMillis};
/// # fn read_charge() -> Charge {
/// #     let body = format!(r#"{{"id":"ch_1","amount":1,"currency":"btc","amount_satoshi":1,"payment_hash":"{}",
/// #         "payment_request":"","description":"","paid":true,"created":0,"updated":0}}"#, "00".repeat(32));
/// #     let endpoint = Endpoint::new("http://127.0.0.1:1/", ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap();
/// #     let now = Now::new(std::time::Duration::ZERO, UnixMillis::from_secs(0));
/// #     Get::new("ch_1".parse().unwrap()).parse(&endpoint, &http::Response::new(body.into_bytes()), now).unwrap()
/// # }
///
/// let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
/// let mut shipped = 0;
/// let charge = read_charge(); // client.confirm(&notification)?
/// if let Some(paid) = charge.to_paid() {
///     for expected in [Completion::Now, Completion::Before] {
///         let completion = guard.complete(&paid, |_| {
///             shipped += 1;
///             Ok::<(), std::io::Error>(())
///         })?;
///         assert_eq!(completion, expected);
///     }
/// }
/// assert_eq!(shipped, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CompletionGuard<S> {
    store: S,
}

impl<S: CompletedCharges> CompletionGuard<S> {
    /// Creates a guard on this store.
    pub const fn new(store: S) -> Self {
        Self { store }
    }

    /// Returns true if the store says that this charge's order is completed. A webhook about it then needs no read.
    ///
    /// # Errors
    /// The store's own.
    pub fn is_completed(&mut self, id: &ChargeId) -> Result<bool, S::Error> {
        self.store.contains(id)
    }

    /// Completes the order of this charge, unless the store says that it is completed.
    ///
    /// # Errors
    /// [`CompletionError`] says whether the order was completed.
    pub fn complete<E>(
        &mut self,
        charge: &PaidCharge,
        complete: impl FnOnce(&PaidCharge) -> Result<(), E>,
    ) -> Result<Completion, CompletionError<S::Error, E>> {
        let completion = self.begin(charge).map_err(CompletionError::Store)?;
        if completion == Completion::Now {
            complete(charge).map_err(CompletionError::Complete)?;
            self.finish(charge).map_err(CompletionError::NotStored)?;
        }
        Ok(completion)
    }

    /// Does the first half of [`complete`](Self::complete), for a shop that completes orders in async code.
    ///
    /// If it returns [`Completion::Now`], complete the order and then call [`finish`](Self::finish). Nothing else may
    /// use the guard in between.
    ///
    /// # Errors
    /// The store's own. Do not complete the order.
    pub fn begin(&mut self, charge: &PaidCharge) -> Result<Completion, S::Error> {
        Ok(if self.store.contains(charge.id())? { Completion::Before } else { Completion::Now })
    }

    /// Does the second half: stores that this charge's order is completed.
    ///
    /// # Errors
    /// The store's own. The order will be completed again.
    pub fn finish(&mut self, charge: &Charge) -> Result<(), S::Error> {
        self.store.insert(charge.id())
    }
}

/// When a charge's order was completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both")]
pub enum Completion {
    /// Now: the store did not have it.
    Now,
    /// Before: the store has it, and nothing was done.
    Before,
}

/// Why an order was not completed, or will be completed again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each step that can fail needs its own handling")]
pub enum CompletionError<S, E> {
    /// The store could not say whether the order is completed. Nothing was done; try again.
    Store(S),
    /// Completing the order failed, and nothing was stored. Try again.
    Complete(E),
    /// The order was completed, but the store failed: the order will be completed again.
    NotStored(S),
}

impl<S, E> fmt::Display for CompletionError<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store(_) => {
                "the store of completed charges cannot be read; the order was not completed, try again"
            }
            Self::Complete(_) => "completing the order failed; nothing was stored, try again",
            Self::NotStored(_) => {
                "the order was completed, but the store failed; the order will be completed again"
            }
        })
    }
}

impl<S: Error + 'static, E: Error + 'static> Error for CompletionError<S, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) | Self::NotStored(error) => Some(error),
            Self::Complete(error) => Some(error),
        }
    }
}
