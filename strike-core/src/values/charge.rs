//! The `Charge` type: one charge as a response described it.

use std::fmt;

use crate::values::{
    ChargeId, ChargeTexts, Currency, OrderKey, PaidCharge, PaymentHash, Satoshi, Settlement, UnixMillis,
};

/// A charge: an amount that somebody is asked to pay, with its payment request.
///
/// It is a snapshot. [`is_paid`](Self::is_paid) and [`updated`](Self::updated) may have changed on
/// the server since it was read.
///
/// It serializes as the API's JSON, so you can store it and read it again. A deserialized charge
/// does not prove that the server sent it; see [`to_paid`](Self::to_paid).
///
/// ```
/// use strike_core::{Charge, Satoshi};
///
/// let json = format!(
///     r#"{{"id":"ch_1","amount":4200,"currency":"btc","amount_satoshi":4200,"payment_hash":"{}",
///         "payment_request":"lnbc42u1...","description":"coffee","paid":false,"created":0,"updated":0}}"#,
///     "00".repeat(32),
/// );
/// let charge: Charge = serde_json::from_str(&json)?;
/// assert_eq!(charge.amount(), Satoshi::new(4200));
/// assert_eq!(charge.to_string(), "ch_1: 4200 satoshi, unpaid");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
    pub(crate) amount_satoshi: Satoshi,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) texts: ChargeTexts,
    pub(crate) paid: bool,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
    pub(crate) settlement: Option<Settlement>,
    pub(crate) origin: Origin,
}

/// The origin of a charge. All origins compare as equal, so the origin never makes two charges
/// differ.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// A response of the server, directly or through a [`Mirror`](crate::mirror::Mirror).
    Response,
    /// Deserialized by the caller.
    Unverified,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl Charge {
    /// Returns the id of the charge. The server chooses it.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.id
    }

    /// Returns the amount to pay, in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.amount_satoshi
    }

    /// Returns the currency. The API supports only bitcoin.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Returns the hash that identifies the payment.
    #[must_use]
    pub const fn payment_hash(&self) -> &PaymentHash {
        &self.payment_hash
    }

    /// Returns the BOLT11 payment request, which the payer's wallet needs to pay.
    ///
    /// It has no `lightning:` prefix and no surrounding white space, even if the response did.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        self.texts.payment_request()
    }

    /// Returns the description that the payer's wallet shows. It may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        self.texts.description()
    }

    /// Returns the `customer_id` that you set on the order, or `None` if you set none.
    ///
    /// `create_once` stores an [order key](OrderKey) in front of it. This method removes the key.
    /// [`raw_customer_id`](Self::raw_customer_id) keeps it.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        let raw = self.raw_customer_id()?;
        Some(OrderKey::from_customer_id(raw).map_or(raw, |(_, own)| own)).filter(|own| !own.is_empty())
    }

    /// Returns the `customer_id` as the server stores it, with the order key in front if there is
    /// one.
    #[must_use]
    pub fn raw_customer_id(&self) -> Option<&str> {
        self.texts.customer_id()
    }

    /// Returns true if the charge was paid when the server sent it. A paid charge stays paid.
    ///
    /// To complete an order, use [`to_paid`](Self::to_paid). It also checks that the charge comes
    /// from a response.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.paid
    }

    /// Returns the proof that this charge is paid, or `None`.
    ///
    /// It is `None` for an unpaid charge, and for a charge that your own code deserialized. Read a
    /// deserialized charge from the server with `client.get(charge.id())`.
    #[must_use]
    pub fn to_paid(&self) -> Option<PaidCharge> {
        PaidCharge::new(self.clone()).ok()
    }

    /// Returns when the charge was created, by the server's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }

    /// Returns the time of the last change, by the server's clock.
    ///
    /// It is the time of the payment, or the time of the creation if the charge is unpaid.
    #[must_use]
    pub const fn updated(&self) -> UnixMillis {
        self.updated
    }

    /// Returns what the backend says about the payment, or `None` if it says nothing.
    ///
    /// It is never needed to decide whether the charge is paid.
    #[must_use]
    pub const fn settlement(&self) -> Option<&Settlement> {
        self.settlement.as_ref()
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
