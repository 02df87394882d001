//! What became of a create-once: what to do with the charge.

use super::once::Once;
use crate::types::Charge;

/// The charge of a key, and what to do with it. A charge that was found may have been created days ago.
///
/// ```
/// use strike_core::{Charge, Made};
///
/// fn next_step(made: Made) -> &'static str {
///     match made {
///         Made::ToPay(_) => "show the payer its payment request",
///         Made::Paid(_) => "complete the order, if it is not completed yet",
///         Made::Expired { .. } => "call create_once again with `next`, perhaps at another price",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum Made {
    /// Show it to the payer: it is unpaid and can be paid.
    ToPay(Charge),
    /// It is paid already: complete the order unless it is completed.
    Paid(Charge),
    /// Its invoice has expired, and a read after that found it unpaid. Nobody can pay it any more.
    Expired {
        /// The charge that has expired.
        charge: Charge,
        /// Creates the order's next invoice, under the same key. A price may have changed since, so the caller decides.
        next: Once,
    },
}

impl Made {
    /// The charge, for a mirror, which keeps it whatever has become of it.
    pub(crate) fn into_charge(self) -> Charge {
        match self {
            Self::ToPay(charge) | Self::Paid(charge) | Self::Expired { charge, .. } => charge,
        }
    }
}
