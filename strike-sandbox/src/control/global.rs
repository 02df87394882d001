//! Controls for the whole sandbox: reset it, show or advance the clock, set the seed.

use std::time::Duration;

use serde::Deserialize;

use super::{ControlRequest, body};
use crate::response::{ErrorResponse, Object};
use crate::service::Service;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

pub(super) fn reset(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    body::expect_empty(request.http.body())?;
    service.reset()?;
    Ok(Object::default().flag("reset", true).end())
}

pub(super) fn clock(service: &mut Service, _: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    Ok(Object::default().number("now", service.clock().now().as_millis()).end())
}

pub(super) fn advance(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let Advance { advance_ms } = body::read(request.http.body(), r#"{"advance_ms": milliseconds}"#)?;
    service.advance(Duration::from_millis(advance_ms));
    clock(service, request)
}

pub(super) fn reseed(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let Seed { seed } = body::read(request.http.body(), r#"{"seed": number}"#)?;
    service.reseed(seed);
    Ok(Object::default().number("seed", seed).end())
}
