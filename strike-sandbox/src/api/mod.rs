//! The API of the original service: charges, below `/api/v1/`. Requests need the API key.

mod json_body;
mod new_charge;
mod paging;

pub(crate) use paging::{LARGEST_PAGE, read as page_and_size};

use strike_core::http::{Method, header};
use strike_core::{HttpRequest, UnixMillis};

use crate::guard;
use crate::order::Order;
use crate::quirks::Quirks;
use crate::response::{self, ErrorResponse};
use crate::service::Service;

/// Responds to a request. `path` holds the segments after `/api/v1/`.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, ErrorResponse> {
    route(service, path, request, now).map_err(|error| error.with_extra_keys(service.quirks().extra_keys))
}

fn route(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, ErrorResponse> {
    // A browser sends a CORS preflight request first, without credentials.
    if request.method() == Method::OPTIONS {
        return Ok(String::new());
    }
    if !guard::has_api_key(request.headers(), service.api_key()) {
        return Err(ErrorResponse::unauthenticated());
    }
    service.admit(now)?;
    match (request.method(), path) {
        (&Method::POST, ["charges"]) => create(service, request, now),
        (&Method::GET | &Method::HEAD, ["charges"]) => list(service, request.uri().query(), now),
        (&Method::GET | &Method::HEAD, ["charges", id]) => get(service, id),
        (_, ["charges"]) => Err(ErrorResponse::method_not_allowed(&["GET", "HEAD", "POST", "OPTIONS"])),
        (_, ["charges", _]) => Err(ErrorResponse::method_not_allowed(&["GET", "HEAD", "OPTIONS"])),
        _ => Err(ErrorResponse::not_found()),
    }
}

fn create(service: &mut Service, request: &HttpRequest, now: UnixMillis) -> Result<String, ErrorResponse> {
    let order = read_new_charge(request, service.quirks())?;
    let quirks = *service.quirks();
    let create_number = service.count_create();
    if quirks.fails_before(create_number) {
        return Err(ErrorResponse::internal_error());
    }
    let charge = service.create(order, now, |charge| charge.to_json(&quirks))?;
    if quirks.fails_after(create_number) {
        return Err(ErrorResponse::internal_error());
    }
    Ok(charge)
}

/// Reads the charge to create from the body of a request.
pub(crate) fn read_new_charge(request: &HttpRequest, quirks: &Quirks) -> Result<Order, ErrorResponse> {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|it| it.as_bytes());
    let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
    new_charge::read(&content_type, request.body(), quirks)
}

fn get(service: &Service, id: &str) -> Result<String, ErrorResponse> {
    // Only the sandbox's own routes also find charges by their payment hash.
    let charge = service.charge(id).filter(|charge| charge.id.as_str() == id);
    let charge = charge.ok_or_else(ErrorResponse::not_found)?;
    Ok(charge.to_json(service.quirks()))
}

fn list(service: &Service, query: Option<&str>, now: UnixMillis) -> Result<String, ErrorResponse> {
    let quirks = service.quirks();
    let largest = quirks.largest_page.unwrap_or(LARGEST_PAGE);
    let (page, size) = page_and_size(query.unwrap_or_default(), largest)?;
    Ok(response::list(service.listed(page, size, now), |object, charge| charge.write_to(object, quirks)))
}
