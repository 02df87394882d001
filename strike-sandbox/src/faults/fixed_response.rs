//! The response of the fault `answer`: a fixed status, headers and body.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strike_core::HttpResponse;
use strike_core::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::json;

/// Headers that a plan must not set. They frame the body, so only the server sets them.
const FRAMING_HEADERS: [HeaderName; 3] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixedResponse {
    #[serde(serialize_with = "json::write_status", deserialize_with = "json::status")]
    status: StatusCode,
    #[serde(default, serialize_with = "write_headers", deserialize_with = "headers")]
    headers: HeaderMap,
    #[serde(default, serialize_with = "write_body", deserialize_with = "body")]
    body: Vec<u8>,
}

impl From<HttpResponse> for FixedResponse {
    fn from(response: HttpResponse) -> Self {
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        for name in FRAMING_HEADERS {
            headers.remove(name);
        }
        Self { status: final_status(parts.status), headers, body }
    }
}

impl FixedResponse {
    /// Returns the response with the right `Content-Length`.
    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        remove_forbidden_body(response)
    }
}

/// Replaces a 1xx status with 500. After an interim status a client waits for the final one.
pub(super) fn final_status(status: StatusCode) -> StatusCode {
    if status.is_informational() { StatusCode::INTERNAL_SERVER_ERROR } else { status }
}

/// Removes the body of a 204 or 304. HTTP does not allow one.
pub(super) fn remove_forbidden_body(mut response: HttpResponse) -> HttpResponse {
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.body_mut().clear();
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

fn write_body<S: Serializer>(body: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(body))
}

fn body<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    String::deserialize(from).map(String::into_bytes)
}

fn write_headers<S: Serializer>(headers: &HeaderMap, to: S) -> Result<S::Ok, S::Error> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    to.collect_map(headers.iter().map(|(name, value)| (name.as_str(), text(value))))
}

fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<HeaderMap, D::Error> {
    from.deserialize_map(HeadersVisitor)
}

/// Reads a JSON object as headers. A key that occurs twice becomes two headers.
struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = HeaderMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
        let mut headers = HeaderMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let name = key.parse::<HeaderName>();
            let name = name.map_err(|_| A::Error::custom(format!("{key:?} is not a valid header name")))?;
            if FRAMING_HEADERS.contains(&name) {
                let message = format!("{key} is set by the sandbox; remove it from the plan");
                return Err(A::Error::custom(message));
            }
            let value = map.next_value::<String>()?.parse();
            let value = value
                .map_err(|_| A::Error::custom(format!("the value of {key} is not a valid header value")))?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}
