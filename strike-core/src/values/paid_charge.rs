//! The `PaidCharge` type: proof that the server reported a charge as paid.

use std::fmt;
use std::ops::Deref;

use crate::values::Charge;

/// A charge that the server reported as paid. Complete an order only with one of these.
///
/// It always comes from a response. You get one from [`Charge::to_paid`],
/// [`WaitOutcome::Paid`](crate::WaitOutcome::Paid), [`Event::Paid`](crate::Event::Paid) and
/// [`CreateOutcome::Paid`](crate::CreateOutcome::Paid). A [`Charge`] that your own code
/// deserialized, for example from the body of a webhook, cannot become one.
///
/// It dereferences to [`Charge`].
///
/// ```
/// use strike_core::Charge;
///
/// let body = format!(
///     r#"{{"id":"ch_1","amount":1,"currency":"btc","amount_satoshi":1,"payment_hash":"{}","payment_request":"",
///         "paid":true,"created":0,"updated":0}}"#,
///     "00".repeat(32),
/// );
/// let forged: Charge = serde_json::from_str(&body).unwrap();
/// assert!(forged.is_paid());
/// assert_eq!(forged.to_paid(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidCharge(Charge);

impl PaidCharge {
    /// Converts a charge that is paid and comes from a response. Otherwise returns the charge
    /// unchanged as `Err`.
    #[expect(clippy::result_large_err, reason = "`Err` returns the charge to the caller; it is no error")]
    pub(crate) fn new(charge: Charge) -> Result<Self, Charge> {
        if charge.is_paid() && charge.is_from_response() { Ok(Self(charge)) } else { Err(charge) }
    }

    /// Returns the charge.
    #[must_use]
    pub fn into_charge(self) -> Charge {
        self.0
    }
}

impl Deref for PaidCharge {
    type Target = Charge;

    fn deref(&self) -> &Charge {
        &self.0
    }
}

impl AsRef<Charge> for PaidCharge {
    fn as_ref(&self) -> &Charge {
        &self.0
    }
}

impl From<PaidCharge> for Charge {
    fn from(paid: PaidCharge) -> Self {
        paid.0
    }
}

impl fmt::Display for PaidCharge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
