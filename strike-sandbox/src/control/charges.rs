//! Charges as their owner sees them: when they expire, and paid by hand.

use std::fmt::Display;

use strike_core::UnixMillis;
use strike_core::http::StatusCode;

use super::{Asked, body};
use crate::answer::{Object, Refusal, list as list_of};
use crate::api;
use crate::ledger::{Charge, ChargeState, ExpireError};
use crate::node::PayError;
use crate::quirks::Quirks;
use crate::service::Service;

/// The charge of the wire, without quirks, and what the wire does not tell.
fn view(charge: &Charge, now: UnixMillis) -> String {
    let state = charge.state(now);
    let object = charge
        .to_object(&Quirks::new())
        .text("state", state.as_str())
        .number("expires", charge.expires.as_millis());
    match state {
        ChargeState::Paid => object.text("preimage", &charge.preimage_hex()),
        ChargeState::Pending | ChargeState::Expired => object,
    }
    .end()
}

pub(super) fn list(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let query = asked.request.uri().query().unwrap_or_default();
    let (page, size) = api::page_and_size(query, api::LARGEST_PAGE)?;
    let charges = list_of(service.page(page, size).map(|charge| view(charge, asked.now)));
    let total = u64::try_from(service.charges()).unwrap_or(u64::MAX);
    let object = Object::default().json("charges", &charges).number("total", total);
    Ok(object.number("now", asked.now.as_millis()).end())
}

pub(super) fn create(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let wanted = api::wanted(asked.request, service.quirks())?;
    let charge = service.create(wanted, asked.now)?;
    Ok(view(&charge, asked.now))
}

pub(super) fn get(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let charge = service.charge(asked.name).ok_or_else(Refusal::not_found)?;
    Ok(view(charge, asked.now))
}

pub(super) fn pay(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    body::nothing(asked.request.body())?;
    match service.pay(asked.name, asked.now) {
        Ok(paid) => Ok(Object::default()
            .text("id", asked.name)
            .flag("paid", true)
            .text("preimage", &paid.preimage_hex())
            .end()),
        Err(PayError::UnknownCharge) => Err(Refusal::not_found()),
        Err(error @ PayError::Storage) => Err(not_kept(error)),
        Err(error) => Err(conflict(error)),
    }
}

pub(super) fn expire(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    body::nothing(asked.request.body())?;
    match service.expire(asked.name, asked.now) {
        Ok(()) => get(service, asked),
        Err(ExpireError::UnknownCharge) => Err(Refusal::not_found()),
        Err(error @ ExpireError::Storage) => Err(not_kept(error)),
        Err(error) => Err(conflict(error)),
    }
}

/// It could not be written down, and so was not done.
fn not_kept(error: impl Display) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// The charge is not in a state for that.
fn conflict(error: impl Display) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, error.to_string())
}
