//! A key in every form in which somebody is likely to repeat it, and what is said without them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use http::HeaderValue;

#[cfg(feature = "fixtures")]
use crate::machine::HttpRequest;
use crate::text;

/// The forms of one key, or of several. It has no `Debug`, on purpose.
#[derive(Default, Clone)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The keys that a request presents.
    #[cfg(feature = "fixtures")]
    pub(crate) fn of_request(request: &HttpRequest) -> Self {
        let mut secrets = Self::default();
        secrets.learn_from(request);
        secrets
    }

    /// Adds the keys that another request presents.
    #[cfg(feature = "fixtures")]
    pub(crate) fn learn_from(&mut self, request: &HttpRequest) {
        request.headers().get_all(http::header::AUTHORIZATION).iter().for_each(|value| self.learn(value));
    }

    /// The key that an `Authorization` header presents.
    pub(crate) fn of(authorization: &HeaderValue) -> Self {
        let mut secrets = Self::default();
        secrets.learn(authorization);
        secrets
    }

    /// Adds a key: as it is, in base64 with or without the colon, padded or not, in hex, and as forms and JSON escape it.
    fn learn(&mut self, authorization: &HeaderValue) {
        let header = core::str::from_utf8(authorization.as_bytes()).unwrap_or_default();
        let credentials = header.split_once(' ').map_or(header, |(_, credentials)| credentials);
        let plain = data_encoding::BASE64.decode(credentials.as_bytes()).unwrap_or_default();
        let key = core::str::from_utf8(&plain).unwrap_or_default().trim_end_matches(':');
        self.add(credentials.trim_end_matches('='));
        if key.is_empty() {
            return;
        }
        for encoding in [data_encoding::BASE64, data_encoding::BASE64URL] {
            for plain in [format!("{key}:"), String::from(key)] {
                self.add(encoding.encode(plain.as_bytes()).trim_end_matches('='));
            }
        }
        self.add(&data_encoding::HEXLOWER.encode(key.as_bytes()));
        self.add(&data_encoding::HEXUPPER.encode(key.as_bytes()));
        self.add(&form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>());
        self.add(&text::in_json(key));
        self.add(key);
    }

    fn add(&mut self, secret: &str) {
        if !(secret.is_empty() || self.0.iter().any(|known| known == secret)) {
            self.0.push(secret.into());
        }
    }

    /// The text without them.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.into(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret, text::REDACTED) } else { text }
        })
    }

    /// The bytes without them, whether they are text or not.
    #[cfg(feature = "fixtures")]
    pub(crate) fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.iter().fold(bytes.into(), |bytes: Vec<u8>, secret| {
            text::replace_bytes(&bytes, secret.as_bytes(), text::REDACTED.as_bytes()).unwrap_or(bytes)
        })
    }
}
