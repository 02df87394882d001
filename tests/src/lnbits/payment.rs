//! The JSON of a payment, as it is in a create, a get and a page.

use std::time::UNIX_EPOCH;

use serde::Serialize;
use strike_core::UnixMillis;

use super::Record;
use super::status::{Entry, Kind, Status};

/// The preimage of every payment, so that tests can search for it. LNbits shows it before the
/// payment, too.
pub const PREIMAGE: &str = "5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a5eedca9a";

/// A row of the table of payments.
#[derive(Serialize)]
pub(super) struct Payment<'a> {
    checking_id: String,
    payment_hash: &'a str,
    wallet_id: &'static str,
    /// In millisatoshi. Negative if it is outgoing.
    amount: i64,
    /// In millisatoshi. Its sign depends on how LNbits learned of the payment.
    fee: i64,
    bolt11: &'a str,
    payment_request: &'a str,
    fiat_provider: (),
    status: &'static str,
    memo: &'a str,
    expiry: String,
    webhook: (),
    webhook_status: (),
    preimage: &'static str,
    tag: (),
    extension: (),
    time: String,
    created_at: String,
    updated_at: String,
    labels: [&'static str; 0],
    extra: Extra<'a>,
    external_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Extra<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
}

impl<'a> Payment<'a> {
    pub(super) fn new(record: &'a Record, entry: &'a Entry, fee_msat: u64) -> Self {
        let fee = i64::try_from(fee_msat).unwrap_or(i64::MAX);
        let fee = match entry.status {
            Status::Success if entry.by_event => fee,
            Status::Success => fee.saturating_neg(),
            _ => 0,
        };
        let is_own = matches!(entry.kind, Kind::Charge | Kind::SelfPaid);
        let created = text(record.created);
        Self {
            checking_id: record.hash.clone(),
            payment_hash: &record.hash,
            wallet_id: "6d8ee6fe31e1431db94ec0acadb26dea",
            amount: entry.amount(record, false),
            fee,
            bolt11: &record.payment_request,
            payment_request: &record.payment_request,
            fiat_provider: (),
            status: entry.status.name(),
            memo: &record.description,
            expiry: text(record.expires),
            webhook: (),
            webhook_status: (),
            preimage: PREIMAGE,
            tag: (),
            extension: (),
            time: created.clone(),
            created_at: created,
            updated_at: text(entry.settled.unwrap_or(record.created)),
            labels: [],
            extra: Extra { customer_id: record.customer_id.as_deref().filter(|_| is_own) },
            external_id: entry.external_id.as_deref(),
        }
    }

    /// Returns the row of the payer, if it is the same wallet.
    pub(super) fn outgoing(self) -> Self {
        Self {
            checking_id: format!("internal_{}", self.payment_hash),
            amount: self.amount.saturating_neg(),
            extra: Extra { customer_id: None },
            external_id: None,
            ..self
        }
    }

    /// Writes the expiry without its offset, as in the response to a create.
    pub(super) fn without_offset(mut self) -> Self {
        self.expiry.truncate(19);
        self
    }

    pub(super) fn json(&self) -> String {
        // Numbers and texts always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Formats a time as LNbits does: with microseconds, unless there are none.
fn text(time: UnixMillis) -> String {
    let (millis, time) = (time.as_millis() % 1000, time.to_system_time().unwrap_or(UNIX_EPOCH));
    let fraction = if millis == 0 { String::new() } else { format!(".{:06}", millis * 1000) };
    let seconds = humantime::format_rfc3339_seconds(time).to_string();
    format!("{}{fraction}+00:00", seconds.trim_end_matches('Z'))
}
