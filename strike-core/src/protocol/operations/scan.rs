//! Reads a page of charges for a watcher.

use super::{List, Operation, RetrySafety, sealed};
use crate::errors::Error;
use crate::protocol::{Endpoint, Scan, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::Now;

/// Reads the same page as [`List`], without copying charges that nobody needs.
#[derive(Debug, Clone)]
pub(crate) struct ScanPage(pub(crate) List);

impl sealed::Sealed for ScanPage {}

impl Operation for ScanPage {
    type Output = Scan;

    const NAME: &'static str = List::NAME;
    const REPLAY: RetrySafety = List::REPLAY;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        self.0.request(endpoint)
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, now: Now) -> Result<Scan, Error> {
        self.parse_owned(endpoint, response.clone(), now)
    }

    fn parse_owned(&self, endpoint: &Endpoint, response: HttpResponse, _now: Now) -> Result<Scan, Error> {
        response::scan(endpoint, &|| self.describe(), response).map_err(Error::of_no_charge)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
