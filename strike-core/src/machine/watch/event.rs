//! The events of a watcher.

use crate::errors::Error;
use crate::values::{ChargeId, PaidCharge};

/// How a watched charge ended. Each charge ends with exactly one event.
///
/// ```
/// use strike_core::Event;
///
/// fn on_event(event: &Event) -> String {
///     match event {
///         Event::Paid(charge) => format!("complete the order of charge {}", charge.id()),
///         Event::Expired(id) => format!("charge {id} can no longer be paid: cancel the order"),
///         Event::Failed(id, error) => format!("charge {id} needs a person: {error}"),
///     }
/// }
/// # let _ = on_event;
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum Event {
    /// The charge is paid.
    Paid(PaidCharge),
    /// The charge was unpaid after its invoice had expired and the [grace
    /// period](super::Watcher::grace) had passed.
    Expired(ChargeId),
    /// The charge can no longer be watched. The server does not know it, cannot return a readable
    /// record of it, or returns another amount, invoice or description.
    Failed(ChargeId, Error),
}

impl Event {
    pub(super) fn id(&self) -> &ChargeId {
        match self {
            Self::Paid(charge) => charge.id(),
            Self::Expired(id) | Self::Failed(id, _) => id,
        }
    }
}
