//! Finds charges by `customer_id`, if the backend can.

use http::Method;

use super::{Operation, RetrySafety, sealed};
use crate::errors::{Error, ErrorKind};
use crate::protocol::{Endpoint, Row, response};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{Now, OrderKey};

/// The largest number of rows that are requested. An order has few charges.
const LIMIT: u32 = 200;

/// Finds the charges with this `customer_id`, or those with the order key in it; see
/// [`FindBy`](crate::protocol::FindBy).
#[derive(Debug, Clone)]
pub(crate) struct Find {
    key: OrderKey,
    customer_id: String,
}

/// The rows that were found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    /// False if the server ignored the filter, so that charges may be missing.
    pub(crate) is_complete: bool,
}

impl Find {
    /// Returns the operation that finds the charges of an order. `customer_id` holds its key.
    pub(crate) const fn new(key: OrderKey, customer_id: String) -> Self {
        Self { key, customer_id }
    }

    /// Returns true unless the row belongs to another order.
    fn may_match(&self, row: &Row) -> bool {
        let customer_id = match row {
            Row::Charge(charge) => Some(charge.raw_customer_id().unwrap_or_default()),
            Row::Unreadable(row) => row.customer_id.as_deref(),
        };
        let key = customer_id.map(|id| OrderKey::from_customer_id(id).map(|(key, _)| key));
        key.is_none_or(|key| key == Some(self.key))
    }
}

impl sealed::Sealed for Find {}

impl Operation for Find {
    type Output = Found;

    const NAME: &'static str = "find charges";
    const REPLAY: RetrySafety = RetrySafety::Safe;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        match endpoint.dialect().find(endpoint.base_path(), &self.customer_id, LIMIT) {
            Some(path) => endpoint.request(Method::GET, path),
            None => Err(Error::new(self.describe(), ErrorKind::NotFound)),
        }
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, _now: Now) -> Result<Found, Error> {
        let rows = response::rows(endpoint, &|| self.describe(), response).map_err(Error::of_no_charge)?;
        // Some versions ignore a filter that they do not know.
        let is_full = u32::try_from(rows.len()).unwrap_or(u32::MAX) >= LIMIT;
        let is_complete = !is_full && rows.iter().all(|row| self.may_match(row));
        Ok(Found { rows, is_complete })
    }

    fn describe(&self) -> String {
        format!("{} of order {}", Self::NAME, self.key)
    }
}
