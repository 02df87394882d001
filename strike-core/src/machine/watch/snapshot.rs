//! The state of a watcher that is saved for a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::digest;
use crate::snapshot_version::Version1;
use crate::values::new_charge::MAX_EXPIRY_SEC;
use crate::values::{Charge, ChargeId, UnixMillis};

/// The pending charges of a [`Watcher`](super::Watcher), to save and to restore after a restart.
///
/// It serializes with serde and contains a `version`. Each release reads the snapshots of all
/// earlier releases since 0.1. A snapshot with a newer version is an error.
///
/// ```
/// use strike_core::WatcherSnapshot;
///
/// let snapshot = WatcherSnapshot::default();
/// let json = serde_json::to_string(&snapshot)?;
/// assert_eq!(json, r#"{"version":1,"pending":[]}"#);
/// assert_eq!(serde_json::from_str::<WatcherSnapshot>(&json)?, snapshot);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatcherSnapshot {
    #[serde(default)]
    pub(super) version: Version1,
    pub(super) pending: Vec<SavedCharge>,
}

impl WatcherSnapshot {
    /// Returns the number of pending charges.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pending.len()
    }

    /// Returns true if no charge is pending.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

/// A pending charge in a snapshot. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedCharge {
    pub(super) id: ChargeId,
    /// When the charge was created, by the server's clock.
    pub(super) created: UnixMillis,
    /// The end of the invoice's lifetime and the grace period.
    pub(super) until: UnixMillis,
    /// The hash of the fields that never change; see [`digest`].
    pub(super) digest: u32,
}

impl SavedCharge {
    /// Returns the saved form of a charge. If its invoice is unreadable, its lifetime counts as a
    /// week.
    pub(super) fn of(charge: &Charge, grace: Duration) -> Self {
        let week = Duration::from_secs(u64::from(MAX_EXPIRY_SEC));
        let expires_at = charge.invoice().ok().map_or_else(
            || charge.created().saturating_add(week),
            |invoice| invoice.timestamp().saturating_add(invoice.expiry().min(week)),
        );
        Self {
            id: charge.id().clone(),
            created: charge.created(),
            until: expires_at.saturating_add(grace),
            digest: digest(charge),
        }
    }
}
