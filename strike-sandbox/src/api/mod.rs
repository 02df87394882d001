//! What the service offered: charges, for whoever has the key.

mod json_body;
mod paging;
mod wanted;

pub(crate) use paging::{LARGEST_PAGE, read as page_and_size};
pub(crate) use wanted::Wanted;

use strike_core::http::{Method, header};
use strike_core::{HttpRequest, UnixMillis};

use crate::answer::{self, Refusal};
use crate::guard;
use crate::quirks::Quirks;
use crate::service::Service;

/// Answers a request whose path goes on from `/api/v1/` with these segments.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, Refusal> {
    route(service, path, request, now).map_err(|refusal| refusal.with(service.quirks()))
}

fn route(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, Refusal> {
    // A browser asks first, and does so without credentials.
    if request.method() == Method::OPTIONS {
        return Ok(String::new());
    }
    if !guard::has_api_key(request.headers(), service.api_key()) {
        return Err(Refusal::unauthenticated());
    }
    service.admit(now)?;
    match (request.method(), path) {
        (&Method::POST, ["charges"]) => create(service, request, now),
        (&Method::GET | &Method::HEAD, ["charges"]) => list(service, request.uri().query(), now),
        (&Method::GET | &Method::HEAD, ["charges", id]) => get(service, id),
        (_, ["charges"]) => Err(Refusal::method_not_allowed(&["GET", "HEAD", "POST", "OPTIONS"])),
        (_, ["charges", _]) => Err(Refusal::method_not_allowed(&["GET", "HEAD", "OPTIONS"])),
        _ => Err(Refusal::not_found()),
    }
}

fn create(service: &mut Service, request: &HttpRequest, now: UnixMillis) -> Result<String, Refusal> {
    let wanted = wanted(request, service.quirks())?;
    let quirks = *service.quirks();
    let number = service.count_create();
    if quirks.fails_before(number) {
        return Err(Refusal::internal_error());
    }
    let charge = service.create(wanted, now)?;
    if quirks.fails_after(number) {
        return Err(Refusal::internal_error());
    }
    Ok(charge.to_json(&quirks))
}

/// The charge that a body asks for.
pub(crate) fn wanted(request: &HttpRequest, quirks: &Quirks) -> Result<Wanted, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|it| it.as_bytes());
    let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
    wanted::read(&content_type, request.body(), quirks)
}

fn get(service: &Service, id: &str) -> Result<String, Refusal> {
    let charge = service.charge(id).ok_or_else(Refusal::not_found)?;
    Ok(charge.to_json(service.quirks()))
}

fn list(service: &Service, query: Option<&str>, now: UnixMillis) -> Result<String, Refusal> {
    let quirks = service.quirks();
    let largest = quirks.largest_page.unwrap_or(LARGEST_PAGE);
    let (page, size) = page_and_size(query.unwrap_or_default(), largest)?;
    Ok(answer::list(service.listed(page, size, now).map(|charge| charge.to_json(quirks))))
}
