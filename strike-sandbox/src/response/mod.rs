//! Builds HTTP responses: the status, the headers that the service sent, and the body.

mod document;
mod error_response;
mod json_layout;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use strike_core::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

pub(crate) use document::Document;
pub(crate) use error_response::ErrorResponse;
pub(crate) use json_layout::{Object, list};

/// Which web pages may read a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Pages of any origin, as the service allowed.
    AnyOrigin,
    /// Only the sandbox's own pages.
    SameOrigin,
}

/// The CORS headers in the order of the recordings, which have the first name twice.
static CORS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Authorization, X-XSRF-TOKEN"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "x-requested-with"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// Headers that restrict the sandbox's own responses to its own pages.
///
/// The browser runs only script files from the sandbox, even if a charge's description contains a
/// script. Other pages cannot show the sandbox in a frame.
static SAME_ORIGIN: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Builds the response to a request. The status is 200 for a document.
pub(crate) fn build(
    request: &HttpRequest,
    outcome: Result<Document, ErrorResponse>,
    audience: Audience,
    now: UnixMillis,
) -> HttpResponse {
    let error = outcome.as_ref().err();
    let status = error.map(|error| error.status).unwrap_or_default();
    let error_header = error.and_then(ErrorResponse::header);
    let Document { content_type, body } = outcome.unwrap_or_else(|error| error.to_json().into());

    let mut headers = match (&error_header, body.is_empty(), audience) {
        (None, false, Audience::AnyOrigin) => OF_THE_API.clone(),
        _ => headers(audience, error_header, !body.is_empty()),
    };
    let connection = if client_keeps_connection(request) { "keep-alive" } else { "close" };
    // Each of these replaces an empty value in its place.
    if !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static(connection));

    let sent = if request.method() == Method::HEAD { String::new() } else { body };
    let mut response = HttpResponse::new(sent.into_bytes());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The headers of almost every response of the API. Copying them is faster than adding them.
static OF_THE_API: LazyLock<HeaderMap> = LazyLock::new(|| headers(Audience::AnyOrigin, None, true));

/// Returns the headers in the order of the recordings. Those that vary are empty.
fn headers(
    audience: Audience,
    error_header: Option<(HeaderName, HeaderValue)>,
    has_content_type: bool,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    let browser_headers = match audience {
        Audience::AnyOrigin => CORS.as_slice(),
        Audience::SameOrigin => SAME_ORIGIN.as_slice(),
    };
    for (name, value) in browser_headers {
        headers.append(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-store, max-age=0"));
    // No recording has one, so its position is arbitrary.
    headers.extend(error_header);
    let varies = HeaderValue::from_static("");
    if has_content_type {
        headers.insert(header::CONTENT_TYPE, varies.clone());
    }
    headers.insert(header::DATE, varies.clone());
    headers.insert(header::SERVER, HeaderValue::from_static("nginx/1.12.1"));
    headers.insert(header::CONTENT_LENGTH, varies.clone());
    headers.insert(header::CONNECTION, varies);
    headers
}

/// Formats a `Date` header. The sandbox's clock stops in 3058, so every time can be formatted.
pub(crate) fn http_date(now: UnixMillis) -> String {
    let since_epoch = Duration::from_millis(now.as_millis());
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Returns true if the client keeps the connection open after this request.
fn client_keeps_connection(request: &HttpRequest) -> bool {
    let has_token = |name: &str| {
        let values = request.headers().get_all(header::CONNECTION);
        let mut tokens = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
        tokens.any(|token| token.trim().eq_ignore_ascii_case(name))
    };
    if request.version() < Version::HTTP_11 { has_token("keep-alive") } else { !has_token("close") }
}
