//! Controls for webhook deliveries: list them with their state, and send one again.

use strike_core::http::StatusCode;

use super::{ControlRequest, body};
use crate::api;
use crate::response::{self, ErrorResponse, Object};
use crate::service::Service;
use crate::webhooks::{SendAgainError, WebhookDelivery};

pub(super) fn list(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let (page, size) = api::page_and_size(request.http.uri().query().unwrap_or_default(), api::LARGEST_PAGE)?;
    let deliveries = service.outbox().deliveries();
    let rows = response::list(deliveries.skip(page.saturating_mul(size)).take(size), write);
    let total = u64::try_from(service.outbox().deliveries().count()).unwrap_or(u64::MAX);
    Ok(Object::default().json("deliveries", &rows).number("total", total).end())
}

pub(super) fn send(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    body::expect_empty(request.http.body())?;
    let id = request.id.parse().map_err(|_| ErrorResponse::not_found())?;
    match service.send_again(id, request.now) {
        Ok(delivery) => Ok(write(Object::default(), &delivery).end()),
        Err(SendAgainError::Unknown) => Err(ErrorResponse::not_found()),
        Err(error) => Err(ErrorResponse::new(StatusCode::CONFLICT, error.to_string())),
    }
}

fn write(object: Object, delivery: &WebhookDelivery) -> Object {
    let mut object = object
        .number("id", delivery.id())
        .text("charge", delivery.charge())
        .text("url", delivery.url())
        .text("state", delivery.state().as_str())
        .number("attempts", delivery.attempts().into());
    if let Some(status) = delivery.status() {
        object = object.number("status", status.into());
    }
    if let Some(error) = delivery.error() {
        object = object.text("error", error);
    }
    object.number("due", delivery.due().as_millis()).number("created", delivery.created().as_millis())
}
