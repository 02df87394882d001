//! What a client remembers of the orders that it handled lately, so that a repeat finds a charge instead of making another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::values::{ChargeId, Now, OrderKey, UnixMillis};

/// How many orders a client remembers.
const MOST_ORDERS: usize = 10_000;

/// How long a create with unknown outcome keeps the client from creating again under the same key.
///
/// It is longer than any request takes to arrive, and longer than lists were seen to lag behind.
const DOUBT_LASTS: Duration = Duration::from_secs(10 * 60);

/// What is known of one order.
///
/// [`CreateOnce`](crate::machine::CreateOnce) reads and writes it. Give two machines with the same key the same record, one after
/// the other, and the second finds what the first one created. A default record knows nothing.
#[derive(Debug, Default)]
pub struct OrderRecord(pub(crate) Option<Known>);

#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// A create was handed out, and its outcome is not known.
    Posted {
        attempt: u8,
        /// When, on the monotonic clock.
        at: Duration,
        /// When the newest charge of the list was made before that, if a look came first.
        newest_before: Option<UnixMillis>,
    },
    /// The order has this charge.
    Made { attempt: u8, id: ChargeId },
}

impl OrderRecord {
    /// What is known at that moment: a doubt passes with time.
    pub(crate) fn recall(&self, now: Now) -> Option<Known> {
        self.0.clone().filter(|known| match known {
            Known::Posted { at, .. } => now.monotonic.saturating_sub(*at) < DOUBT_LASTS,
            Known::Made { .. } => true,
        })
    }
}

/// One lock for each order that a client handles or has handled lately; `L` is the adapter's lock around a [`OrderRecord`].
///
/// Hold the lock of an order for as long as its [`CreateOnce`](crate::machine::CreateOnce) runs: then there is one create at a time per
/// key. The 10,000 orders that were used last are remembered; an order whose lock is held is never forgotten.
#[derive(Debug)]
pub struct OrderMemory<L> {
    /// The lock of each order, and when it was used last.
    orders: BTreeMap<OrderKey, (u64, Arc<L>)>,
    /// The same orders by their last use.
    by_use: BTreeMap<u64, OrderKey>,
    uses: u64,
}

impl<L> Default for OrderMemory<L> {
    fn default() -> Self {
        Self { orders: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }
}

impl<L: Default> OrderMemory<L> {
    /// Returns the lock of this order.
    pub fn lock_of(&mut self, key: OrderKey) -> Arc<L> {
        self.uses = self.uses.saturating_add(1);
        let (used, lock) = self.orders.entry(key).or_default();
        self.by_use.remove(used);
        *used = self.uses;
        let lock = lock.clone();
        self.by_use.insert(self.uses, key);
        self.forget();
        lock
    }

    /// Forgets the orders that were used longest ago and whose locks nobody holds, until there are not too many.
    fn forget(&mut self) {
        while self.orders.len() > MOST_ORDERS {
            let idle =
                |key: &OrderKey| self.orders.get(key).is_none_or(|(_, lock)| Arc::strong_count(lock) == 1);
            let oldest = self.by_use.iter().find(|(_, key)| idle(key)).map(|(used, key)| (*used, *key));
            let Some((used, key)) = oldest else { return };
            self.by_use.remove(&used);
            self.orders.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MOST_ORDERS, OrderMemory};
    use crate::values::OrderKey;

    #[test]
    fn the_order_used_longest_ago_is_forgotten_unless_its_lock_is_held() {
        let mut memory = OrderMemory::<()>::default();
        let locks: [Arc<()>; 3] = [1, 2, 3].map(|key| memory.lock_of(OrderKey::from_entropy(key)));
        let [held, second, third] = locks;
        drop((second, third));
        let second = Arc::downgrade(&memory.lock_of(OrderKey::from_entropy(2)));
        let third = Arc::downgrade(&memory.lock_of(OrderKey::from_entropy(3)));
        // The second is used again, so the third is the oldest that nobody holds.
        memory.lock_of(OrderKey::from_entropy(2));
        for key in 4..=MOST_ORDERS + 1 {
            memory.lock_of(OrderKey::from_entropy(u128::try_from(key).unwrap_or_default()));
        }
        assert_eq!(memory.orders.len(), MOST_ORDERS);
        assert_eq!(memory.by_use.len(), MOST_ORDERS);
        assert!(second.upgrade().is_some() && third.upgrade().is_none());
        assert!(Arc::ptr_eq(&held, &memory.lock_of(OrderKey::from_entropy(1))));
    }

    #[test]
    fn locks_that_were_held_beyond_the_limit_are_forgotten_once_they_are_free() {
        let mut memory = OrderMemory::<()>::default();
        let held: Vec<_> =
            (0..MOST_ORDERS + 100).map(|key| memory.lock_of(OrderKey::from_entropy(key as u128))).collect();
        assert_eq!(memory.orders.len(), MOST_ORDERS + 100);
        drop(held);
        memory.lock_of(OrderKey::from_entropy(0));
        assert_eq!((memory.orders.len(), memory.by_use.len()), (MOST_ORDERS, MOST_ORDERS));
    }
}
