//! The result of a create-once: the order's charge, and what to do with it.

use super::options::CreateOnceOptions;
use crate::values::{Charge, PaidCharge};

/// The charge of an order, and what to do with it.
///
/// The charge may be new, or it may have been created earlier with the same order key.
///
/// ```
/// use strike_core::{Charge, CreateOutcome};
///
/// fn next_step(outcome: CreateOutcome) -> &'static str {
///     match outcome {
///         CreateOutcome::Payable(_) => "show its payment request to the payer",
///         CreateOutcome::Paid(_) => "complete the order, unless it is completed already",
///         CreateOutcome::Expired { .. } => "call create_once again with `next`",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum CreateOutcome {
    /// The charge is unpaid and can be paid. Show its payment request to the payer.
    Payable(Charge),
    /// The charge is paid. Complete the order, unless it is completed already.
    Paid(PaidCharge),
    /// The charge is unpaid, and its invoice has expired. It can no longer be paid.
    ///
    /// The machine read the charge once more after the expiry.
    Expired {
        /// The charge that has expired.
        charge: Charge,
        /// Options that create the order's next invoice under the same key. You decide, because the
        /// price may have changed.
        next: CreateOnceOptions,
    },
}

impl CreateOutcome {
    /// Returns the charge, whatever its state.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        match self {
            Self::Payable(charge) | Self::Expired { charge, .. } => charge,
            Self::Paid(charge) => charge,
        }
    }

    /// Returns the charge, whatever its state.
    #[must_use]
    pub fn into_charge(self) -> Charge {
        match self {
            Self::Payable(charge) | Self::Expired { charge, .. } => charge,
            Self::Paid(charge) => charge.into_charge(),
        }
    }
}
