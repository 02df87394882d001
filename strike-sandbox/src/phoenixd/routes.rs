//! The routes of the API: method, path, required password and handler.

use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

use super::account::Access::{self, Full, Limited};
use super::reply::{Failure, Reply, build};
#[cfg(feature = "server")]
use super::websocket;
use super::{access, create_invoice, decode_invoice, incoming, node_info, sending};
use crate::route_path::match_path;
use crate::service::{MAX_BODY, Service};

/// A request with the parameter of its route.
pub(super) struct Call<'a> {
    /// The path segment that matched `{}`. Empty for a route without `{}`.
    pub(super) id: &'a str,
    pub(super) http: &'a HttpRequest,
    pub(super) now: UnixMillis,
}

type Handler = fn(&mut Service, &Call<'_>) -> Result<Reply, Failure>;

/// A method, a path, the access that it requires, and the handler. `{}` matches one segment.
type Route = (Method, &'static str, Access, Handler);

/// Where a websocket is opened. It accepts the password in another header, too.
#[cfg(feature = "server")]
const WEBSOCKET: &str = "websocket";

/// Where one payment is read.
const ONE_PAYMENT: &str = "payments/incoming/{}";

const ROUTES: &[Route] = &[
    (Method::POST, "createinvoice", Limited, create_invoice::create),
    (Method::GET, "payments/incoming", Limited, incoming::list),
    (Method::GET, ONE_PAYMENT, Limited, incoming::get),
    (Method::POST, "decodeinvoice", Limited, decode_invoice::decode),
    (Method::GET, "getinfo", Limited, node_info::info),
    (Method::GET, "getbalance", Limited, node_info::balance),
    (Method::GET, "listchannels", Limited, node_info::channels),
    (Method::GET, "estimateliquidityfees", Limited, node_info::liquidity_fees),
    (Method::POST, "createoffer", Limited, sending::offers_unsupported),
    (Method::GET, "getoffer", Limited, sending::offers_unsupported),
    (Method::POST, "decodeoffer", Limited, sending::decode_offer),
    (Method::GET, "getlnaddress", Limited, sending::address),
    (Method::POST, "lnurlwithdraw", Limited, sending::lnurl),
    (Method::POST, "export", Limited, sending::export),
    (Method::GET, "payments/outgoing", Limited, sending::outgoing),
    (Method::GET, "payments/outgoing/{}", Limited, sending::outgoing_by_id),
    (Method::GET, "payments/outgoingbyhash/{}", Limited, sending::outgoing_by_hash),
    (Method::POST, "payinvoice", Full, sending::pay_invoice),
    (Method::POST, "payoffer", Full, sending::pay_offer),
    (Method::POST, "paylnaddress", Full, sending::pay_address),
    (Method::POST, "lnurlpay", Full, sending::lnurl),
    (Method::POST, "lnurlauth", Full, sending::lnurl),
    (Method::POST, "sendtoaddress", Full, sending::send_to_address),
    (Method::POST, "bumpfee", Full, sending::bump_fee),
    (Method::POST, "closechannel", Full, sending::close_channel),
];

/// Returns true if a route begins with this path segment.
pub(crate) fn has_root(segment: &str) -> bool {
    #[cfg(feature = "server")]
    if segment == WEBSOCKET {
        return true;
    }
    ROUTES.iter().any(|(_, pattern, ..)| pattern.split('/').next() == Some(segment))
}

/// Returns true if a request is for one incoming payment.
pub(super) fn is_for_one_payment(request: &HttpRequest) -> bool {
    let decoded = request.uri().path().split('/').filter(|segment| !segment.is_empty());
    match_path(ONE_PAYMENT, &decoded.collect::<Vec<_>>()).is_some()
}

/// Responds to a request. `path` holds its decoded segments without the empty ones.
pub(crate) fn respond(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> HttpResponse {
    build(route(service, path, request, now))
}

fn route(
    service: &mut Service,
    path: &[&str],
    request: &HttpRequest,
    now: UnixMillis,
) -> Result<Reply, Failure> {
    // As in ktor, doubled slashes are ignored, but a trailing one belongs to another path.
    if request.uri().path().ends_with('/') {
        return Err(Failure::unknown_endpoint());
    }
    #[cfg(feature = "server")]
    if path == [WEBSOCKET] {
        return websocket::accept(service.phoenixd(), request);
    }
    let mut is_known = false;
    for (method, pattern, required, handler) in ROUTES {
        let Some(id) = match_path(pattern, path) else { continue };
        is_known = true;
        if method == request.method() {
            access::check(request.headers(), service.phoenixd(), *required)?;
            if request.body().len() > MAX_BODY {
                return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"));
            }
            return handler(service, &Call { id, http: request, now });
        }
    }
    Err(if is_known { Failure::wrong_method() } else { Failure::unknown_endpoint() })
}
