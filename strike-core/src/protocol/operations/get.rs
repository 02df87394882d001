//! Reads one charge.

use http::Method;

use super::{Operation, RetrySafety, sealed};
use crate::errors::{Error, ErrorKind, Mismatch};
use crate::protocol::{Endpoint, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{Charge, ChargeId, Now};

/// Reads one charge. The response must have the id that was requested.
#[derive(Debug, Clone)]
pub struct Get {
    id: ChargeId,
    is_second: bool,
}

impl Get {
    /// Returns the operation that reads the charge with this id.
    #[must_use]
    pub const fn new(id: ChargeId) -> Self {
        Self { id, is_second: false }
    }
}

impl sealed::Sealed for Get {}

impl Operation for Get {
    type Output = Charge;

    const NAME: &'static str = "get charge";
    const REPLAY: RetrySafety = RetrySafety::Safe;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        let (dialect, base) = (endpoint.dialect(), endpoint.base_path());
        let path =
            if self.is_second { dialect.get_second(base, &self.id) } else { dialect.get(base, &self.id) };
        match path {
            Some(path) => endpoint.request(Method::GET, path),
            // The backend has no such id, so no request is needed.
            None => Err(Error::new(self.describe(), ErrorKind::NotFound)),
        }
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<Charge, Error> {
        let charge = response::charge(endpoint, &|| self.describe(), response)?;
        match Mismatch::unless_equal("id", self.id.as_str(), charge.id().as_str()) {
            Ok(()) => Ok(charge),
            Err(mismatch) => Err(endpoint
                .mismatch(self.describe(), mismatch)
                .with_status(response.status().as_u16())
                .with_charge(charge)),
        }
    }

    fn follow_up(&self, endpoint: &Endpoint, response: &HttpResponse) -> Option<Self> {
        let body = std::str::from_utf8(response.body()).ok().filter(|_| response.status().is_success())?;
        let is_needed = !self.is_second && endpoint.dialect().needs_second_get(body);
        is_needed.then(|| Self { id: self.id.clone(), is_second: true })
    }

    fn describe(&self) -> String {
        format!("{} {}", Self::NAME, self.id)
    }
}
