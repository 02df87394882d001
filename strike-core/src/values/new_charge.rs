//! The `NewCharge` type: an order for a charge, and its limits.

use serde::{Deserialize, Serialize};

use crate::values::{InvalidInput, Satoshi};

/// The longest invoice lifetime that known clients of the service requested: one week, in seconds.
pub(crate) const MAX_EXPIRY_SEC: u32 = 604_800;

/// An order for a charge, which `create` and `create_once` send to the server.
///
/// The setters cannot fail. The limits are checked when the request is built, before anything is
/// sent:
///
/// | field | limit |
/// | --- | --- |
/// | amount | 1 to 4 294 967 satoshi, or up to the endpoint's [`max_amount`](crate::EndpointBuilder::max_amount); never above [`Satoshi::MAX`] |
/// | description | at most 256 UTF-16 units and 639 bytes of UTF-8, the most that a BOLT11 invoice can hold |
/// | `customer_id` | at most 64 UTF-16 units |
/// | `expiry_sec` | 1 to 604 800 seconds |
///
/// ```
/// use strike_core::NewCharge;
///
/// let order = NewCharge::satoshis(4200, "services rendered").customer_id("order-17").expiry_sec(600);
/// assert_eq!(order.amount().get(), 4200);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCharge {
    amount: Satoshi,
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiry_sec: Option<u32>,
}

impl NewCharge {
    /// Creates an order for this many satoshi. The payer's wallet shows the description; it may be
    /// empty.
    #[must_use]
    pub fn satoshis(amount: u64, description: impl Into<String>) -> Self {
        Self::new(Satoshi::new(amount), description)
    }

    /// Creates an order for this amount. The payer's wallet shows the description; it may be empty.
    #[must_use]
    pub fn new(amount: Satoshi, description: impl Into<String>) -> Self {
        Self { amount, description: description.into(), customer_id: None, expiry_sec: None }
    }

    /// Sets your own reference, which the server stores and returns. An empty text removes it.
    #[must_use]
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.customer_id = Some(customer_id.into()).filter(|id| !id.is_empty());
        self
    }

    /// Sets the lifetime of the invoice, in seconds. The server's default is one hour.
    ///
    /// Some servers ignore this field. [`Invoice::expires_at`](crate::Invoice::expires_at) returns
    /// the actual expiry.
    #[must_use]
    pub const fn expiry_sec(mut self, seconds: u32) -> Self {
        self.expiry_sec = Some(seconds);
        self
    }

    /// Returns the amount to pay, in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.amount
    }

    /// Returns the description that the payer's wallet shows.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns your own reference, or `None` if you set none.
    #[must_use]
    pub fn get_customer_id(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    /// Returns the lifetime of the invoice, in seconds, or `None` if you set none.
    #[must_use]
    pub const fn get_expiry_sec(&self) -> Option<u32> {
        self.expiry_sec
    }

    /// Checks every limit of the table above. `max_amount` is the endpoint's limit.
    pub(crate) fn check(&self, max_amount: Option<Satoshi>) -> Result<(), InvalidInput> {
        let amount = self.amount.get();
        let most = max_amount.unwrap_or(Satoshi::MAX);
        if !(1..=most.get()).contains(&amount) {
            return Err(InvalidInput::new("amount", format!("1 to {most}")).found(amount));
        }
        at_most("description", "256 UTF-16 units", 256, self.description.encode_utf16().count())?;
        at_most("description", "639 bytes of UTF-8", 639, self.description.len())?;
        if let Some(id) = &self.customer_id {
            at_most("customer_id", "64 UTF-16 units", 64, id.encode_utf16().count())?;
        }
        match self.expiry_sec {
            Some(seconds) if !(1..=MAX_EXPIRY_SEC).contains(&seconds) => {
                Err(InvalidInput::new("expiry_sec", format!("1 to {MAX_EXPIRY_SEC} seconds")).found(seconds))
            }
            _ => Ok(()),
        }
    }

    /// Returns the order as a form-encoded body. The fields are in the same order as pystrike sends
    /// them.
    pub(crate) fn form(&self) -> String {
        let customer_id = self.customer_id.as_deref();
        let texts = self.description.len() + customer_id.map_or(0, str::len);
        // Enough for the names, the numbers, and a few characters that need an escape.
        let mut form = String::with_capacity(128 + texts);
        form.push_str("amount=");
        form.push_str(itoa::Buffer::new().format(self.amount.get()));
        form.push_str("&currency=btc&description=");
        form.extend(form_urlencoded::byte_serialize(self.description.as_bytes()));
        if let Some(id) = customer_id {
            form.push_str("&customer_id=");
            form.extend(form_urlencoded::byte_serialize(id.as_bytes()));
        }
        if let Some(seconds) = self.expiry_sec {
            form.push_str("&expiry_sec=");
            form.push_str(itoa::Buffer::new().format(seconds));
        }
        form
    }
}

fn at_most(field: &'static str, limit: &str, most: usize, found: usize) -> Result<(), InvalidInput> {
    if found <= most {
        return Ok(());
    }
    Err(InvalidInput::new(field, format!("at most {limit}")).found(found))
}
