//! The JSON of an incoming payment, and the amounts in it.

use data_encoding::HEXLOWER;
use serde::Serialize;
use strike_core::UnixMillis;

use crate::ledger::{Charge, ChargeState};

/// An incoming payment, paid or not. Fields that are `None` are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IncomingPayment<'a> {
    r#type: &'static str,
    sub_type: &'static str,
    payment_hash: String,
    /// phoenixd shows it even before the payment.
    preimage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    invoice: &'a str,
    is_paid: bool,
    is_expired: bool,
    requested_sat: u64,
    received_sat: i64,
    /// In millisatoshi, unlike the other amounts.
    fees: u64,
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<u64>,
    created_at: u64,
}

impl<'a> IncomingPayment<'a> {
    pub(super) fn new(charge: &'a Charge, now: UnixMillis) -> Self {
        let has_hash = charge.extras.as_ref().is_some_and(|extras| extras.description_hash.is_some());
        Self {
            r#type: "incoming_payment",
            sub_type: "lightning",
            payment_hash: HEXLOWER.encode(charge.payment_hash.as_bytes()),
            preimage: charge.preimage_hex(),
            external_id: charge.customer_id.as_deref(),
            description: (!has_hash).then_some(&charge.description),
            invoice: &charge.payment_request,
            is_paid: charge.state(now) == ChargeState::Paid,
            // Only the clock decides, so a paid invoice expires too.
            is_expired: now >= charge.expires,
            requested_sat: charge.amount.get(),
            received_sat: received_satoshi(charge),
            fees: charge.fee,
            expires_at: charge.expires.as_millis(),
            completed_at: charge.paid.then_some(charge.updated.as_millis()),
            created_at: charge.created.as_millis(),
        }
    }
}

/// Returns what the node received in millisatoshi, which is negative if the fee exceeds the amount.
pub(super) fn received_millisatoshi(charge: &Charge) -> i64 {
    let signed = |millisatoshi| i64::try_from(millisatoshi).unwrap_or(i64::MAX);
    let amount = if charge.paid { charge.amount.millisatoshi().unwrap_or(u64::MAX) } else { 0 };
    signed(amount).saturating_sub(signed(charge.fee))
}

/// Rounds towards zero, as phoenixd does.
pub(super) fn received_satoshi(charge: &Charge) -> i64 {
    received_millisatoshi(charge) / 1000
}
