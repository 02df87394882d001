//! The `ChargeTexts` type: the texts of a charge, in one allocation.

use std::fmt;

/// The payment request, description and `customer_id` of a charge. A page has many charges, so they
/// share one allocation.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ChargeTexts {
    /// One after the other.
    all: Box<str>,
    description_at: usize,
    customer_id_at: Option<usize>,
}

impl ChargeTexts {
    pub(crate) fn new(payment_request: &str, description: &str, customer_id: Option<&str>) -> Self {
        let description_at = payment_request.len();
        let end = description_at + description.len();
        let mut all = String::with_capacity(end + customer_id.map_or(0, str::len));
        all.push_str(payment_request);
        all.push_str(description);
        all.push_str(customer_id.unwrap_or_default());
        Self { all: all.into_boxed_str(), description_at, customer_id_at: customer_id.map(|_| end) }
    }

    pub(crate) fn payment_request(&self) -> &str {
        self.all.get(..self.description_at).unwrap_or_default()
    }

    pub(crate) fn description(&self) -> &str {
        let end = self.customer_id_at.unwrap_or(self.all.len());
        self.all.get(self.description_at..end).unwrap_or_default()
    }

    pub(crate) fn customer_id(&self) -> Option<&str> {
        self.all.get(self.customer_id_at?..)
    }
}

impl fmt::Debug for ChargeTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChargeTexts")
            .field("payment_request", &self.payment_request())
            .field("description", &self.description())
            .field("customer_id", &self.customer_id())
            .finish()
    }
}
