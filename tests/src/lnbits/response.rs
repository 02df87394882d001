//! LNbits' responses, and the translation of errors of the service below.

use serde::Deserialize;
use strike_core::HttpResponse;
use strike_core::http::{HeaderValue, StatusCode, header};

use super::request::Asked;

/// An error body of the Strike API.
#[derive(Deserialize)]
struct StrikeError {
    #[serde(rename = "code")]
    _code: u16,
    message: String,
}

/// Returns a response with this JSON.
pub(super) fn json_response(status: StatusCode, json: String) -> HttpResponse {
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = status;
    with_json(response, json)
}

/// Returns an error with LNbits' usual body.
pub(super) fn detail(status: StatusCode, text: &str) -> HttpResponse {
    json_response(status, serde_json::json!({ "detail": text }).to_string())
}

fn with_json(mut response: HttpResponse, json: String) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(json.len()));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::SERVER, HeaderValue::from_static("uvicorn"));
    *response.body_mut() = json.into_bytes();
    response
}

/// Returns true if a response of the service below is its normal one. Then LNbits responds itself.
pub(super) fn is_own(below: &HttpResponse, asked: &Asked) -> bool {
    let is_unknown = matches!(asked, Asked::Get(_)) && below.status() == StatusCode::NOT_FOUND;
    let body = below.body();
    let is_json = body.starts_with(b"{") || body.starts_with(b"[");
    is_json && (below.status().is_success() || (is_unknown && error_of(below).is_some()))
}

fn error_of(below: &HttpResponse) -> Option<StrikeError> {
    serde_json::from_slice(below.body()).ok()
}

/// Translates an error of the service below. A response that is not from its API stays as it is.
pub(super) fn translated(below: HttpResponse, asked: &Asked) -> HttpResponse {
    let Some(StrikeError { message, .. }) = error_of(&below) else { return below };
    let mut body = serde_json::json!({ "detail": message });
    let mut status = below.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        body = serde_json::json!({ "error": message });
    }
    if status == StatusCode::BAD_REQUEST && matches!(asked, Asked::Create(_)) {
        body = serde_json::json!({ "detail": message, "status": "failed" });
        status = StatusCode::from_u16(520).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut response = below;
    *response.status_mut() = status;
    with_json(response, body.to_string())
}
