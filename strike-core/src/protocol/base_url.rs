//! Parses a base URL, and rejects a URL that could send the API key to the wrong host.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::values::InvalidInput;

/// Splits a base URL into scheme, authority and path. The path has no slash at its end.
pub(super) fn split(base_url: &str, plain_http: bool) -> Result<(Scheme, Authority, String), InvalidInput> {
    let wrong = |rule: &'static str| InvalidInput::new("base URL", rule);
    let scheme = match base_url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ => return Err(wrong("a URL that starts with `https://` (or `http://` on this machine)")),
    };
    // HTTP libraries encode these characters in different ways, so they would request different
    // paths.
    if !base_url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err(wrong("ASCII without spaces; percent-encode all other characters"));
    }
    if base_url.contains(['#', '?']) {
        return Err(wrong("a URL without a query or a fragment"));
    }
    let uri: Uri = base_url.parse().map_err(|_| wrong("a URL such as `https://host/api/v1/`"))?;
    let authority = uri.authority().cloned().ok_or_else(|| wrong("a URL with a host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("a URL without user information; pass the API key separately"));
    }
    let host = authority.host();
    let port = authority.as_str().get(host.len()..).unwrap_or_default();
    if host.is_empty() || !(port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
        return Err(wrong("a URL with a host, and with a port between 1 and 65535 if it has one"));
    }
    if scheme == Scheme::HTTP && !plain_http && !is_loopback(host) {
        return Err(wrong(
            "a URL that starts with `https://`, because the host is not this machine; \
             `EndpointBuilder::allow_plain_http` permits `http://`",
        ));
    }
    let mut path = String::new();
    for segment in uri.path().split('/').filter(|segment| !segment.is_empty()) {
        if matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
            return Err(wrong("a URL without `.` and `..` segments in its path"));
        }
        path.push('/');
        path.push_str(segment);
    }
    Ok((scheme, authority, path))
}

/// Returns true if the host of a URL is this machine: 127.0.0.0/8, `::1` or `localhost`.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
