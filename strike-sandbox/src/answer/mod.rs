//! Dresses an outcome as a response: the status, and the headers that the service sent with every answer.

mod document;
mod layout;
mod refusal;

use std::time::{Duration, SystemTime};

use strike_core::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

pub(crate) use document::Document;
pub(crate) use layout::{Object, list};
pub(crate) use refusal::Refusal;

/// Who may read an answer in a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Any page, as with the service.
    AnyOrigin,
    /// The sandbox's own pages.
    SameOrigin,
}

/// What the service sent for its pages' sake, in its order; the first name stands there twice.
static CORS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Authorization, X-XSRF-TOKEN"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "x-requested-with"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// What keeps the sandbox's own answers to its own pages: nothing in them runs but the page's one script, whatever a
/// description says, and no other page shows them in a frame.
static OWN: [(HeaderName, &str); 5] = [
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

/// The response to a request; an outcome that is good has the body of a 200.
pub(crate) fn response(
    request: &HttpRequest,
    outcome: Result<Document, Refusal>,
    audience: Audience,
    now: UnixMillis,
) -> HttpResponse {
    let refusal = outcome.as_ref().err();
    let status = refusal.map(|refusal| refusal.status).unwrap_or_default();
    let of_refusal = refusal.and_then(Refusal::header);
    let Document { content_type, body } = outcome.unwrap_or_else(|refusal| refusal.to_json().into());

    // In the order of the recordings. None of them has a header of a refusal's own.
    let mut headers = HeaderMap::with_capacity(12);
    let for_browsers = match audience {
        Audience::AnyOrigin => CORS.as_slice(),
        Audience::SameOrigin => OWN.as_slice(),
    };
    for (name, value) in for_browsers {
        headers.append(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-store, max-age=0"));
    if let Some((name, value)) = of_refusal {
        headers.insert(name, value);
    }
    if !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::SERVER, HeaderValue::from_static("nginx/1.12.1"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let connection = if stays_open(request) { "keep-alive" } else { "close" };
    headers.insert(header::CONNECTION, HeaderValue::from_static(connection));

    let sent = if request.method() == Method::HEAD { String::new() } else { body };
    let mut response = HttpResponse::new(sent.into_bytes());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The clock stops in 3058, well before the dates that cannot be written.
pub(crate) fn http_date(now: UnixMillis) -> String {
    let since = Duration::from_millis(now.as_millis());
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Whether the caller keeps the connection after this request.
fn stays_open(request: &HttpRequest) -> bool {
    let said = |what: &str| {
        let values = request.headers().get_all(header::CONNECTION);
        let mut tokens = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
        tokens.any(|token| token.trim().eq_ignore_ascii_case(what))
    };
    if request.version() < Version::HTTP_11 { said("keep-alive") } else { !said("close") }
}
