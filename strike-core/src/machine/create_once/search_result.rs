//! What a search for an order key found, and how rows of a list lead to it.

use crate::protocol::{Row, UnreadableRow};
use crate::values::{Charge, OrderKey, UnixMillis};

/// What a search found.
#[derive(Debug)]
pub(crate) struct SearchResult {
    /// The charge with the key, and its attempt: the oldest paid charge, else the oldest charge of
    /// the last attempt.
    pub(crate) charge: Option<(u8, Charge)>,
    /// The last attempt that has a charge, counted from 1. Zero if there is none.
    pub(crate) last_attempt: u8,
    /// The creation time of the newest charge in the list. Zero if the list is empty.
    pub(crate) newest: UnixMillis,
    /// The server's time when it sent the last page, if known.
    pub(crate) server_time: Option<UnixMillis>,
    /// Why the search may have missed a charge with the key.
    pub(crate) gap: Option<Gap>,
    /// Whether the gap is an unreadable charge of this order. It may be paid, or older than the charge
    /// that was found.
    pub(crate) is_gap_of_order: bool,
}

/// Why a search may have missed a charge with the key.
#[derive(Debug)]
pub(crate) enum Gap {
    /// A row that may have the key is unreadable.
    UnreadableRow(UnreadableRow),
    /// The list grows faster than it is read.
    ListGrowsTooFast,
    /// The list has more than [`MAX_PAGES`](super::key_search::MAX_PAGES) pages.
    ListTooLong,
}

impl SearchResult {
    pub(super) const fn nothing() -> Self {
        Self {
            charge: None,
            last_attempt: 0,
            newest: UnixMillis::from_millis(0),
            server_time: None,
            gap: None,
            is_gap_of_order: false,
        }
    }

    /// Takes a row, newest first, and returns the order key in it. Unpaid charges of attempts before
    /// `attempt` are ignored. `is_find` says that only rows of this order were requested.
    pub(super) fn take(
        &mut self,
        row: Row,
        (key, attempt): (OrderKey, u8),
        is_find: bool,
    ) -> Option<OrderKey> {
        match row {
            Row::Charge(charge) => {
                self.newest = self.newest.max(charge.created());
                let (key_of_row, attempt_of_row, _) =
                    charge.raw_customer_id().and_then(OrderKey::read_attempt)?;
                if key_of_row == key {
                    self.keep_better(attempt_of_row, charge, attempt);
                }
                Some(key_of_row)
            }
            Row::Unreadable(row) => {
                let customer_id = row.customer_id.as_deref();
                let key_of_row = customer_id.map(|id| OrderKey::from_customer_id(id).map(|(key, _)| key));
                // An unreadable row without a `customer_id`, or with this key, may be the charge. A
                // find returns only charges of this order.
                let is_of_order = key_of_row.map_or(is_find, |key_of_row| key_of_row == Some(key));
                if is_of_order && !self.is_gap_of_order {
                    self.is_gap_of_order = true;
                    self.gap = Some(Gap::UnreadableRow(row));
                } else if key_of_row.is_none() {
                    self.gap.get_or_insert(Gap::UnreadableRow(row));
                }
                key_of_row.flatten()
            }
        }
    }

    /// Keeps this charge if it is better than the one found so far. Rows come newest first, so of
    /// two equal charges the later row is the older charge, and it is kept.
    fn keep_better(&mut self, attempt: u8, charge: Charge, first_attempt: u8) {
        self.last_attempt = self.last_attempt.max(attempt);
        let is_better = match &self.charge {
            _ if charge.is_paid() => true,
            Some((best, known)) => !known.is_paid() && attempt >= *best,
            None => attempt >= first_attempt,
        };
        if is_better {
            self.charge = Some((attempt, charge));
        }
    }
}
