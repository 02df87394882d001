//! A response that differs from the request.

use std::error::Error;
use std::fmt;

use crate::values::Charge;

/// A field of a response that differs from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    field: &'static str,
    expected: String,
    found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} should be {}, but is {}", self.field, self.expected, self.found)
    }
}

impl Error for Mismatch {}

impl Mismatch {
    pub(crate) fn new(field: &'static str, expected: impl ToString, found: impl ToString) -> Self {
        Self { field, expected: expected.to_string(), found: found.to_string() }
    }

    /// The name of the field of an expired invoice.
    pub(crate) const EXPIRES_AT: &'static str = "invoice.expires_at";

    /// The name of the network of a backend.
    pub(crate) const NETWORK: &'static str = "network";

    /// The name of a credential that can do too much.
    pub(crate) const CREDENTIAL: &'static str = "credential";

    /// Returns the mismatch of a credential that can also spend money. `expected` can only receive.
    pub(crate) fn can_spend(expected: &str) -> Self {
        Self::new(Self::CREDENTIAL, format!("{expected}, which can only receive"), "one that can also spend")
    }

    /// Returns the same mismatch with both texts replaced.
    pub(crate) fn reworded(
        self,
        expected: impl FnOnce(&str) -> String,
        found: impl FnOnce(&str) -> String,
    ) -> Self {
        Self { field: self.field, expected: expected(&self.expected), found: found(&self.found) }
    }

    /// Returns an error unless the two values of a field are equal.
    pub(crate) fn unless_equal<T: PartialEq + fmt::Debug>(
        field: &'static str,
        expected: T,
        found: T,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::new(field, format!("{expected:?}"), format!("{found:?}")))
    }

    /// Compares two decodings of a charge in all that it keeps for life.
    pub(crate) fn unless_same_order(known: &Charge, found: &Charge) -> Result<(), Self> {
        Self::unless_equal("id", known.id.as_str(), found.id.as_str())?;
        Self::unless_equal("payment_hash", known.payment_hash, found.payment_hash)?;
        Self::unless_equal("payment_request", known.payment_request(), found.payment_request())?;
        Self::unless_equal("amount", known.amount, found.amount)?;
        Self::unless_equal("amount_satoshi", known.amount_satoshi.get(), found.amount_satoshi.get())?;
        Self::unless_equal("description", known.description(), found.description())
    }

    /// Returns the name of the field, such as `amount` or `invoice.amount`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the requested value.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Returns the value in the response.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}
