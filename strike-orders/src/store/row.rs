//! A charge of an order, with its order, as the tables hold it.

use std::time::Duration;

use sqlx::{ColumnIndex, Decode, FromRow, Type};
use strike_async::mirror::Mirror;
use strike_async::{NewCharge, UnixMillis};

use crate::error::Error;
use crate::order::{Order, OrderState};

/// The columns of a [`Row`], for a statement on `strike_orders o` and `strike_charges c`.
macro_rules! columns {
    () => {
        "o.id AS order_id, o.name, o.state AS order_state, o.satoshi, o.description, o.customer_id, \
         o.expiry_sec, o.attempt AS shown_attempt, o.placed_at, o.ended_at, c.id AS charge_row, c.attempt, c.begun_at, c.state AS charge_state, \
         c.mirror, c.claim, c.claim_until, c.expires_at, c.found, c.reason, c.handler_failures"
    };
}
pub(crate) use columns;

/// A charge of an order, with its order.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) order_id: i64,
    pub(crate) name: String,
    pub(crate) order_state: String,
    pub(crate) satoshi: i64,
    pub(crate) description: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) expiry_sec: Option<i64>,
    /// The attempt whose invoice is shown.
    pub(crate) shown_attempt: i64,
    pub(crate) placed_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) charge_row: i64,
    pub(crate) attempt: i64,
    pub(crate) begun_at: i64,
    pub(crate) charge_state: String,
    mirror: String,
    pub(crate) claim: Option<String>,
    pub(crate) claim_until: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) found: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) handler_failures: i64,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for Row
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            order_id: row.try_get("order_id")?,
            name: row.try_get("name")?,
            order_state: row.try_get("order_state")?,
            satoshi: row.try_get("satoshi")?,
            description: row.try_get("description")?,
            customer_id: row.try_get("customer_id")?,
            expiry_sec: row.try_get("expiry_sec")?,
            shown_attempt: row.try_get("shown_attempt")?,
            placed_at: row.try_get("placed_at")?,
            ended_at: row.try_get("ended_at")?,
            charge_row: row.try_get("charge_row")?,
            attempt: row.try_get("attempt")?,
            begun_at: row.try_get("begun_at")?,
            charge_state: row.try_get("charge_state")?,
            mirror: row.try_get("mirror")?,
            claim: row.try_get("claim")?,
            claim_until: row.try_get("claim_until")?,
            expires_at: row.try_get("expires_at")?,
            found: row.try_get("found")?,
            reason: row.try_get("reason")?,
            handler_failures: row.try_get("handler_failures")?,
        })
    }
}

impl Row {
    /// Returns what is known of the charge.
    pub(crate) fn mirror(&self) -> Result<Mirror, Error> {
        serde_json::from_str(&self.mirror).map_err(|source| Error::unreadable(&self.name, source))
    }

    /// Returns what was ordered last.
    pub(crate) fn new_charge(&self) -> NewCharge {
        let mut order = NewCharge::satoshis(self.satoshi.unsigned_abs(), self.description.as_str());
        if let Some(customer_id) = &self.customer_id {
            order = order.customer_id(customer_id);
        }
        match self.expiry_sec.and_then(|seconds| u32::try_from(seconds).ok()) {
            Some(seconds) => order.expiry_sec(seconds),
            None => order,
        }
    }

    /// Returns the order, as it shows this charge.
    pub(crate) fn order(&self) -> Result<Order, Error> {
        let mirror = self.mirror()?;
        let charge = mirror.charge().ok_or_else(|| Error::without_charge(&self.name))?.clone();
        let state = OrderState::parse(&self.order_state).ok_or_else(|| Error::without_charge(&self.name))?;
        Ok(Order {
            id: self.order_id,
            name: self.name.clone(),
            state,
            ordered: self.new_charge(),
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            charge,
            expires_at: self.expires_at.map_or_else(|| UnixMillis::from_millis(0), time),
            placed_at: time(self.placed_at),
            ended_at: self.ended_at.map(time),
        })
    }
}

/// Returns a time of the tables.
pub(crate) fn time(millis: i64) -> UnixMillis {
    UnixMillis::from_millis(millis.unsigned_abs())
}

/// Returns a duration as the tables hold it.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns a mirror as the tables hold it. `name` is the name of the order.
pub(crate) fn to_json(name: &str, mirror: &Mirror) -> Result<String, Error> {
    serde_json::to_string(mirror).map_err(|source| Error::unreadable(name, source))
}
