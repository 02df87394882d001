//! How a wait for a charge ends.

use crate::values::{Charge, PaidCharge};

/// How a wait ended without an error.
///
/// ```
/// use strike_core::WaitOutcome;
///
/// fn next_step(outcome: &WaitOutcome) -> &'static str {
///     match outcome {
///         WaitOutcome::Paid(_) => "complete the order",
///         WaitOutcome::Payable(_) => "keep the order open and wait again",
///         WaitOutcome::Expired(_) => "create a new charge if the payer still wants to pay",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum WaitOutcome {
    /// The charge is paid.
    Paid(PaidCharge),
    /// The charge was not paid before the deadline, but the payer can still pay it. Keep the order
    /// open, and wait again.
    Payable(Charge),
    /// The charge was not paid, and its invoice has expired. The order needs a new charge.
    Expired(Charge),
}

impl WaitOutcome {
    /// Returns the charge, as last read.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        match self {
            Self::Payable(charge) | Self::Expired(charge) => charge,
            Self::Paid(charge) => charge,
        }
    }

    /// Returns true if the charge is paid.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        matches!(self, Self::Paid(_))
    }
}
