//! The control routes below `/sandbox/`. The original service did not have them. They need no API
//! key.

mod account;
mod body;
mod charges;
mod deliveries;
mod faults;
mod global;

use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, UnixMillis};

use crate::guard;
use crate::response::ErrorResponse;
use crate::route_path::match_path;
use crate::service::Service;

/// A method, a path below `/sandbox/`, and the handler. `{}` in the path matches any one segment.
type Route = (Method, &'static str, fn(&mut Service, &ControlRequest<'_>) -> Result<String, ErrorResponse>);

/// All routes. HEAD requests use the GET route.
const ROUTES: &[Route] = &[
    (Method::GET, "account", account::show),
    (Method::GET, "charges", charges::list),
    (Method::POST, "charges", charges::create),
    (Method::GET, "charges/{}", charges::get),
    (Method::POST, "charges/{}/pay", charges::pay),
    (Method::POST, "charges/{}/expire", charges::expire),
    (Method::GET, "deliveries", deliveries::list),
    (Method::POST, "deliveries/{}/send", deliveries::send),
    (Method::GET, "faults", faults::show),
    (Method::POST, "faults", faults::add),
    (Method::DELETE, "faults", faults::clear),
    (Method::POST, "reset", global::reset),
    (Method::GET, "clock", global::clock),
    (Method::POST, "clock", global::advance),
    (Method::POST, "seed", global::reseed),
];

/// A request with the parameter of its route.
struct ControlRequest<'a> {
    /// The path segment that matched `{}`. Empty for a route without `{}`.
    id: &'a str,
    http: &'a HttpRequest,
    now: UnixMillis,
}

/// Responds to a request. `path` holds the segments after `/sandbox/`.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, ErrorResponse> {
    let method = match *request.method() {
        Method::HEAD => &Method::GET,
        _ => request.method(),
    };
    if method != Method::GET && !guard::is_same_origin(request) {
        return Err(ErrorResponse::new(
            StatusCode::FORBIDDEN,
            "pages of other origins cannot use this route",
        ));
    }
    let mut allowed = Vec::new();
    for (route_method, pattern, handler) in ROUTES {
        let Some(id) = match_path(pattern, path) else { continue };
        if route_method == method {
            return handler(service, &ControlRequest { id, http: request, now });
        }
        allowed.push(route_method.as_str());
        if route_method == Method::GET {
            allowed.push(Method::HEAD.as_str());
        }
    }
    if allowed.is_empty() {
        Err(ErrorResponse::not_found())
    } else {
        Err(ErrorResponse::method_not_allowed(&allowed))
    }
}
