//! Reads a base URL, and rejects those that could send the key to the wrong host.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::values::InvalidInput;

/// Takes a base URL apart, and refuses what could send a key astray.
pub(super) fn split(base_url: &str, plain_http: bool) -> Result<(Scheme, Authority, String), InvalidInput> {
    let wrong = |rule: &'static str| InvalidInput::new("base URL", rule);
    let scheme = match base_url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ => return Err(wrong("one that begins with `https://` (or `http://` for this machine)")),
    };
    // Other clients would encode these in their own way, and ask for another path.
    if !base_url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err(wrong("plain ASCII without spaces, with everything else percent-encoded"));
    }
    if base_url.contains(['#', '?']) {
        return Err(wrong("without a query or a fragment"));
    }
    let uri: Uri = base_url.parse().map_err(|_| wrong("a URL such as `https://host/api/v1/`"))?;
    let authority = uri.authority().cloned().ok_or_else(|| wrong("one that names a host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("without user information; the key is given apart"));
    }
    let host = authority.host();
    let port = authority.as_str().get(host.len()..).unwrap_or_default();
    if host.is_empty() || !(port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
        return Err(wrong("one with a host, and a port between 1 and 65535 if any"));
    }
    if scheme == Scheme::HTTP && !plain_http && !is_loopback(host) {
        return Err(wrong(
            "one that begins with `https://`, since the host is not this machine (or allow plain http on purpose)",
        ));
    }
    let mut path = String::new();
    for segment in uri.path().split('/').filter(|segment| !segment.is_empty()) {
        if matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
            return Err(wrong("without `.` and `..` in its path"));
        }
        path.push('/');
        path.push_str(segment);
    }
    Ok((scheme, authority, path))
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
