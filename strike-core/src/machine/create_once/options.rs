//! How a charge is created once, as the caller says it.

use crate::values::{OrderKey, UnixMillis};

/// How a charge is created once.
///
/// ```
/// use strike_core::{CreateOnceOptions, UnixMillis};
///
/// // Named after the order: looks whether it exists, creates it if not.
/// let once = CreateOnceOptions::named("order-17");
/// // The shop knows when the order was placed, so the client need not read the whole list.
/// let once = once.since(UnixMillis::from_secs(1_700_000_000));
/// # let _ = once;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct CreateOnceOptions {
    pub(super) key: OrderKey,
    /// Which of the order's invoices, counted from 1.
    pub(super) attempt: u8,
    pub(super) first: First,
    pub(super) since: Option<UnixMillis>,
    pub(super) repost: bool,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// A look, and then a create: the key may have been used before.
    Look,
    /// The create: the key was drawn just now, so there is nothing to find.
    Post,
    /// Two looks, and no create: one was sent before.
    Recover,
}

impl CreateOnceOptions {
    /// With the key of that name, such as the order's number. Looks first: the key may have been used before a restart.
    pub fn named(name: &str) -> Self {
        Self::with_key(OrderKey::named(name))
    }

    /// With a key that may have been used before. Looks first.
    pub const fn with_key(key: OrderKey) -> Self {
        Self { key, attempt: 1, first: First::Look, since: None, repost: false }
    }

    /// With a key that was drawn just now and that nobody else holds: creates at once.
    pub const fn fresh(key: OrderKey) -> Self {
        Self { first: First::Post, ..Self::with_key(key) }
    }

    /// With a key whose create was sent before, with unknown outcome: only looks, twice if need be.
    pub const fn recover(key: OrderKey) -> Self {
        Self { first: First::Recover, ..Self::with_key(key) }
    }

    /// Says when the key was first used, such as when the order was placed, by the caller's clock.
    ///
    /// A look then reads back to that moment, and at least two hours, instead of through the whole list. An account with
    /// 10,000 charges takes 41 requests without it, and usually one with it. A charge that is older is not found.
    pub const fn since(mut self, since: UnixMillis) -> Self {
        self.since = Some(since);
        self
    }

    /// Allows a second create when the first may have been lost and two looks found nothing. It is followed by a
    /// rest and one more look: should the first have landed late, the older of the two is returned, and nobody was shown the other.
    pub const fn repost(mut self, allow: bool) -> Self {
        self.repost = allow;
        self
    }

    /// The same, but the create comes first.
    pub(crate) const fn posting_first(mut self) -> Self {
        self.first = First::Post;
        self
    }

    /// Whether nothing is created but what was sent before.
    pub(crate) const fn only_looks(&self) -> bool {
        matches!(self.first, First::Recover) && !self.repost
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> OrderKey {
        self.key
    }
}

impl From<&str> for CreateOnceOptions {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<OrderKey> for CreateOnceOptions {
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
