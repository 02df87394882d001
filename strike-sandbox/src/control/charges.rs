//! Charges as their owner sees them: paid by hand.

use strike_core::UnixMillis;
use strike_core::http::StatusCode;

use crate::answer::{Object, Refusal};
use crate::node::PayError;
use crate::service::Service;

pub(super) fn pay(service: &mut Service, id: &str, now: UnixMillis) -> Result<String, Refusal> {
    match service.pay(id, now) {
        Ok(paid) => Ok(Object::default()
            .text("id", id)
            .flag("paid", true)
            .text("preimage", &paid.preimage_hex())
            .end()),
        Err(PayError::UnknownCharge) => Err(Refusal::not_found()),
        Err(error @ PayError::NotKept) => {
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
        }
        Err(error) => Err(Refusal::new(StatusCode::CONFLICT, error.to_string())),
    }
}
