//! What the service offered: charges, for whoever has the key.

mod json_body;
mod paging;
mod wanted;

pub(crate) use paging::read as page_and_size;
pub(crate) use wanted::Wanted;

use strike_core::http::{Method, header};
use strike_core::{HttpRequest, UnixMillis};

use crate::answer::{self, Refusal};
use crate::guard;
use crate::ledger::Charge;
use crate::service::Service;

/// Answers a request whose path goes on from `/api/v1/` with these segments.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, Refusal> {
    // A browser asks first, and does so without credentials.
    if request.method() == Method::OPTIONS {
        return Ok(String::new());
    }
    if !guard::presents(request.headers(), service.api_key()) {
        return Err(Refusal::unauthenticated());
    }
    match (request.method(), path) {
        (&Method::POST, ["charges"]) => create(service, request, now),
        (&Method::GET | &Method::HEAD, ["charges"]) => list(service, request.uri().query()),
        (&Method::GET | &Method::HEAD, ["charges", id]) => get(service, id),
        (_, ["charges"]) => Err(Refusal::method_not_allowed(&["GET", "HEAD", "POST", "OPTIONS"])),
        (_, ["charges", _]) => Err(Refusal::method_not_allowed(&["GET", "HEAD", "OPTIONS"])),
        _ => Err(Refusal::not_found()),
    }
}

fn create(service: &mut Service, request: &HttpRequest, now: UnixMillis) -> Result<String, Refusal> {
    let charge = service.create(wanted(request)?, now)?;
    Ok(charge.to_json())
}

/// The charge that a body asks for.
pub(crate) fn wanted(request: &HttpRequest) -> Result<Wanted, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|it| it.as_bytes());
    let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
    wanted::read(&content_type, request.body())
}

fn get(service: &Service, id: &str) -> Result<String, Refusal> {
    service.charge(id).map(Charge::to_json).ok_or_else(Refusal::not_found)
}

fn list(service: &Service, query: Option<&str>) -> Result<String, Refusal> {
    let (page, size) = paging::read(query.unwrap_or_default())?;
    Ok(answer::list(service.page(page, size).map(Charge::to_json)))
}
