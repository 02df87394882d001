//! The response to plain HTTP on the HTTPS port, as nginx sends it.

use strike_core::http::{HeaderValue, StatusCode, header};
use strike_core::{HttpResponse, UnixMillis};

use crate::response::http_date;

const PAGE: &str = "<html>\r\n\
    <head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n\
    <body bgcolor=\"white\">\r\n\
    <center><h1>400 Bad Request</h1></center>\r\n\
    <center>The plain HTTP request was sent to HTTPS port</center>\r\n\
    <hr><center>nginx/1.12.1</center>\r\n\
    </body>\r\n\
    </html>\r\n";

/// Returns the 400 response, after which the connection is closed.
pub(super) fn bad_request(now: UnixMillis) -> HttpResponse {
    let mut response = HttpResponse::new(PAGE.as_bytes().to_vec());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("nginx/1.12.1"));
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(PAGE.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
