//! `GET charges/{id}`: reads one charge.

use http::Method;

use super::{Operation, RetrySafety, sealed};
use crate::errors::{Error, Mismatch};
use crate::protocol::{Endpoint, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{Charge, ChargeId, Now};

/// Reads one charge. The response must have the id that was requested.
#[derive(Debug, Clone)]
pub struct Get(ChargeId);

impl Get {
    /// Returns the operation that reads the charge with this id.
    #[must_use]
    pub const fn new(id: ChargeId) -> Self {
        Self(id)
    }
}

impl sealed::Sealed for Get {}

impl Operation for Get {
    type Output = Charge;

    const NAME: &'static str = "get charge";
    const REPLAY: RetrySafety = RetrySafety::Safe;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        endpoint.request(Method::GET, &format!("/charges/{}", self.0), Vec::new())
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<Charge, Error> {
        let charge = response::charge(endpoint, &self.describe(), response)?;
        match Mismatch::unless_equal("id", self.0.as_str(), charge.id().as_str()) {
            Ok(()) => Ok(charge),
            Err(mismatch) => Err(endpoint
                .mismatch(self.describe(), mismatch)
                .with_status(response.status().as_u16())
                .with_charge(charge)),
        }
    }

    fn describe(&self) -> String {
        format!("{} {}", Self::NAME, self.0)
    }
}
