//! An answer that was made beforehand: any status, headers and body.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strike_core::HttpResponse;
use strike_core::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::shape;

/// What only the server itself may say, since it says where the answer ends.
const FRAMING: [HeaderName; 3] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Canned {
    #[serde(serialize_with = "shape::write_status", deserialize_with = "shape::status")]
    status: StatusCode,
    #[serde(default, serialize_with = "write_headers", deserialize_with = "headers")]
    headers: HeaderMap,
    #[serde(default, serialize_with = "write_body", deserialize_with = "body")]
    body: Vec<u8>,
}

impl From<HttpResponse> for Canned {
    fn from(response: HttpResponse) -> Self {
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        for name in FRAMING {
            headers.remove(name);
        }
        Self { status: last_word(parts.status), headers, body }
    }
}

impl Canned {
    /// The answer, with its length.
    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        without_body_where_none_may_be(response)
    }
}

/// An interim status is no answer, and a client would wait for what follows.
pub(super) fn last_word(status: StatusCode) -> StatusCode {
    if status.is_informational() { StatusCode::INTERNAL_SERVER_ERROR } else { status }
}

/// By HTTP's rules these two end with their head.
pub(super) fn without_body_where_none_may_be(mut response: HttpResponse) -> HttpResponse {
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
    from.deserialize_map(Headers)
}

/// Reads an object; a name that stands there twice is sent twice.
struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = HeaderMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
        let mut headers = HeaderMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let known = name.parse::<HeaderName>();
            let known = known.map_err(|_| A::Error::custom(format!("{name:?} is no header's name")))?;
            if FRAMING.contains(&known) {
                return Err(A::Error::custom(format!("{name} is the server's to say, not the plan's")));
            }
            let value = map.next_value::<String>()?.parse();
            headers.append(known, value.map_err(|_| A::Error::custom("this is no header's value"))?);
        }
        Ok(headers)
    }
}
