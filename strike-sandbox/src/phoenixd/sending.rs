//! The routes that send payments or need BOLT12 offers, LNURL or a blockchain. They check their
//! parameters as phoenixd does, and do nothing.

use data_encoding::HEXLOWER;
use serde::Serialize;
use strike_core::http::StatusCode;

use super::parameters::{Parameters, parse_hash};
use super::reply::{Failure, Reply};
use super::routes::Call;
use crate::service::Service;

const NO_CHANNEL: &str = "no channel available";

/// phoenixd responds 200 to a payment that failed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentFailed {
    payment_hash: String,
    reason: &'static str,
}

pub(super) fn pay_invoice(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    let amount = form.integer("amountSat")?;
    let invoice = form.required_invoice("invoice")?;
    if amount.is_none() && invoice.amount_milli_satoshis().is_none() {
        return Err(Failure::missing("amountSat"));
    }
    let payment_hash = HEXLOWER.encode(invoice.payment_hash().as_ref());
    Ok(Reply::json(&PaymentFailed { payment_hash, reason: "the sandbox sends no payments" }))
}

pub(super) fn pay_offer(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    form.integer("amountSat")?;
    Err(invalid_offer(&form))
}

pub(super) fn pay_address(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    form.required_integer("amountSat")?;
    if !form.text("address").is_some_and(|address| address.contains('@')) {
        return Err(Failure::invalid_type("address", "username@domain"));
    }
    let why = "cannot resolve address: the sandbox sends no payments";
    Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, why))
}

/// Responds to LNURL requests, which would need another server.
pub(super) fn lnurl(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    Parameters::of_form(call.http)?.required_text("lnurl")?;
    Err(Failure::bad_request("the sandbox does not support LNURL"))
}

/// phoenixd responds 200 with the text of the error, even if parameters are missing.
pub(super) fn send_to_address(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    let check = || {
        form.required_integer("amountSat")?;
        form.required_text("address")?;
        form.required_integer("feerateSatByte")
    };
    Ok(Reply::Text(check().map_or_else(Failure::into_text, |_| NO_CHANNEL.to_owned())))
}

pub(super) fn bump_fee(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    Parameters::of_form(call.http)?.required_integer("feerateSatByte")?;
    Ok(Reply::Text(NO_CHANNEL.to_owned()))
}

pub(super) fn close_channel(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let form = Parameters::of_form(call.http)?;
    form.required_hash("channelId")?;
    form.required_text("address")?;
    form.required_integer("feerateSatByte")?;
    Ok(Reply::Text(NO_CHANNEL.to_owned()))
}

pub(super) fn offers_unsupported(_: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::bad_request("the sandbox does not support BOLT12 offers; use createinvoice"))
}

pub(super) fn decode_offer(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    Err(invalid_offer(&Parameters::of_form(call.http)?))
}

fn invalid_offer(form: &Parameters) -> Failure {
    form.required_text("offer").map_or_else(|missing| missing, |_| Failure::invalid_type("offer", "offer"))
}

/// Responds as a node without a channel, which has no address yet.
#[expect(clippy::unnecessary_wraps, reason = "the type of a handler")]
pub(super) fn address(_: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Text("must have one channel".to_owned()))
}

pub(super) fn export(_: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::bad_request("the sandbox does not export payments; list them"))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a handler")]
pub(super) fn outgoing(_: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::json(&[(); 0]))
}

pub(super) fn outgoing_by_id(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let is_uuid = call.id.len() == 36
        && call.id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    Err(if is_uuid { Failure::no_such_payment() } else { Failure::invalid_type("uuid", "uuid") })
}

pub(super) fn outgoing_by_hash(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    parse_hash("paymentHash", call.id)?;
    Err(Failure::no_such_payment())
}
