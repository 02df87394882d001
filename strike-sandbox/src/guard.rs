//! Access control: the API key for the API, and the same-origin check for the sandbox's own routes.

use data_encoding::{BASE64, BASE64_NOPAD};
use strike_core::HttpRequest;
use strike_core::http::uri::{Authority, Scheme};
use strike_core::http::{HeaderMap, HeaderValue, header};

/// The host names of the original service. A proxy or a hosts file may redirect its clients to the
/// sandbox.
pub(crate) const SERVICE_HOSTS: [&str; 5] = [
    "api.strike.acinq.co",
    "api.dev.strike.acinq.co",
    "api-strike.acinq.co",
    "strike.acinq.co",
    "dev.strike.acinq.co",
];

/// Returns true if the request has Basic credentials with the API key as the user name.
///
/// As in the service, the password is ignored and the colon after the user name is optional.
pub(crate) fn has_api_key(headers: &HeaderMap, key: &str) -> bool {
    basic_credentials(headers).is_some_and(|credentials| {
        let user = credentials.split(|byte| *byte == b':').next().unwrap_or_default();
        constant_time_eq(user, key.as_bytes())
    })
}

/// Returns the decoded Basic credentials of a request: `user:password`.
pub(crate) fn basic_credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.trim().split_once(char::is_whitespace)?;
    let encoded = encoded.trim().as_bytes();
    let credentials = BASE64.decode(encoded).or_else(|_| BASE64_NOPAD.decode(encoded)).ok()?;
    scheme.eq_ignore_ascii_case("basic").then_some(credentials)
}

/// Compares in constant time, so that the response time does not reveal parts of the key.
pub(crate) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Marks a request from another machine. The server adds it to the request's extensions.
#[cfg(feature = "server")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemoteClient;

/// Returns true if the response to this request may contain the API key.
///
/// The client must be on this machine and must not be a foreign web page. A page whose host name
/// was pointed at this machine (DNS rebinding) sends that name in `Host`, so the host must be one
/// of the sandbox's own.
pub(crate) fn may_see_api_key(request: &HttpRequest) -> bool {
    #[cfg(feature = "server")]
    if request.extensions().get::<RemoteClient>().is_some() {
        return false;
    }
    is_same_origin(request) && host(request).as_ref().is_none_or(is_own_host)
}

/// Returns true unless the request comes from a web page of another origin.
///
/// A page of this server has an `Origin` that matches the `Host` header. The host must also be an
/// IP address, `localhost` or one of the original service's names. The owner of any other name
/// could point it at this machine (DNS rebinding), and `Origin` and `Host` would match. If the
/// browser sends `Sec-Fetch-Site`, it must agree.
pub(crate) fn is_same_origin(request: &HttpRequest) -> bool {
    let headers = request.headers();
    // The server stores its scheme in an extension. Without a server both schemes are accepted.
    let scheme = request.extensions().get::<Scheme>();
    let schemes = scheme.map_or(vec![Scheme::HTTP, Scheme::HTTPS], |scheme| vec![scheme.clone()]);
    let own_origins: Vec<String> = host(request)
        .filter(is_own_host)
        .into_iter()
        .flat_map(|host| schemes.iter().map(move |scheme| format!("{scheme}://{host}")))
        .collect();
    let is_own = |origin: &HeaderValue| {
        own_origins.iter().any(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
    };
    let is_own_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(header::ORIGIN).iter().all(is_own)
        && headers.get_all("sec-fetch-site").iter().all(is_own_site)
}

fn host(request: &HttpRequest) -> Option<Authority> {
    match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => request.headers().get(header::HOST).and_then(|host| host.as_bytes().try_into().ok()),
    }
}

/// Returns true for an IP address, `localhost` and the original service's names.
fn is_own_host(authority: &Authority) -> bool {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut names = SERVICE_HOSTS.into_iter().chain(["localhost"]);
    names.any(|name| host.eq_ignore_ascii_case(name)) || bare.parse::<std::net::IpAddr>().is_ok()
}
