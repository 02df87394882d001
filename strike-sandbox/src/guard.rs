//! Who may ask: the API key on the API, and no foreign web page on the sandbox's own controls.

use data_encoding::{BASE64, BASE64_NOPAD};
use strike_core::HttpRequest;
use strike_core::http::uri::{Authority, Scheme};
use strike_core::http::{HeaderMap, header};

/// Whether Basic credentials name the key as user. The service never looked at the password, and a user
/// without the colon was as good.
pub(crate) fn presents(headers: &HeaderMap, key: &str) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, encoded)) = value.trim().split_once(' ') else { return false };
    let encoded = encoded.trim().as_bytes();
    let Ok(credentials) = BASE64.decode(encoded).or_else(|_| BASE64_NOPAD.decode(encoded)) else {
        return false;
    };
    let user = credentials.split(|byte| *byte == b':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("basic") && same(user, key.as_bytes())
}

/// Compares without stopping at the first difference, so that the time taken tells nothing of the key.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Whether a request comes from outside a browser, or from a page that this server itself served.
///
/// Which scheme its URL has, the server knows: it tells by an extension of the request.
///
/// A page's name must be an address or `localhost`: any other name could have been pointed at this machine by
/// whoever owns it, and would then match the `Host` header.
pub(crate) fn is_no_foreign_page(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => headers.get(header::HOST).and_then(|host| host.as_bytes().try_into().ok()),
    };
    let scheme = request.extensions().get().or(request.uri().scheme()).unwrap_or(&Scheme::HTTP);
    let own = host.filter(is_unmistakable).map(|host| format!("{scheme}://{host}"));
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| own.as_ref().is_some_and(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes())))
}

fn is_unmistakable(authority: &Authority) -> bool {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}
