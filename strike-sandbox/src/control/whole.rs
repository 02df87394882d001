//! Controls of the sandbox as a whole: back to the start, the clock, the seed.

use std::time::Duration;

use serde::Deserialize;

use super::{Asked, body};
use crate::answer::{Object, Refusal};
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

pub(super) fn reset(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    body::nothing(asked.request.body())?;
    service.reset()?;
    Ok(Object::default().flag("reset", true).end())
}

pub(super) fn clock(service: &mut Service, _: &Asked<'_>) -> Result<String, Refusal> {
    Ok(Object::default().number("now", service.clock().now().as_millis()).end())
}

pub(super) fn advance(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let Advance { advance_ms } = body::read(asked.request.body(), r#"{"advance_ms": milliseconds}"#)?;
    service.advance(Duration::from_millis(advance_ms));
    clock(service, asked)
}

pub(super) fn reseed(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let Seed { seed } = body::read(asked.request.body(), r#"{"seed": number}"#)?;
    service.reseed(seed);
    Ok(Object::default().number("seed", seed).end())
}
