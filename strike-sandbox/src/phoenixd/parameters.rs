//! Reads the parameters of a request, from its form or its query. Errors have ktor's wording.

use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use lightning_invoice::Bolt11Invoice;
use strike_core::HttpRequest;
use strike_core::http::{StatusCode, header};

use super::reply::Failure;

/// The parameters of a request. Of a repeated one, the first counts.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of_query(request: &HttpRequest) -> Self {
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    /// Reads a form. A request without a body has no parameters, whatever its content type.
    pub(super) fn of_form(request: &HttpRequest) -> Result<Self, Failure> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !request.body().is_empty() && !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be a form: application/x-www-form-urlencoded",
            ));
        }
        Ok(Self::parse(request.body()))
    }

    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| Failure::missing(name))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        let parse = |text: &str| text.parse().map_err(|_| Failure::invalid_type(name, "integer"));
        self.text(name).map(parse).transpose()
    }

    pub(super) fn required_integer(&self, name: &str) -> Result<i64, Failure> {
        self.integer(name)?.ok_or_else(|| Failure::missing(name))
    }

    pub(super) fn hash(&self, name: &str) -> Result<Option<[u8; 32]>, Failure> {
        self.text(name).map(|text| parse_hash(name, text)).transpose()
    }

    pub(super) fn required_hash(&self, name: &str) -> Result<[u8; 32], Failure> {
        self.hash(name)?.ok_or_else(|| Failure::missing(name))
    }

    pub(super) fn required_invoice(&self, name: &str) -> Result<Bolt11Invoice, Failure> {
        let text = self.required_text(name)?;
        Bolt11Invoice::from_str(text).map_err(|_| Failure::invalid_type(name, "bolt11invoice"))
    }

    /// Returns true only for `true`, in any case.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// Reads 32 bytes in hex, in any case.
pub(super) fn parse_hash(name: &str, text: &str) -> Result<[u8; 32], Failure> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| Failure::invalid_type(name, "hex32"))
}
