//! `GET charges`: reads a page of charges, newest first.

use http::Method;

use super::{Operation, RetrySafety, sealed};
use crate::errors::Error;
use crate::protocol::{Endpoint, Page, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{InvalidInput, Now};

/// The page size that clients of the service knew.
const USUAL_SIZE: u32 = 30;

/// Reads a page of the account's charges, newest first.
///
/// Pages count from zero. They are windows on a list that grows at its head: a charge made meanwhile moves the
/// others back, so a row can come twice.
#[derive(Debug, Clone)]
pub struct List {
    page: u32,
    size: u32,
}

impl List {
    /// Will read this page, of 30 charges at most; the first is page 0.
    #[must_use]
    pub const fn page(page: u32) -> Self {
        Self { page, size: USUAL_SIZE }
    }

    /// Asks for another number of charges a page, 1 or more. What the largest is, the host decides without saying.
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
        endpoint.request(Method::GET, &format!("/charges?page={}&size={}", self.page, self.size), Vec::new())
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<Page, Error> {
        Ok(Page { rows: response::rows(endpoint, &self.describe(), response).map_err(Error::of_no_charge)? })
    }

    fn describe(&self) -> String {
        format!("{}, page {}", Self::NAME, self.page)
    }
}
