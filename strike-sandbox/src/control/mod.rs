//! What only a sandbox can offer: the routes below `/sandbox/`, which ask for no key.

mod account;
mod body;
mod charges;
mod deliveries;
mod faults;
mod whole;

use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, UnixMillis};

use crate::answer::Refusal;
use crate::guard;
use crate::service::Service;

/// A method, a path below `/sandbox/` in which `{}` is any one segment, and who answers.
type Route = (Method, &'static str, fn(&mut Service, &Asked<'_>) -> Result<String, Refusal>);

/// Every route. HEAD goes where GET goes.
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
    (Method::POST, "reset", whole::reset),
    (Method::GET, "clock", whole::clock),
    (Method::POST, "clock", whole::advance),
    (Method::POST, "seed", whole::reseed),
];

/// What a route is asked.
struct Asked<'a> {
    /// What stands in the path for the route's `{}`; empty for a route without one.
    name: &'a str,
    request: &'a HttpRequest,
    now: UnixMillis,
}

/// Answers a request whose path goes on from `/sandbox/` with these segments.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<String, Refusal> {
    let method = match *request.method() {
        Method::HEAD => &Method::GET,
        _ => request.method(),
    };
    if method != Method::GET && !guard::is_same_origin(request) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not from a page of another origin"));
    }
    let mut allowed = Vec::new();
    for (of_route, pattern, answer) in ROUTES {
        let Some(name) = matched(pattern, path) else { continue };
        if of_route == method {
            return answer(service, &Asked { name, request, now });
        }
        allowed.push(of_route.as_str());
        if of_route == Method::GET {
            allowed.push(Method::HEAD.as_str());
        }
    }
    if allowed.is_empty() { Err(Refusal::not_found()) } else { Err(Refusal::method_not_allowed(&allowed)) }
}

/// Whether a path has a route's form, and what stands in it for `{}`.
fn matched<'a>(pattern: &str, path: &[&'a str]) -> Option<&'a str> {
    let mut name = "";
    let mut segments = path.iter();
    for expected in pattern.split('/') {
        match (expected, *segments.next()?) {
            ("{}", segment) => name = segment,
            (expected, segment) if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(name)
}
