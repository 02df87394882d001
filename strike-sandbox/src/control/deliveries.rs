//! Webhooks as their sender sees them: what became of each, and once more.

use strike_core::UnixMillis;
use strike_core::http::StatusCode;

use crate::answer::{self, Object, Refusal};
use crate::service::Service;
use crate::webhooks::{Delivery, SendAgainError};

pub(super) fn list(service: &Service) -> String {
    let rows = answer::list(service.outbox().deliveries().map(to_json));
    format!("{{\n  \"deliveries\" : {rows}\n}}")
}

pub(super) fn send(service: &mut Service, number: &str, now: UnixMillis) -> Result<String, Refusal> {
    let id = number.parse().map_err(|_| Refusal::not_found())?;
    match service.send_again(id, now) {
        Ok(delivery) => Ok(to_json(&delivery)),
        Err(SendAgainError::Unknown) => Err(Refusal::not_found()),
        Err(error) => Err(Refusal::new(StatusCode::CONFLICT, error.to_string())),
    }
}

fn to_json(delivery: &Delivery) -> String {
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
