//! Checks one part of the setup: the credential, or the network.

use super::{Operation, RetrySafety, sealed};
use crate::errors::Error;
use crate::protocol::{Endpoint, response};
use crate::redaction::text;
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::Now;

/// Sends one request that shows whether the endpoint is set up well.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    step: usize,
}

impl Probe {
    /// Returns the probes of a backend, in order.
    pub(crate) fn all(endpoint: &Endpoint) -> impl Iterator<Item = Self> {
        let dialect = endpoint.dialect();
        (0..).take_while(|step| dialect.probe("", *step).is_some()).map(|step| Self { step })
    }
}

impl sealed::Sealed for Probe {}

impl Operation for Probe {
    type Output = ();

    const NAME: &'static str = "check setup";
    const REPLAY: RetrySafety = RetrySafety::Safe;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        match endpoint.dialect().probe(endpoint.base_path(), self.step) {
            Some((method, path)) => endpoint.request(method, path),
            None => Err(Error::finished()),
        }
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<(), Error> {
        let status = response.status();
        let body = std::str::from_utf8(text::without_bom(response.body())).unwrap_or_default();
        match endpoint.dialect().judge(self.step, endpoint.network(), status, body) {
            Ok(true) => Ok(()),
            // The body is not that of a probe, so only a list passes.
            Ok(false) => {
                response::rows(endpoint, &|| self.describe(), response).map(drop).map_err(Error::of_no_charge)
            }
            Err(mismatch) => Err(endpoint.mismatch(self.describe(), mismatch).with_status(status.as_u16())),
        }
    }

    fn describe(&self) -> String {
        Self::NAME.to_owned()
    }
}
