//! What only a sandbox can offer: the routes below `/sandbox/`, which ask for no key.

mod charges;
mod faults;

use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, UnixMillis};

use crate::answer::Refusal;
use crate::guard;
use crate::service::Service;

/// Answers a request whose path goes on from `/sandbox/` with these segments.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, Refusal> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !guard::is_no_foreign_page(request) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not from a page of another origin"));
    }
    match (request.method(), path) {
        (&Method::POST, ["charges", id, "pay"]) => charges::pay(service, id, now),
        (_, ["charges", _, "pay"]) => Err(Refusal::method_not_allowed("POST")),
        (&Method::GET, ["faults"]) => faults::show(service),
        (&Method::POST, ["faults"]) => faults::add(service, request),
        (&Method::DELETE, ["faults"]) => faults::clear(service),
        (_, ["faults"]) => Err(Refusal::method_not_allowed("GET, POST, DELETE")),
        _ => Err(Refusal::not_found()),
    }
}
