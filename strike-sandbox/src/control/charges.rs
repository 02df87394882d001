//! Controls for charges: list, create, show, pay and expire them.

use std::fmt::Display;

use strike_core::UnixMillis;
use strike_core::http::StatusCode;

use super::{ControlRequest, body};
use crate::api;
use crate::ledger::{Charge, ChargeState, ExpireError};
use crate::node::PayError;
use crate::quirks::Quirks;
use crate::response::{ErrorResponse, Object, list as list_of};
use crate::service::Service;

/// Adds the keys of the API's charge object without quirks, and the state, expiry and preimage.
fn write(object: Object, charge: &Charge, now: UnixMillis) -> Object {
    let state = charge.state(now);
    let object = charge
        .write_to(object, &Quirks::new())
        .plain("state", state.as_str())
        .number("expires", charge.expires.as_millis());
    match state {
        ChargeState::Paid => object.hex("preimage", &charge.preimage),
        ChargeState::Pending | ChargeState::Expired => object,
    }
}

fn to_json(charge: &Charge, now: UnixMillis) -> String {
    write(Object::default(), charge, now).end()
}

pub(super) fn list(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let query = request.http.uri().query().unwrap_or_default();
    let (page, size) = api::page_and_size(query, api::LARGEST_PAGE)?;
    let charges = list_of(service.page(page, size), |object, charge| write(object, charge, request.now));
    let total = u64::try_from(service.charges()).unwrap_or(u64::MAX);
    let object = Object::default().json("charges", &charges).number("total", total);
    Ok(object.number("now", request.now.as_millis()).end())
}

pub(super) fn create(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let order = api::read_new_charge(request.http, service.quirks())?;
    service.create(order, request.now, |charge| to_json(charge, request.now))
}

pub(super) fn get(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let charge = service.charge(request.id).ok_or_else(ErrorResponse::not_found)?;
    Ok(to_json(charge, request.now))
}

pub(super) fn pay(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    body::expect_empty(request.http.body())?;
    match service.pay(request.id, request.now) {
        Ok(paid) => Ok(Object::default()
            // The request may have the payment hash instead.
            .text("id", service.charge(request.id).map_or(request.id, |charge| charge.id.as_str()))
            .flag("paid", true)
            .text("preimage", &paid.preimage_hex())
            .end()),
        Err(PayError::UnknownCharge) => Err(ErrorResponse::not_found()),
        Err(error @ PayError::Storage) => Err(storage_failed(error)),
        Err(error) => Err(conflict(error)),
    }
}

pub(super) fn expire(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    body::expect_empty(request.http.body())?;
    match service.expire(request.id, request.now) {
        Ok(()) => get(service, request),
        Err(ExpireError::UnknownCharge) => Err(ErrorResponse::not_found()),
        Err(error @ ExpireError::Storage) => Err(storage_failed(error)),
        Err(error) => Err(conflict(error)),
    }
}

/// The change could not be stored and was not made.
fn storage_failed(error: impl Display) -> ErrorResponse {
    ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// The charge's state does not allow the change.
fn conflict(error: impl Display) -> ErrorResponse {
    ErrorResponse::new(StatusCode::CONFLICT, error.to_string())
}
