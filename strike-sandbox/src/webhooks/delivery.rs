//! [`WebhookDelivery`]: the state of one delivery.

use std::sync::Arc;

use strike_core::UnixMillis;

/// One delivery of a webhook for one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    pub(super) id: u64,
    pub(super) charge: Arc<str>,
    pub(super) url: Arc<str>,
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    pub(super) status: Option<u16>,
    pub(super) error: Option<Arc<str>>,
    pub(super) due: UnixMillis,
    pub(super) created: UnixMillis,
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryState {
    /// It will be sent when it is due, for the first time or again.
    Waiting,
    /// It was sent, and the receiver has not responded yet.
    Sending,
    /// The receiver responded with a 2xx status.
    Delivered,
    /// All attempts ended without a 2xx response. The receiver may nevertheless have received it
    /// and acted on it.
    Failed,
    /// It was dropped by a setting, and never sent.
    Dropped,
}

impl DeliveryState {
    /// The state in one lower-case word, as the control API has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl WebhookDelivery {
    /// Returns its number, counted from 1.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Returns the id of the paid charge.
    #[must_use]
    pub fn charge(&self) -> &str {
        &self.charge
    }

    /// Returns the receiver's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns its state.
    #[must_use]
    pub const fn state(&self) -> DeliveryState {
        self.state
    }

    /// Returns how many times it was sent.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the status of the last attempt's response, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns the error of the last attempt.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns when it is or was last due, by the sandbox's clock.
    #[must_use]
    pub const fn due(&self) -> UnixMillis {
        self.due
    }

    /// Returns when the charge was paid, by the sandbox's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }
}

/// The reason why a delivery cannot be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendAgainError {
    /// No delivery has this number, or it was so long ago that it is forgotten.
    #[error("no delivery has this number")]
    Unknown,
    /// It is on its way: try again when the receiver has answered, or its time has run out.
    #[error("the delivery is being sent right now")]
    BeingSent,
}
