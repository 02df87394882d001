//! Who may ask: the API key on the API, and no foreign web page on the sandbox's own controls.

use data_encoding::{BASE64, BASE64_NOPAD};
use strike_core::HttpRequest;
use strike_core::http::uri::{Authority, Scheme};
use strike_core::http::{HeaderMap, HeaderValue, header};

/// The names that the service had: a client that goes by one of them may be led here by a proxy or a hosts file.
pub(crate) const SERVICE: [&str; 5] = [
    "api.strike.acinq.co",
    "api.dev.strike.acinq.co",
    "api-strike.acinq.co",
    "strike.acinq.co",
    "dev.strike.acinq.co",
];

/// Whether Basic credentials name the key as user. The service never looked at the password, and a user
/// without the colon was as good.
pub(crate) fn presents(headers: &HeaderMap, key: &str) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, encoded)) = value.trim().split_once(char::is_whitespace) else { return false };
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

/// Marks a request from another machine. The server adds it to the request's extensions.
#[cfg(feature = "server")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemoteClient;

/// Returns true if the response to this request may contain the API key.
///
/// The client must be on this machine and must not be a foreign web page. A page whose host name was pointed at this
/// machine (DNS rebinding) sends that name in `Host`, so the host must be one of the sandbox's own.
pub(crate) fn may_see_api_key(request: &HttpRequest) -> bool {
    #[cfg(feature = "server")]
    if request.extensions().get::<RemoteClient>().is_some() {
        return false;
    }
    is_no_foreign_page(request) && host(request).as_ref().is_none_or(is_unmistakable)
}

/// Whether a request comes from outside a browser, or from a page that this server itself served.
///
/// The host of a page must be an address, `localhost` or one of the service's own: any other name could have been
/// pointed at this machine by whoever owns it, and would then match the `Host` header. What a browser says of the
/// page besides (`Sec-Fetch-Site`) must agree.
pub(crate) fn is_no_foreign_page(request: &HttpRequest) -> bool {
    let headers = request.headers();
    // The server knows its scheme, and tells by an extension; without a server any will do.
    let scheme = request.extensions().get::<Scheme>();
    let schemes = scheme.map_or(vec![Scheme::HTTP, Scheme::HTTPS], |scheme| vec![scheme.clone()]);
    let own: Vec<String> = host(request)
        .filter(is_unmistakable)
        .into_iter()
        .flat_map(|host| schemes.iter().map(move |scheme| format!("{scheme}://{host}")))
        .collect();
    let is_own =
        |origin: &HeaderValue| own.iter().any(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    let is_no_other_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(header::ORIGIN).iter().all(is_own)
        && headers.get_all("sec-fetch-site").iter().all(is_no_other_site)
}

fn host(request: &HttpRequest) -> Option<Authority> {
    match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => request.headers().get(header::HOST).and_then(|host| host.as_bytes().try_into().ok()),
    }
}

fn is_unmistakable(authority: &Authority) -> bool {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut names = SERVICE.into_iter().chain(["localhost"]);
    names.any(|name| host.eq_ignore_ascii_case(name)) || bare.parse::<std::net::IpAddr>().is_ok()
}
