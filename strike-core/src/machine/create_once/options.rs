//! The order key of a create-once, and what the machine may do with it.

use crate::values::{OrderKey, UnixMillis};

/// The order key of a create-once, and whether that key may have been used before.
///
/// | constructor | the key | what happens |
/// | --- | --- | --- |
/// | [`named`](Self::named), [`with_key`](Self::with_key) | may have been used before | search the list, then create if nothing was found |
/// | [`fresh`](Self::fresh) | is new | create without a search |
/// | [`recover`](Self::recover) | belongs to a create with unknown outcome | search the list, do not create |
///
/// ```
/// use strike_core::{CreateOnceOptions, UnixMillis};
///
/// // The time of the order limits the search to the charges since then.
/// let options = CreateOnceOptions::named("order-17").since(UnixMillis::from_secs(1_700_000_000));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct CreateOnceOptions {
    pub(super) key: OrderKey,
    /// Which of the order's invoices, counted from 1. A further one is created after the previous
    /// one has expired.
    pub(super) attempt: u8,
    pub(super) first_step: FirstStep,
    pub(super) since: Option<UnixMillis>,
    pub(super) repost: bool,
}

/// The first request of a create-once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstStep {
    /// Search the list, then create: the key may have been used before.
    Search,
    /// Create: the key is new.
    Create,
    /// Search the list, up to twice, and do not create: a create was sent before.
    SearchOnly,
}

impl CreateOnceOptions {
    /// Uses the key with this name, such as the number of the order.
    ///
    /// The machine searches the list first, because the name may have been used before, for example
    /// before a restart.
    pub fn named(name: &str) -> Self {
        Self::with_key(OrderKey::named(name))
    }

    /// Uses a key that may have been used before. The machine searches the list first.
    pub const fn with_key(key: OrderKey) -> Self {
        Self { key, attempt: 1, first_step: FirstStep::Search, since: None, repost: false }
    }

    /// Uses a new random key that nothing else uses. The machine creates the charge without a
    /// search.
    pub const fn fresh(key: OrderKey) -> Self {
        Self { first_step: FirstStep::Create, ..Self::with_key(key) }
    }

    /// Finds the charge of a create with unknown outcome.
    ///
    /// The machine searches the list, and once more after 2 s if it finds nothing. It creates
    /// nothing, unless [`repost`](Self::repost) allows it.
    pub const fn recover(key: OrderKey) -> Self {
        Self { first_step: FirstStep::SearchOnly, ..Self::with_key(key) }
    }

    /// Limits the search to charges since the key was first used, such as the time of the order, by
    /// your clock.
    ///
    /// The search goes back to that time, and at least two hours, in case the clocks differ. An
    /// older charge is not found.
    ///
    /// Without this, the first search of a client reads the whole list: 13 requests for an account
    /// with 10,000 charges, if the server returns 1,000 rows for each page. With it, one request is
    /// usually enough. Later searches read only what is newer, see
    /// [`CreateOnce`](crate::machine::CreateOnce). phoenixd and LNbits find charges by `customer_id`,
    /// so there it makes no difference.
    pub const fn since(mut self, since: UnixMillis) -> Self {
        self.since = Some(since);
        self
    }

    /// Allows a second create if the first has an unknown outcome and two searches found nothing.
    /// The default is `false`.
    ///
    /// The machine then waits 2 s and searches again. If both charges exist, it returns the older
    /// one. The payment request of the other is not returned, so no payer sees it.
    pub const fn repost(mut self, allow: bool) -> Self {
        self.repost = allow;
        self
    }

    /// Creates the charge without a search.
    pub(crate) const fn create_first(mut self) -> Self {
        self.first_step = FirstStep::Create;
        self
    }

    /// Returns true if the machine does not send a create.
    pub(crate) const fn only_searches(&self) -> bool {
        matches!(self.first_step, FirstStep::SearchOnly) && !self.repost
    }

    /// Returns the order key.
    #[must_use]
    pub const fn key(&self) -> OrderKey {
        self.key
    }
}

impl From<&str> for CreateOnceOptions {
    /// Does the same as [`CreateOnceOptions::named`].
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<OrderKey> for CreateOnceOptions {
    /// Does the same as [`CreateOnceOptions::with_key`].
    fn from(key: OrderKey) -> Self {
        Self::with_key(key)
    }
}

impl From<String> for CreateOnceOptions {
    fn from(name: String) -> Self {
        Self::named(&name)
    }
}

impl From<&String> for CreateOnceOptions {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}
