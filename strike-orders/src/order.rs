//! `Order`: an order as the database holds it.

use strike_async::{Charge, NewCharge, Satoshi, UnixMillis};

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a shop must handle all four")]
pub enum OrderState {
    /// Its invoice can be paid.
    Pending,
    /// It is paid, and your handler has handled that.
    Paid,
    /// Its invoice expired unpaid. [`Desk::renew`](crate::Desk::renew) creates the next one.
    Expired,
    /// Its charge can no longer be watched; the host does not know it, for example.
    /// [`Desk::renew`](crate::Desk::renew) creates the next one.
    Failed,
}

impl OrderState {
    /// Returns the state as the table `strike_orders` holds it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        // While the first invoice is created, an order has no state for the shop.
        [Self::Pending, Self::Paid, Self::Expired, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// An order, with the invoice that is shown.
///
/// It is a snapshot: read the order again with [`Desk::order`](crate::Desk::order), or follow it with
/// [`Desk::follow`](crate::Desk::follow).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) state: OrderState,
    pub(crate) ordered: NewCharge,
    pub(crate) attempt: u32,
    pub(crate) charge: Charge,
    pub(crate) expires_at: UnixMillis,
    pub(crate) placed_at: UnixMillis,
    pub(crate) ended_at: Option<UnixMillis>,
}

impl Order {
    /// Returns the name that you gave the order.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> OrderState {
        self.state
    }

    /// Returns what was ordered. A renewal may have changed it.
    #[must_use]
    pub const fn new_charge(&self) -> &NewCharge {
        &self.ordered
    }

    /// Returns the amount of the invoice, in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.charge.amount()
    }

    /// Returns the charge as it was last read.
    ///
    /// To complete an order, wait for [`Event::Paid`](crate::Event::Paid): this charge may be older.
    #[must_use]
    pub const fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Returns the payment request to show to the payer, if the order is
    /// [`Pending`](OrderState::Pending).
    #[must_use]
    pub fn payment_request(&self) -> &str {
        self.charge.payment_request()
    }

    /// Returns which of the order's invoices this is, counted from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns when the invoice expires, by the host's clock.
    #[must_use]
    pub const fn expires_at(&self) -> UnixMillis {
        self.expires_at
    }

    /// Returns when the order was placed, by the database's clock.
    #[must_use]
    pub const fn placed_at(&self) -> UnixMillis {
        self.placed_at
    }

    /// Returns when the order ended, by the database's clock, or `None` while it is pending.
    #[must_use]
    pub const fn ended_at(&self) -> Option<UnixMillis> {
        self.ended_at
    }
}
