//! The query of `GET /api/v1/payments/paginated`.

use super::Record;
use super::status::Entry;

/// The most rows of a page.
const LARGEST_PAGE: usize = 1000;

/// The filters of a page. Unknown ones are ignored, as LNbits does.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) recheck_pending: bool,
    external_id: Option<String>,
    payment_hash: Option<String>,
    /// In millisatoshi.
    amount_above: Option<i64>,
}

impl Query {
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let mut query = Self {
            limit: 10,
            offset: 0,
            recheck_pending: false,
            external_id: None,
            payment_hash: None,
            amount_above: None,
        };
        let number = |value: &str| value.parse::<usize>().map_err(|_| "value is not a valid integer");
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "limit" => query.limit = number(&value)?,
                "offset" => query.offset = number(&value)?,
                "recheck_pending" => query.recheck_pending = value == "true",
                "external_id" => query.external_id = Some(value.into_owned()),
                "payment_hash" => query.payment_hash = Some(value.into_owned()),
                "amount[gt]" => query.amount_above = value.parse().ok(),
                "sortby" if !matches!(&*value, "time" | "created_at") => {
                    return Err("Invalid sort field");
                }
                _ => {}
            }
        }
        query.limit = if query.limit == 0 { LARGEST_PAGE } else { query.limit.min(LARGEST_PAGE) };
        Ok(query)
    }

    /// Returns true if a row of this amount is on the page.
    pub(super) fn matches(
        &self,
        record: &Record,
        entry: &Entry,
        msat: i64,
        ignores_external_id: bool,
    ) -> bool {
        self.amount_above.is_none_or(|least| msat > least)
            && self.payment_hash.as_ref().is_none_or(|hash| *hash == record.hash)
            && (ignores_external_id || self.external_id.is_none() || self.external_id == entry.external_id)
    }
}
