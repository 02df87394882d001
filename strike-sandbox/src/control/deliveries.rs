//! Webhooks as their sender sees them: what became of each, and once more.

use strike_core::http::StatusCode;

use super::{Asked, body};
use crate::answer::{self, Object, Refusal};
use crate::api;
use crate::service::Service;
use crate::webhooks::{SendAgainError, WebhookDelivery};

pub(super) fn list(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let (page, size) =
        api::page_and_size(asked.request.uri().query().unwrap_or_default(), api::LARGEST_PAGE)?;
    let deliveries = service.outbox().deliveries();
    let rows = answer::list(deliveries.skip(page.saturating_mul(size)).take(size).map(to_json));
    let total = u64::try_from(service.outbox().deliveries().count()).unwrap_or(u64::MAX);
    Ok(Object::default().json("deliveries", &rows).number("total", total).end())
}

pub(super) fn send(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    body::nothing(asked.request.body())?;
    let id = asked.name.parse().map_err(|_| Refusal::not_found())?;
    match service.send_again(id, asked.now) {
        Ok(delivery) => Ok(to_json(&delivery)),
        Err(SendAgainError::Unknown) => Err(Refusal::not_found()),
        Err(error) => Err(Refusal::new(StatusCode::CONFLICT, error.to_string())),
    }
}

fn to_json(delivery: &WebhookDelivery) -> String {
    let mut object = Object::default()
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
    object.number("due", delivery.due().as_millis()).number("created", delivery.created().as_millis()).end()
}
