//! The recent orders of a client, so that a repeated call returns the existing charge instead of
//! creating another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::values::{ChargeId, Now, OrderKey, UnixMillis};

/// The number of orders that a client remembers.
const MAX_ORDERS: usize = 10_000;

/// How long a create with unknown outcome blocks another create with the same key.
///
/// A delayed request arrives much sooner than this, and a list shows a new charge much sooner.
const UNKNOWN_OUTCOME_BLOCKS_FOR: Duration = Duration::from_secs(10 * 60);

/// The charge of one order, or its create with unknown outcome.
///
/// [`CreateOnce`](crate::machine::CreateOnce) reads and updates it. Pass the same record to each
/// `CreateOnce` with the same order key, one after the other: a later one then returns the charge
/// that an earlier one created. A default record is empty.
///
/// ```
/// use strike_core::machine::OrderRecord;
/// use strike_core::{ApiKey, CoreClient, Endpoint, Network, NewCharge, RetryPolicy};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = CoreClient::new(endpoint, RetryPolicy::default(), 7);
/// let order = NewCharge::satoshis(4200, "tea");
/// let mut record = OrderRecord::default();
/// let first = client.create_once_with(order.clone(), "order-17", &mut record);
/// // ... drive `first` to its end ...
/// # drop(first);
/// let second = client.create_once_with(order, "order-17", &mut record);
/// # drop(second);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct OrderRecord(pub(crate) Option<Known>);

#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// A create may have been sent, and its outcome is unknown.
    CreateSent {
        attempt: u8,
        /// On the monotonic clock.
        sent_at: Duration,
        /// The creation time of the newest charge in the list before the create, if the list was
        /// read.
        newest_before: Option<UnixMillis>,
    },
    /// The order has this charge, as is known since this reading of the clocks.
    Created { attempt: u8, id: ChargeId, since: Now },
}

impl OrderRecord {
    /// Returns the content. A create with unknown outcome is ignored after
    /// [`UNKNOWN_OUTCOME_BLOCKS_FOR`].
    pub(crate) fn recall(&self, now: Now) -> Option<Known> {
        self.0.clone().filter(|known| match known {
            Known::CreateSent { sent_at, .. } => {
                now.monotonic.saturating_sub(*sent_at) < UNKNOWN_OUTCOME_BLOCKS_FOR
            }
            Known::Created { .. } => true,
        })
    }
}

/// A lock for each recent order of a client. `L` is the adapter's lock around an [`OrderRecord`].
///
/// Hold the lock of an order while its [`CreateOnce`](crate::machine::CreateOnce) runs. Then at
/// most one create per order key is in progress. The memory keeps the 10,000 most recently used
/// orders, and every order whose lock is held.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use strike_core::OrderKey;
/// use strike_core::machine::{OrderMemory, OrderRecord};
///
/// let mut memory = OrderMemory::<Mutex<OrderRecord>>::default();
/// let lock = memory.lock_of(OrderKey::named("order-17"));
/// assert!(Arc::ptr_eq(&lock, &memory.lock_of(OrderKey::named("order-17"))));
/// ```
#[derive(Debug)]
pub struct OrderMemory<L> {
    /// For each order, the number of its last use and its lock.
    orders: BTreeMap<OrderKey, (u64, Arc<L>)>,
    /// The same orders, by the number of their last use.
    by_use: BTreeMap<u64, OrderKey>,
    uses: u64,
}

impl<L> Default for OrderMemory<L> {
    fn default() -> Self {
        Self { orders: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }
}

impl<L: Default> OrderMemory<L> {
    /// Returns the lock of this order, and marks it as used.
    pub fn lock_of(&mut self, key: OrderKey) -> Arc<L> {
        self.uses = self.uses.saturating_add(1);
        let (used, lock) = self.orders.entry(key).or_default();
        self.by_use.remove(used);
        *used = self.uses;
        let lock = lock.clone();
        self.by_use.insert(self.uses, key);
        self.drop_oldest();
        lock
    }

    /// Removes the least recently used orders whose locks are not held, until at most
    /// [`MAX_ORDERS`] are left.
    fn drop_oldest(&mut self) {
        while self.orders.len() > MAX_ORDERS {
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

    use super::{MAX_ORDERS, OrderMemory};
    use crate::values::OrderKey;

    #[test]
    fn the_least_recently_used_order_is_dropped_unless_its_lock_is_held() {
        let mut memory = OrderMemory::<()>::default();
        let locks: [Arc<()>; 3] = [1, 2, 3].map(|key| memory.lock_of(OrderKey::from_entropy(key)));
        let [held, second, third] = locks;
        drop((second, third));
        let second = Arc::downgrade(&memory.lock_of(OrderKey::from_entropy(2)));
        let third = Arc::downgrade(&memory.lock_of(OrderKey::from_entropy(3)));
        // The second is used again, so the third is the least recently used order whose lock is not
        // held.
        memory.lock_of(OrderKey::from_entropy(2));
        for key in 4..=MAX_ORDERS + 1 {
            memory.lock_of(OrderKey::from_entropy(u128::try_from(key).unwrap_or_default()));
        }
        assert_eq!(memory.orders.len(), MAX_ORDERS);
        assert_eq!(memory.by_use.len(), MAX_ORDERS);
        assert!(second.upgrade().is_some() && third.upgrade().is_none());
        assert!(Arc::ptr_eq(&held, &memory.lock_of(OrderKey::from_entropy(1))));
    }

    #[test]
    fn orders_beyond_the_limit_are_dropped_once_their_locks_are_released() {
        let mut memory = OrderMemory::<()>::default();
        let held: Vec<_> =
            (0..MAX_ORDERS + 100).map(|key| memory.lock_of(OrderKey::from_entropy(key as u128))).collect();
        assert_eq!(memory.orders.len(), MAX_ORDERS + 100);
        drop(held);
        memory.lock_of(OrderKey::from_entropy(0));
        assert_eq!((memory.orders.len(), memory.by_use.len()), (MAX_ORDERS, MAX_ORDERS));
    }
}
