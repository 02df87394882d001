//! `Event`: how an order ended, for your handler.

use strike_async::PaidCharge;

use crate::order::Order;

/// How an order ended. Your handler is told each event once.
///
/// An order can expire, and be paid after that: because the payment was late, or because you renewed it.
///
/// ```
/// use strike_orders::Event;
///
/// fn next_step(event: &Event) -> &'static str {
///     match event {
///         Event::Paid { .. } => "complete the order",
///         Event::PaidAgain { .. } => "pay this amount back: another invoice of the order was paid before",
///         Event::Expired { .. } => "tell the payer, or renew the order",
///         Event::Failed { .. } => "look into it: the host does not know the charge any more",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a shop must handle all four")]
pub enum Event {
    /// The order is paid. Complete it.
    Paid {
        /// The order, with the invoice that was paid.
        order: Order,
        /// The charge that was paid.
        charge: PaidCharge,
    },
    /// A further invoice of the order was paid, although the order was paid before. Pay it back.
    PaidAgain {
        /// The order, with the invoice that was paid.
        order: Order,
        /// The charge that was paid.
        charge: PaidCharge,
    },
    /// The invoice expired unpaid.
    Expired {
        /// The order, with the invoice that expired.
        order: Order,
    },
    /// The charge can no longer be watched.
    Failed {
        /// The order, with the invoice that failed.
        order: Order,
        /// What is wrong.
        reason: String,
    },
}

impl Event {
    /// Returns the order.
    #[must_use]
    pub const fn order(&self) -> &Order {
        match self {
            Self::Paid { order, .. }
            | Self::PaidAgain { order, .. }
            | Self::Expired { order }
            | Self::Failed { order, .. } => order,
        }
    }

    /// Returns the kind of event.
    #[must_use]
    pub const fn kind(&self) -> EndKind {
        match self {
            Self::Paid { .. } => EndKind::Paid,
            Self::PaidAgain { .. } => EndKind::PaidAgain,
            Self::Expired { .. } => EndKind::Expired,
            Self::Failed { .. } => EndKind::Failed,
        }
    }
}

/// The kind of an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a shop must handle all four")]
pub enum EndKind {
    /// [`Event::Paid`].
    Paid,
    /// [`Event::PaidAgain`].
    PaidAgain,
    /// [`Event::Expired`].
    Expired,
    /// [`Event::Failed`].
    Failed,
}

impl EndKind {
    /// Returns the kind as the table `strike_ends` holds it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::PaidAgain => "paid_again",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Paid, Self::PaidAgain, Self::Expired, Self::Failed]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}
