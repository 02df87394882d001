//! Reads a page of charges, newest first.

use http::Method;

use super::{Operation, RetrySafety, sealed};
use crate::errors::Error;
use crate::protocol::{Endpoint, Page, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{InvalidInput, Now};

/// The default page size of existing clients of the service.
const DEFAULT_SIZE: u32 = 30;

/// Reads a page of the account's charges, newest first.
///
/// The first page is 0. New charges are added at the start of the list. A charge created between
/// two requests shifts the others, so the same charge can appear on two pages.
#[derive(Debug, Clone)]
pub struct List {
    page: u32,
    size: u32,
}

impl List {
    /// Returns the operation that reads this page, with at most 30 charges. The first page is 0.
    #[must_use]
    pub const fn page(page: u32) -> Self {
        Self { page, size: DEFAULT_SIZE }
    }

    /// Sets the number of charges per page. It must be 1 or more. A server may limit it without an
    /// error.
    #[must_use]
    pub const fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }
}

impl sealed::Sealed for List {}

impl Operation for List {
    type Output = Page;

    const NAME: &'static str = "list charges";
    const REPLAY: RetrySafety = RetrySafety::Safe;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        if self.size == 0 {
            return Err(
                Error::from(InvalidInput::new("size", "1 or more").found(0)).with_operation(self.describe())
            );
        }
        endpoint.request(Method::GET, endpoint.dialect().list(endpoint.base_path(), self.page, self.size))
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<Page, Error> {
        Ok(Page {
            rows: response::rows(endpoint, &|| self.describe(), response).map_err(Error::of_no_charge)?,
        })
    }

    fn describe(&self) -> String {
        format!("{}, page {}", Self::NAME, self.page)
    }
}
