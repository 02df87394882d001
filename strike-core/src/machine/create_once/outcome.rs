//! What became of a create-once: what to do with the charge.

use super::options::CreateOnceOptions;
use crate::values::{Charge, PaidCharge};

/// The charge of a key, and what to do with it. A charge that was found may have been created days ago.
///
/// ```
/// use strike_core::{Charge, CreateOutcome};
///
/// fn next_step(made: CreateOutcome) -> &'static str {
///     match made {
///         CreateOutcome::Payable(_) => "show the payer its payment request",
///         CreateOutcome::Paid(_) => "complete the order, if it is not completed yet",
///         CreateOutcome::Expired { .. } => "call create_once again with `next`, perhaps at another price",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum CreateOutcome {
    /// Show it to the payer: it is unpaid and can be paid.
    Payable(Charge),
    /// It is paid already: complete the order unless it is completed.
    Paid(PaidCharge),
    /// Its invoice has expired, and a read after that found it unpaid. Nobody can pay it any more.
    Expired {
        /// The charge that has expired.
        charge: Charge,
        /// Creates the order's next invoice, under the same key. A price may have changed since, so the caller decides.
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
