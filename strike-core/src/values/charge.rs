//! A charge, as the server last described it.

use std::fmt;

use crate::values::{ChargeId, Currency, OrderKey, PaidCharge, PaymentHash, Satoshi, UnixMillis};

/// A charge, as the server last described it.
///
/// A charge is a snapshot: `paid` and `updated` may have changed on the server since it was read.
///
/// It serialises in the JSON of the API, so you can store it and read it again. Reading one from JSON does not prove
/// that the server sent it: see [`to_paid`](Self::to_paid).
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
    pub(crate) origin: Origin,
}

/// Where a charge comes from. It does not take part in comparisons.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// A response of the server, or a [`Mirror`](crate::mirror::Mirror) that held one.
    Response,
    /// Deserialised by the caller.
    Unverified,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl Charge {
    /// Returns the id that the server gave the charge.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.id
    }

    /// Returns the amount to pay, in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.amount_satoshi
    }

    /// Returns the currency. The API knows only bitcoin.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Returns the hash that identifies the payment.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// Returns the BOLT11 payment request, which the payer's wallet needs.
    ///
    /// A `lightning:` prefix and white space around it are removed.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.payment_request
    }

    /// Returns the description that the payer's wallet shows. It may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the `customer_id` that you gave the order, or `None` if you gave none.
    ///
    /// `create_once` stores an [order key](OrderKey) in front of it. This method removes the key;
    /// [`raw_customer_id`](Self::raw_customer_id) does not.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        let raw = self.raw_customer_id()?;
        Some(OrderKey::from_customer_id(raw).map_or(raw, |(_, own)| own)).filter(|own| !own.is_empty())
    }

    /// Returns the `customer_id` as the server stores it, with the order key in front if there is one.
    #[must_use]
    pub fn raw_customer_id(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    /// Returns true if the charge was paid when the server described it. A paid charge stays paid.
    ///
    /// To complete an order, use [`to_paid`](Self::to_paid): it also checks that the server said so.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.paid
    }

    /// Returns the proof that this charge is paid, or `None`.
    ///
    /// It is `None` for an unpaid charge, and for a charge that your own code deserialised. Read such a charge again
    /// with `client.get(charge.id())`.
    #[must_use]
    pub fn to_paid(&self) -> Option<PaidCharge> {
        PaidCharge::new(self.clone()).ok()
    }

    /// Returns when the charge was created, by the server's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }

    /// Returns when the charge last changed: its payment, or else its creation.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.updated
    }

    pub(crate) fn is_from_response(&self) -> bool {
        matches!(self.origin, Origin::Response)
    }

    pub(crate) const fn mark_as_response(mut self) -> Self {
        self.origin = Origin::Response;
        self
    }
}

impl fmt::Display for Charge {
    /// Writes one line: id, amount, and whether it is paid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.paid { "paid" } else { "unpaid" };
        write!(f, "{}: {}, {state}", self.id, self.amount_satoshi)
    }
}
