//! `GET /websocket`: accepts a websocket that receives an event for each payment.
//!
//! In memory the response is only the handshake. A running server keeps the connection open.

use strike_core::HttpRequest;
use strike_core::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use super::account::Access;
use super::reply::{Failure, Reply};
use super::{Account, access};

/// Responds to the handshake.
///
/// Browsers cannot send credentials with it, so the password may also be one of the protocols. The
/// response then chooses that protocol, which browsers require.
pub(super) fn accept(account: &Account, request: &HttpRequest) -> Result<Reply, Failure> {
    if request.method() != Method::GET {
        return Err(Failure::wrong_method());
    }
    let protocol = protocols(request.headers()).find(|it| account.access(it.as_bytes()).is_some());
    if protocol.is_none() {
        access::check(request.headers(), account, Access::Limited)?;
    }
    let mut handshake = Request::new(());
    handshake.headers_mut().clone_from(request.headers());
    let (mut response, ()) =
        create_response(&handshake).map_err(|error| Failure::bad_request(error.to_string()))?.into_parts();
    if let Some(Ok(protocol)) = protocol.map(HeaderValue::from_str) {
        response.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(Reply::Upgrade(response.headers))
}

/// Returns the protocols that the client offers.
fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    const NAME: HeaderName = header::SEC_WEBSOCKET_PROTOCOL;
    let values = headers.get_all(NAME).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
