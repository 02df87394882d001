//! `POST /createinvoice`.

use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::Serialize;
use strike_core::Satoshi;
use strike_core::http::StatusCode;

use super::parameters::Parameters;
use super::reply::{Failure, Reply};
use super::routes::Call;
use crate::ledger::Extras;
use crate::node::InvoiceFormat;
use crate::order::Order;
use crate::service::Service;
use crate::webhooks::Webhook;

/// In UTF-16 code units.
const MAX_DESCRIPTION: usize = 128;
/// The expiry if the request has none: 24 hours.
const DEFAULT_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);
/// All bitcoins, in satoshi.
const MAX_AMOUNT: i64 = 21_000_000 * 100_000_000;
/// A century, in seconds.
const MAX_EXPIRY: i64 = 100 * 365 * 24 * 60 * 60;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeneratedInvoice<'a> {
    amount_sat: u64,
    payment_hash: String,
    serialized: &'a str,
}

/// Creates an invoice. The checks have phoenixd's order.
pub(super) fn create(service: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    let amount = form.integer("amountSat")?;
    let (description, description_hash) = description(&form)?;
    let expiry = form.integer("expirySeconds")?.map_or(Ok(DEFAULT_EXPIRY), expiry)?;
    let amount = valid_amount(amount)?;
    let webhook_url = webhook_url(&form);
    let order = Order {
        format: InvoiceFormat::Phoenixd,
        amount,
        description: description.unwrap_or_default().to_owned(),
        // phoenixd stores it after the invoice, together with the URL.
        customer_id: webhook_url.as_ref().ok().and_then(|_| form.text("externalId")).map(str::to_owned),
        expiry: Some(expiry),
        extras: Extras {
            description_hash,
            webhook_url: webhook_url.as_ref().ok().copied().flatten().map(Into::into),
        },
    };
    let invoice = service.create(order, call.now, |charge| {
        Reply::json(&GeneratedInvoice {
            amount_sat: charge.amount.get(),
            payment_hash: HEXLOWER.encode(charge.payment_hash.as_bytes()),
            serialized: &charge.payment_request,
        })
    })?;
    // phoenixd finds a wrong URL only now, when the invoice exists.
    webhook_url?;
    Ok(invoice)
}

/// Returns the description or its hash. There must be exactly one of them.
fn description(form: &Parameters) -> Result<(Option<&str>, Option<[u8; 32]>), Failure> {
    let description = form.text("description");
    if description.is_some_and(|text| text.encode_utf16().count() > MAX_DESCRIPTION) {
        return Err(Failure::bad_request(format!(
            "Request parameter description is too long (max {MAX_DESCRIPTION} characters)"
        )));
    }
    let hash = form.hash("descriptionHash")?;
    if description.is_some() == hash.is_some() {
        return Err(Failure::bad_request("Must provide either a description or descriptionHash"));
    }
    Ok((description, hash))
}

/// Returns the amount in satoshi. phoenixd reports an amount that is not valid as its own error.
fn valid_amount(amount: Option<i64>) -> Result<Satoshi, Failure> {
    let no_amount =
        || Failure::bad_request("the sandbox creates no invoices without an amount: amountSat is missing");
    let amount = amount.ok_or_else(no_amount)?;
    let valid = u64::try_from(amount).ok().filter(|_| (1..=MAX_AMOUNT).contains(&amount));
    valid
        .map(Satoshi::new)
        .ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "amount is not valid"))
}

fn expiry(seconds: i64) -> Result<Duration, Failure> {
    let valid = u64::try_from(seconds).ok().filter(|_| seconds <= MAX_EXPIRY);
    valid
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "expiry is not valid"))
}

/// Returns the receiver of the invoice's own webhook. An empty URL is none.
fn webhook_url(form: &Parameters) -> Result<Option<&str>, Failure> {
    match form.text("webhookUrl").filter(|url| !url.is_empty()) {
        Some(url) if Webhook::to(url).is_err() => Err(Failure::invalid_type("webhookUrl", "url")),
        url => Ok(url),
    }
}
