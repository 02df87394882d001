//! What the server owns: a charge and the types of its fields.

use std::fmt;

use crate::values::{ChargeId, Currency, OrderKey, PaymentHash, Satoshi, UnixMillis};

/// A request for an amount, as the server last described it.
///
/// It is a reading, not a promise: `paid` and `updated` can have changed since.
///
/// It serialises in the form of the wire, so a shop can keep it, and read it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
    pub(crate) amount_satoshi: Satoshi,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) payment_request: String,
    pub(crate) description: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) paid: bool,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
}

impl Charge {
    /// The name under which the server knows the charge.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.id
    }

    /// The amount in the smallest unit of [`currency`](Self::currency), which is satoshi.
    ///
    /// It equals [`amount_satoshi`](Self::amount_satoshi) unless the host is broken. Creating and [checking](Self::check)
    /// refuse a charge whose two amounts differ. A get and a list report it as it is.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// The currency, which is bitcoin.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount to be paid, in satoshi.
    #[must_use]
    pub const fn amount_satoshi(&self) -> Satoshi {
        self.amount_satoshi
    }

    /// The hash that names the payment.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// The BOLT11 invoice, which the payer's wallet needs. A `lightning:` and white space that the host wrote around it are
    /// removed.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.payment_request
    }

    /// What is paid for, as the payer's wallet shows it; it may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The caller's own reference; `None` if none was given.
    #[must_use]
    pub fn raw_customer_id(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    /// The caller's own reference without the [order key](crate::OrderKey) that may travel with it; `None` if there is none.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        let whole = self.raw_customer_id()?;
        Some(OrderKey::from_customer_id(whole).map_or(whole, |(_, own)| own)).filter(|own| !own.is_empty())
    }

    /// Whether the server had been paid when it gave this answer. Once true, it stays true.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.paid
    }

    /// When the charge was made, by the server's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }

    /// When the charge last changed: the time of payment for a paid one, else of creation.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.updated
    }
}

impl fmt::Display for Charge {
    /// One line for people: id, amount, and whether it is paid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.paid { "paid" } else { "unpaid" };
        write!(f, "{}: {}, {state}", self.id, self.amount_satoshi)
    }
}
