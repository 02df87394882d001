//! A delivery as its sender sees it: where it stands, and why.

use std::sync::Arc;

use strike_core::UnixMillis;

/// One delivery of one payment.
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

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryState {
    /// It will be sent when it is due, for the first time or again.
    Waiting,
    /// It is on its way, and the receiver has not answered yet.
    Sending,
    /// The receiver answered with a status of the two hundreds.
    Delivered,
    /// It was tried as often as it may be, and nobody said so. That does **not** mean that it did not arrive: a
    /// receiver that never answers, or answers something else, may have acted on it.
    Failed,
    /// It was lost on purpose, and never sent.
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
    /// Its number: 1 for the first that the sandbox made.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The id of the charge that was paid.
    #[must_use]
    pub fn charge(&self) -> &str {
        &self.charge
    }

    /// Where it goes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> DeliveryState {
        self.state
    }

    /// How many times it was sent.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The status of the last answer, if the last try brought one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// What went wrong with the last try, in words.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// When it is due, or was due last, by the sandbox's clock.
    #[must_use]
    pub const fn due(&self) -> UnixMillis {
        self.due
    }

    /// When the payment was made, by the sandbox's clock.
    #[must_use]
    pub const fn created(&self) -> UnixMillis {
        self.created
    }
}

/// Why a delivery is not sent again.
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
